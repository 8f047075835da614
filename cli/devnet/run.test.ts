import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { defined } from '../../core/errors.ts';
import type { BlockMessage, ReadyMessage } from '../child-messages.ts';
import type { Terminal } from '../terminal.ts';
import type { NodeProcessListener } from './node-process.ts';
import type { DevnetRecord } from './record.ts';
import { superviseDevnet } from './run.ts';
import { type DevnetView, humanView, jsonView } from './view.ts';

const MONIKERS = ['node0', 'node1', 'node2', 'node3'];
/** As long as a block may be held back by a node that lags, and some more. */
const LAG_MS = 400;

let home = '';
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  home = mkdtempSync(join(tmpdir(), 'openledgerd-run-'));
  for (const moniker of MONIKERS) {
    mkdirSync(join(home, moniker, 'config'), { recursive: true });
    writeFileSync(join(home, moniker, 'config', 'config.toml'), '');
  }
});
afterEach(() => {
  vi.useRealTimers();
  rmSync(home, { recursive: true, force: true });
});

/** A node that becomes ready, and makes blocks, when the test says so. */
class FakeNode {
  readonly moniker: string;
  readonly home: string;
  readonly pid = 7;
  alive = true;
  readonly #listener: NodeProcessListener;
  readonly #isReady: Promise<ReadyMessage>;
  #tellReady: (message: ReadyMessage) => void = () => undefined;

  constructor(moniker: string, listener: NodeProcessListener) {
    this.moniker = moniker;
    this.home = join(home, moniker);
    this.#listener = listener;
    this.#isReady = new Promise((resolve) => {
      this.#tellReady = resolve;
    });
  }

  ready(): Promise<ReadyMessage> {
    return this.#isReady;
  }

  becomeReady(): void {
    this.#tellReady({ event: 'ready', rpc: 'http://127.0.0.1:1', p2p: '/ip4/127.0.0.1/tcp/2/p2p/Q' });
  }

  commit(height: number): void {
    this.#listener.block(this.moniker, block(height));
  }

  end(): void {
    this.alive = false;
    this.#listener.exited(this.moniker, 'signal SIGKILL');
  }

  async stop(): Promise<void> {
    this.kill();
  }

  kill(): void {
    this.alive = false;
  }
}

function block(height: number): BlockMessage {
  const time = new Date(height * 1000).toISOString();
  return { event: 'block', height, hash: 'AB', app_hash: 'CDEF', time, txs: 0, failed: 0 };
}

function recordOf(monikers: readonly string[]): DevnetRecord {
  const nodes = monikers.map((moniker) => ({
    moniker,
    home: join(home, moniker),
    pid: 0,
    rpc: '',
    p2p: '/ip4/127.0.0.1/tcp/2/p2p/Q',
  }));
  const chain = { chain_id: 'test-1', prefix: 'open', denom: 'uopen' };
  return { version: 1, ...chain, block_time_ms: 500, rpc_port: 0, nodes, accounts: [] };
}

/** Runs four such nodes, of which the last starts slowly and the first ends before, and returns what was printed. */
async function linesOf(viewOn: (terminal: Terminal) => DevnetView): Promise<readonly string[]> {
  const nodes: FakeNode[] = [];
  let text = '';
  const terminal: Terminal = {
    out: (more) => void (text += more),
    note: () => undefined,
    ask: async () => '',
    interactive: false,
  };
  let requestStop: () => void = () => undefined;
  let allStarted: () => void = () => undefined;
  const started = new Promise<void>((resolve) => {
    allStarted = resolve;
  });
  const record = recordOf(MONIKERS);
  const ended = superviseDevnet({
    home,
    record,
    settings: {
      ...{ chainId: 'test-1', prefix: 'open', denom: 'uopen', validators: 4, accounts: 0 },
      ...{ blockTimeMs: 500, rpcPort: 0 },
    },
    view: viewOn(terminal),
    stop: {
      requested: new Promise((resolve) => {
        requestStop = resolve;
      }),
      forced: new Promise(() => undefined),
    },
    startNode: ({ moniker }, listener) => {
      const node = new FakeNode(moniker, listener);
      nodes.push(node);
      if (nodes.length === MONIKERS.length) allStarted();
      return node;
    },
  });
  await started;
  const slow = defined(nodes.at(-1), 'slow node');
  const quick = nodes.slice(0, -1);
  for (const node of quick) node.becomeReady();
  for (const height of [1, 2]) for (const node of quick) node.commit(height);
  vi.advanceTimersByTime(LAG_MS);
  const [dead, ...rest] = quick;
  dead?.end();
  expect(text).toBe('');
  slow.becomeReady();
  for (const height of [1, 2, 3]) slow.commit(height);
  for (const node of rest) node.commit(3);
  await setImmediate();
  for (const node of [...rest, slow]) node.commit(4);
  requestStop();
  await ended;
  return text.trimEnd().split('\n');
}

describe('what a devnet prints while one node starts slowly, one ends, and the others make blocks', () => {
  it('for programs is `ready` first, then each block once, and the end', async () => {
    const events = (await linesOf(jsonView)).map((line) => JSON.parse(line));
    expect(events.map(({ event, height }) => `${event} ${height ?? ''}`.trim())).toEqual([
      ...['ready', 'block 1', 'block 2', 'block 3', 'exit', 'block 4'],
    ]);
  });

  it('for people is the table first, then each block once', async () => {
    const lines = await linesOf((terminal) => humanView(terminal, '.devnet', 0));
    expect(lines[0]).toMatch(/^Devnet "test-1"/);
    const blocks = lines.flatMap((line) => /^block (\d+) /.exec(line)?.[1] ?? []);
    expect(blocks).toEqual(['1', '2', '3', '4']);
  });
});
