import { BroadcastTxError, type IndexedTx, type SigningStargateClient } from '@cosmjs/stargate';
import { expect, test } from 'vitest';
import { LedgerError } from '../../core/errors.ts';
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
  return { sent, timers, account: new Account('open1', client, { timers }) };
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

/** What a mempool and the blocks do with transactions; a transaction is called by its sequence. */
interface Chain {
  readonly mempool?: (sequence: number) => unknown;
  readonly found: (hash: string) => IndexedTx | null;
  readonly simulate?: () => Promise<number>;
}

function chainWorld({ mempool, found, simulate }: Chain) {
  const log: unknown[] = [];
  let height = 5;
  const client = {
    getHeight: async () => height++,
    getTx: async (hash: string) => found(hash),
    getChainId: async () => 'chain-1',
    getSequence: async () => ({ accountNumber: 3, sequence: 40 }),
    simulate,
    async sign(...args: readonly unknown[]) {
      const [, messages, fee, , signer, timeout] = args;
      log.push([messages, fee, signer, timeout]);
      const { sequence } = signer as { readonly sequence: number };
      return { bodyBytes: Uint8Array.of(sequence), authInfoBytes: new Uint8Array(0), signatures: [] };
    },
    async broadcastTxSync(tx: Uint8Array) {
      const sequence = tx.at(-1) ?? 0;
      const error = mempool?.(sequence);
      if (error !== undefined) throw error;
      return `TX${sequence}`;
    },
  } as unknown as SigningStargateClient;
  const timers = new ManualTimers();
  const options = { timers, gasPrices: '0.002uopen' };
  return { log, timers, account: new Account('open1', client, options) };
}

const txsOf = (count: number) => Array.from({ length: count }, (_, i) => ({ messages: [], gas: 1000 + i }));

const whatOf = (outcome: PromiseSettledResult<IndexedTx>): string =>
  outcome.status === 'fulfilled' ? outcome.value.hash : String((outcome.reason as LedgerError).code);

test('several are sent one behind the other, and each is in a block or refused there by itself', async () => {
  const found = (hash: string): IndexedTx => ({ ...TX, hash, code: hash === 'TX41' ? 3 : 0, rawLog: 'why' });
  const { account, timers, log } = chainWorld({ found });
  const sent = account.sendAll(txsOf(3));
  await timers.pass(200);
  expect((await sent).map(whatOf)).toEqual(['TX40', 'attest.refused', 'TX42']);
  expect(timers.pending).toBe(0);
  const signed = (gas: number, amount: string, sequence: number): readonly unknown[] => [
    [],
    { amount: [{ denom: 'uopen', amount }], gas: String(gas) },
    { accountNumber: 3, sequence, chainId: 'chain-1' },
    25n,
  ];
  expect(log).toEqual([signed(1000, '2', 40), signed(1001, '3', 41), signed(1002, '3', 42)]);
});

test('what the mempool refuses leaves no gap in the sequence', async () => {
  const full = new BroadcastTxError(20, 'sdk', 'mempool is full');
  let refused = 0;
  const mempool = (sequence: number): unknown => (sequence === 41 && refused++ === 0 ? full : undefined);
  const { account, timers } = chainWorld({ mempool, found: (hash) => ({ ...TX, hash }) });
  const sent = account.sendAll(txsOf(4));
  await timers.pass(200);
  expect((await sent).map(whatOf)).toEqual(['TX40', 'attest.refused', 'TX41', 'TX42']);
});

test('behind one of which nobody knows whether it came, nothing is sent', async () => {
  const lost = new LedgerError('attest.no_answer', 'nobody answers');
  const { account, timers, log } = chainWorld({
    mempool: (sequence) => (sequence === 41 ? lost : undefined),
    found: (hash) => ({ ...TX, hash }),
  });
  const sent = account.sendAll(txsOf(4));
  await timers.pass(200);
  expect((await sent).map(whatOf)).toEqual(['TX40', 'attest.dropped', 'attest.dropped', 'attest.dropped']);
  expect(log).toHaveLength(2);
});

test('those behind one that is in no block are given up with it, and the account goes on', async () => {
  let isThere = (hash: string): boolean => hash === 'TX40';
  const { account, timers } = chainWorld({ found: (hash) => (isThere(hash) ? { ...TX, hash } : null) });
  const sent = account.sendAll(txsOf(3));
  const next = account.sendAll(txsOf(1));
  for (let look = 0; look < 20; look++) await timers.pass(200);
  expect((await sent).map(whatOf)).toEqual(['TX40', 'attest.dropped', 'attest.dropped']);
  isThere = () => true;
  await timers.pass(200);
  expect((await next).map(whatOf)).toEqual(['TX40']);
  expect(await account.sendAll([])).toEqual([]);
});

test('gas is what a simulation says and a fifth more; what the chain would refuse is told from nobody answering', async () => {
  const found = (): null => null;
  const { account } = chainWorld({ found, simulate: async () => 1001 });
  expect(await account.simulate([])).toBe(1202);
  const refusing = chainWorld({ found, simulate: () => Promise.reject(new Error('Query failed: no')) });
  await expect(refusing.account.simulate([])).rejects.toMatchObject({
    code: 'attest.refused',
    message: 'the chain refuses: Query failed: no',
  });
  const lost = new LedgerError('attest.no_answer', 'nobody answers');
  await expect(chainWorld({ found, simulate: () => Promise.reject(lost) }).account.simulate([])).rejects.toBe(
    lost,
  );
});
