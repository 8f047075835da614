import { expect, test } from 'vitest';
import { headerHash } from '../consensus/types/header.ts';
import { type ConsensusParams, DEFAULT_CONSENSUS_PARAMS } from '../consensus/types/params.ts';
import { toHex } from '../core/bytes.ts';
import { defined, LedgerError } from '../core/errors.ts';
import { CHAIN_ID, testChain, TestProvider, verify } from '../light/testing/chain.ts';
import { defaultNodeConfig } from './config/toml.ts';
import { machine, type NodeEnvironment } from './environment.ts';
import { openTrustedChain } from './trusted-chain.ts';

const OPEN_WAIT_MS = 3_000;
const blocks = testChain({ length: 10 });
const trusted = defined(blocks[4], 'block 5');

/** Two servers of one chain that are away; `wait` is told of every wait, and may bring them back. */
function opening(
  wait: (ms: number, servers: readonly TestProvider[]) => void,
  params: (url: string) => Promise<ConsensusParams> = () =>
    Promise.reject(new LedgerError('light.no_response', 'away')),
) {
  const servers = [new TestProvider('one', blocks), new TestProvider('two', blocks)];
  for (const server of servers) server.failure = new LedgerError('light.no_response', `${server.name}: away`);
  const warnings: { readonly fields: object; readonly message: string }[] = [];
  const environment: NodeEnvironment = {
    ...machine,
    verify,
    clock: { ...machine.clock, now: () => trusted.header.time.seconds * 1_000_000_000n },
    timers: {
      nowMs: () => 0,
      after: (delayMs, callback) => {
        wait(delayMs, servers);
        return machine.timers.after(0, callback);
      },
    },
    openServer: (url) => ({
      provider: defined(servers[url.endsWith('1') ? 0 : 1], url),
      consensusParams: () => params(url),
    }),
  };
  const config = {
    ...defaultNodeConfig().stateSync,
    rpcServers: ['http://server:1', 'http://server:2'],
    trustHeight: 5,
    trustHash: toHex(headerHash(trusted.header)),
  };
  const nothing = (): void => undefined;
  const log = {
    debug: nothing,
    info: nothing,
    error: nothing,
    warn: (fields: object, message: string) => void warnings.push({ fields, message }),
  };
  return { opened: openTrustedChain(config, CHAIN_ID, { environment, log }), warnings };
}

test('servers that are away are asked again, until they are back', async () => {
  let waits = 0;
  const { opened, warnings } = opening((ms, servers) => {
    if (ms === OPEN_WAIT_MS && ++waits === 3) for (const server of servers) server.failure = undefined;
  });
  expect((await (await opened).lightBlock(5n)).header).toEqual(trusted.header);
  const asked = warnings.filter(({ message }) => message.includes('they are asked again'));
  expect(asked).toHaveLength(3);
  expect(asked[0]?.fields).toMatchObject({
    step: 'verify',
    peers: 'http://server:1, http://server:2',
    next: 'see that these servers run',
  });
});

test('servers that stay away end it, with what to check', async () => {
  const waits: number[] = [];
  const { opened } = opening((ms) => void waits.push(ms));
  await expect(opened).rejects.toMatchObject({
    code: 'light.no_response',
    message: expect.stringMatching(
      /^state sync, step verify: it cannot begin from the trusted block: one: away \(http:\/\/server:1, .*\): check .*rpc_servers/,
    ),
  });
  expect(waits.filter((ms) => ms === OPEN_WAIT_MS)).toHaveLength(9);
});

test('servers that give different parameters are named; what to do is said once', async () => {
  const { block } = DEFAULT_CONSENSUS_PARAMS;
  const { opened } = opening(
    (_ms, servers) => {
      for (const server of servers) server.failure = undefined;
    },
    (url) =>
      Promise.resolve({
        ...DEFAULT_CONSENSUS_PARAMS,
        block: { ...block, maxGas: url.endsWith('1') ? 1n : 2n },
      }),
  );
  await expect((await opened).consensusParams(6n)).rejects.toMatchObject({
    code: 'statesync.params',
    message: 'one and two give different consensus parameters for height 6: one of them is wrong',
  });
});
