import type { IndexedTx, SigningStargateClient } from '@cosmjs/stargate';
import { expect, test } from 'vitest';
import { ManualTimers } from '../../attest/watch/testing/manual-timers.ts';
import { Account } from './account.ts';

const TX = { code: 0, hash: 'AA', rawLog: '' } as IndexedTx;

/** A node at heights that a test gives, one for each look. */
function world(node: { readonly heights: number[]; readonly found: () => IndexedTx | null }) {
  const sent: bigint[] = [];
  const client = {
    getHeight: async () => (node.heights.length > 1 ? node.heights.shift() : node.heights[0]),
    getTx: async () => node.found(),
    async signAndBroadcastSync(...args: readonly unknown[]) {
      sent.push(args[4] as bigint);
      return 'AA';
    },
  } as unknown as SigningStargateClient;
  const timers = new ManualTimers();
  return { sent, timers, account: new Account('open1', client, timers) };
}

test('a transaction is in a block, or refused there with the words of the chain', async () => {
  let looks = 0;
  const found = (): IndexedTx | null => (++looks < 3 ? null : TX);
  const { account, timers, sent } = world({ heights: [5], found });
  const result = account.send([]);
  for (let look = 0; look < 3; look++) await timers.pass(200);
  expect(await result).toBe(TX);
  expect(sent).toEqual([25n]);
  const refused = world({ heights: [5], found: () => ({ ...TX, code: 3, rawLog: 'why' }) });
  const failure = refused.account.send([]).catch((error: Error) => error.message);
  await refused.timers.pass(200);
  expect(await failure).toBe('the chain refused: why');
});

test('one that the mempool dropped is given up behind the last block that may hold it, and the next is sent', async () => {
  let isThere = false;
  const { account, timers, sent } = world({
    heights: [5, 24, 25, 26, 30],
    found: () => (isThere ? TX : null),
  });
  const dropped = account.send([]).catch((error: Error) => error.message);
  const next = account.send([]);
  for (let look = 0; look < 3; look++) await timers.pass(200);
  expect(await dropped).toBe('transaction AA is in no block up to 25');
  isThere = true;
  await timers.pass(200);
  expect(await next).toBe(TX);
  expect(sent).toEqual([25n, 50n]);
});

test('while the chain stands still, or comes back at a lower height, nobody waits for ever', async () => {
  const { account, timers } = world({ heights: [50, 3], found: () => null });
  const given = account.send([]).catch((error: Error) => error.message);
  for (let look = 0; look < 300; look++) await timers.pass(200);
  expect(await given).toBe('transaction AA is in no block up to 70');
  expect(timers.pending).toBe(0);
});

test('while blocks come, however slowly, it is waited for', async () => {
  const heights = Array.from({ length: 5_000 }, (_, look) => 5 + Math.floor(look / 290));
  let looks = 0;
  const { account, timers } = world({ heights, found: () => (++looks < 4_900 ? null : TX) });
  const result = account.send([]);
  for (let look = 0; look < 4_900; look++) await timers.pass(200);
  expect(await result).toBe(TX);
});

test('one that comes into the last block between two looks is found there', async () => {
  const heights = [5, 5, 26, 26];
  const { account, timers } = world({ heights, found: () => (heights.length > 1 ? null : TX) });
  const result = account.send([]);
  for (let look = 0; look < 2; look++) await timers.pass(200);
  expect(await result).toBe(TX);
});
