import { expect, test } from 'vitest';
import { headerHash } from '../consensus/types/header.ts';
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
function opening(wait: (ms: number, servers: readonly TestProvider[]) => void) {
  const servers = [new TestProvider('one', blocks), new TestProvider('two', blocks)];
  for (const server of servers) server.failure = new LedgerError('light.no_response', `${server.name}: away`);
  const warnings: string[] = [];
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
      consensusParams: () => Promise.reject(new LedgerError('light.no_response', 'away')),
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
    warn: (_facts: object, message: string) => void warnings.push(message),
  };
  return { opened: openTrustedChain(config, CHAIN_ID, { environment, log }), warnings };
}

test('servers that are away are asked again, until they are back', async () => {
  let waits = 0;
  const { opened, warnings } = opening((ms, servers) => {
    if (ms === OPEN_WAIT_MS && ++waits === 3) for (const server of servers) server.failure = undefined;
  });
  expect((await (await opened).lightBlock(5n)).header).toEqual(trusted.header);
  expect(warnings.filter((line) => line.includes('they are asked again'))).toHaveLength(3);
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
