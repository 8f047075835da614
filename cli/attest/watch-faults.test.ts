/** A watcher at a node that hangs, fails, and comes back: no look at the chain lasts for ever. */
import { mkdtempSync, rmSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type HostileServer, hostileServer } from '../../attest/watch/testing/hostile-server.ts';
import { ManualTimers } from '../../attest/watch/testing/manual-timers.ts';
import { watcherIn } from '../../attest/watch/testing/watch-world.ts';
import { WatchMetrics } from '../../attest/watch/metrics.ts';
import { connect } from '../../client/index.ts';
import type { Account } from './account.ts';
import { AttestChain } from './chain.ts';
import { NodeRpc, RPC_LIMITS } from './node-rpc.ts';
import { AccountWatchChain } from './watch-chain.ts';

const SYNC_INFO = {
  ...{ latest_block_hash: '00', latest_app_hash: '00', latest_block_height: '9', catching_up: false },
  latest_block_time: '2026-01-01T00:00:00Z',
};
const KEY = { type: 'tendermint/PubKeyEd25519', value: 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=' };
const STATUS = {
  node_info: {
    ...{ id: '00', listen_addr: 'a', network: 'c', version: '0.38.0', channels: '40', moniker: 'n' },
    ...{ protocol_version: { p2p: '8', block: '11', app: '0' }, other: { tx_index: 'on', rpc_address: 'a' } },
  },
  sync_info: SYNC_INFO,
  validator_info: { address: '00', pub_key: KEY, voting_power: '1' },
};

/** What a node says that has nothing of attribution: every list is empty. */
function answer(request: IncomingMessage, response: ServerResponse): void {
  let body = '';
  request.on('data', (part) => {
    body += part;
  });
  request.on('end', () => {
    const { id, method } = JSON.parse(body);
    const empty = { response: { code: 0, log: '', info: '', index: '0', key: '', value: '', height: '9' } };
    response.end(JSON.stringify({ jsonrpc: '2.0', id, result: method === 'status' ? STATUS : empty }));
  });
}

let home = '';
let server: HostileServer;
let fault: ((response: ServerResponse) => void) | undefined;

beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'faults-'));
  fault = undefined;
  server = await hostileServer((_, request, response) =>
    fault === undefined ? answer(request, response) : fault(response),
  );
});

afterEach(async () => {
  await server.stop();
  rmSync(home, { recursive: true, force: true });
});

/** The faults, and what a question waits for until it is given up. */
const FAULTS: Readonly<Record<string, readonly [(response: ServerResponse) => void, readonly number[]]>> = {
  'never answers': [() => undefined, [10_000, 100, 10_000, 200, 10_000]],
  'sends half of an answer': [
    (response) => void response.writeHead(200, { 'Content-Length': 100 }).write('{"jsonrpc"'),
    [10_000, 100, 10_000, 200, 10_000],
  ],
  'answers 500': [(response) => void response.writeHead(500).end(), [100, 200]],
  'answers 429': [(response) => void response.writeHead(429).end(), [100, 200]],
  'answers 503 for five seconds': [
    (response) => void response.writeHead(503, { 'Retry-After': '5' }).end(),
    [5000, 5000],
  ],
  'closes every connection': [(response) => void response.destroy(), [100, 200]],
};

test.each(Object.entries(FAULTS))('a node that %s keeps no look up for ever', async (_, [broken, waits]) => {
  const timers = new ManualTimers();
  const connection = await connect(new NodeRpc(server.url, RPC_LIMITS, timers), { gasPrice: '0.001uopen' });
  const chain = new AccountWatchChain(new AttestChain(connection), {} as Account);
  const log: string[] = [];
  const metrics = new WatchMetrics();
  const watcher = watcherIn({ home, chain, log, metrics });
  for (const look of [() => watcher.lookAtClaims(), () => watcher.lookAtPublished()]) {
    fault = broken;
    const before = server.asked();
    const round = look();
    for (const [i, ms] of waits.entries()) {
      // Time runs when the question has arrived.
      if (ms === RPC_LIMITS.timeMs) await server.arrived(before + 1 + i / 2);
      await timers.pass(ms);
    }
    await round;
    expect([log.at(-1), timers.pending]).toEqual([
      'the chain could not be read; the next rounds try again',
      0,
    ]);
    fault = undefined;
    const failures = log.length;
    await look();
    expect(log).toHaveLength(failures);
  }
  const said = await metrics.registry.metrics();
  expect(said).toContain('attest_watch_failures_total{where="chain"} 2');
  expect(said).toContain('attest_watch_rounds_total{of="published"} 2');
});
