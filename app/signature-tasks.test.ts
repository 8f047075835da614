import { expect, test } from 'vitest';
import { utf8 } from '../core/bytes.ts';
import { sha256 } from '../core/hash.ts';
import { runVerified, transactionVerifier, verifierTask } from '../cli/application.ts';
import { CachedSignatureVerifier } from '../node/crypto/signature-verifier.ts';
import { VerifierPool } from '../node/crypto/verifier-pool.ts';
import { MsgSend } from '../proto/gen/cosmos/bank/v1beta1/tx.ts';
import type { Any } from '../proto/gen/google/protobuf/any.ts';
import type { ClaimRow } from '../proto/gen/openledger/channels/v1/tx.ts';
import type { ExecTxResult, RequestFinalizeBlock } from '../proto/gen/tendermint/abci/types.ts';
import { DEFAULT_CONSENSUS_PARAMS } from '../modules/consensus/params.ts';
import { ChannelWorld } from '../test/support/channel-world.ts';
import { accountSigner, sessionSigner, voucherFor } from '../test/support/channels.ts';
import { anyOf, type SignOptions } from '../test/support/test-chain.ts';

const GAS = 4_000_000n;
const CHANNELS = 8;
const TASKS = { gas: GAS, fee: '5000uopen' };

/** A chain with channels of both kinds of key, every second one an account's. */
class TasksWorld extends ChannelWorld {
  readonly ids: readonly Uint8Array[];

  constructor(options: ConstructorParameters<typeof ChannelWorld>[0] = {}) {
    super(options);
    this.ids = Array.from({ length: CHANNELS }, (_, i) =>
      this.open(this.config({ salt: sha256(utf8(`${i}`)), payerAuthorizer: this.#signer(i).key })),
    );
  }

  #signer(i: number): ReturnType<typeof sessionSigner> {
    return i % 2 === 0 ? sessionSigner(`${i}`) : accountSigner(this.payer);
  }

  /** A good row of each channel. */
  rows(cumulative = 100n): readonly ClaimRow[] {
    return this.ids.map((id, i) =>
      this.row(voucherFor(id, { cumulative, ceiling: 1n }), { signer: this.#signer(i) }),
    );
  }

  tx(message: Any, options: SignOptions = {}): Uint8Array {
    return this.chain.sign(this.receiver, [message], { ...TASKS, ...options });
  }

  request(...txs: readonly Uint8Array[]): RequestFinalizeBlock {
    const { chain } = this;
    return {
      txs,
      decidedLastCommit: { round: 0, votes: [] },
      misbehavior: [],
      hash: sha256(utf8('block')),
      height: chain.height + 1n,
      time: { seconds: chain.time + 1n, nanos: 0 },
      nextValidatorsHash: new Uint8Array(32),
      proposerAddress: new Uint8Array(20),
    };
  }

  /** How many signatures of a block are found before its transactions run, piece by piece, and drops it. */
  found(...txs: readonly Uint8Array[]): number {
    return this.pieces(...txs).reduce((sum, { found }) => sum + found, 0);
  }

  /** The same for each piece. */
  pieces(...txs: readonly Uint8Array[]): readonly { readonly txs: number; readonly found: number }[] {
    const execution = this.chain.app.beginBlock(this.request(...txs));
    const pieces: { txs: number; found: number }[] = [];
    while (execution.remaining > 0) {
      const { txs: count, tasks } = execution.next(100);
      execution.run(count);
      pieces.push({ txs: count, found: tasks.length });
    }
    return pieces;
  }
}

test('the vouchers of claims are found before the block, also of two claims of one account', () => {
  const world = new TasksWorld();
  const claim = world.tx(world.claimOf(...world.rows()));
  const sequence = world.chain.sequence(world.receiver) + 1n;
  const next = world.tx(world.claimOf(...world.rows(200n)), { sequence });
  expect(world.found(claim)).toBe(CHANNELS);
  expect(world.found(claim, next)).toBe(2 * CHANNELS);
  const unknown = world.row(voucherFor(sha256(utf8('no channel'))));
  expect(world.found(world.tx(world.claimOf(unknown, ...world.rows())))).toBe(CHANNELS);
  expect(world.found(world.chain.send(world.payer, world.other.address, '1uopen'))).toBe(0);
});

test('a block runs up to its first claim, then its claims together, and goes on', () => {
  const world = new TasksWorld();
  const { chain, payer, receiver, other } = world;
  const of = (by: number) => ({ sequence: chain.sequence(receiver) + BigInt(by) });
  const claim = (by: number, cumulative: bigint) =>
    world.tx(world.claimOf(...world.rows(cumulative)), of(by));
  const send = chain.send(receiver, other.address, '1uopen');
  const txs = [
    utf8('junk'),
    send,
    claim(1, 100n),
    claim(2, 200n),
    chain.send(payer, other.address, '1uopen'),
  ];
  expect(world.pieces(...txs, claim(3, 300n), utf8('junk'))).toEqual([
    { txs: 2, found: 0 },
    { txs: 2, found: 2 * CHANNELS },
    { txs: 1, found: 0 },
    { txs: 1, found: CHANNELS },
    { txs: 1, found: 0 },
  ]);
  expect(chain.app.beginBlock(world.request(...txs)).next(1)).toEqual({ txs: 1, tasks: [] });
});

/** A claim that anybody may send in any order, `i` being its place. */
function unordered(world: TasksWorld, messages: readonly Any[], i: number): Uint8Array {
  const timeoutTimestamp = { seconds: world.chain.time + 100n + BigInt(i), nanos: 0 };
  const options = { ...TASKS, unordered: true, sequence: 0n, timeoutTimestamp };
  return world.chain.sign(world.receiver, messages, options);
}

test('who was emptied earlier in the block gets no vouchers verified', () => {
  const world = new TasksWorld();
  const { chain, receiver, other } = world;
  const claim = world.claimOf(...world.rows());
  const all = `${chain.balance(receiver.address) - 5000n}uopen`;
  const drain = chain.send(receiver, other.address, all);
  const claims = Array.from({ length: 5 }, (_, i) => unordered(world, [claim], i));
  for (const tx of [drain, ...claims]) expect(chain.check(tx).code).toBe(0);
  expect(world.found(drain, ...claims)).toBe(0);
  expect(world.found(...claims)).toBe(5 * CHANNELS);
});

test('a claim beside a transfer is the last of its piece', () => {
  const world = new TasksWorld();
  const { chain, receiver, other } = world;
  const sent = [{ denom: 'uopen', amount: `${chain.balance(receiver.address) - 5000n}` }];
  const send = anyOf(MsgSend, { fromAddress: receiver.address, toAddress: other.address, amount: sent });
  const claim = world.claimOf(...world.rows());
  const drain = unordered(world, [claim, send], 0);
  const claims = [1, 2].map((i) => unordered(world, [world.claimOf(...world.rows(200n))], i));
  // What the first claim brings in pays for one that comes later.
  expect(world.pieces(drain, ...claims)).toMatchObject([{ txs: 1, found: CHANNELS }, { txs: 2 }]);
});

test('nobody has vouchers verified beforehand who would not pay for them', () => {
  const world = new TasksWorld();
  const message = world.claimOf(...world.rows());
  expect(world.found(utf8('junk'))).toBe(0);
  expect(world.found(world.tx(message, { chainId: 'another' }))).toBe(0);
  expect(world.found(world.tx(message, { sequence: 77n }))).toBe(0);
  expect(world.found(world.tx(message, { fee: '1000000000000uopen' }))).toBe(0);
  expect(world.found(world.tx(message, { gas: 40_000n }))).toBe(0);
  const [good, ...rest] = world.rows();
  if (good === undefined) throw new RangeError('no row');
  expect(world.found(world.tx(world.claimOf(...rest, { ...good, total: '101' })))).toBe(0);
  const stranger = world.chain.sign(world.other, [message], TASKS);
  expect(world.found(stranger)).toBe(0);
});

test('looking for the vouchers of a block changes neither the committed state nor that of CheckTx', () => {
  const world = new TasksWorld();
  const claim = world.tx(world.claimOf(...world.rows()));
  expect(world.found(claim)).toBe(CHANNELS);
  expect(world.found(claim)).toBe(CHANNELS);
  expect(world.chain.check(claim).code).toBe(0);
  // CheckTx has it now: what the block looks at is the state before it all the same.
  expect(world.found(claim)).toBe(CHANNELS);
  expect(world.chain.deliver(claim).code).toBe(0);
});

test('looking for the vouchers of claims that run next changes nothing of the block', () => {
  const world = new TasksWorld();
  const { app } = world.chain;
  const request = world.request(world.tx(world.claimOf(...world.rows())), utf8('junk'));
  const execution = app.beginBlock(request);
  while (execution.remaining > 0) {
    const { txs } = execution.next(100);
    execution.next(100);
    execution.run(txs);
  }
  const looked = execution.end();
  expect(looked.txResults.map(({ code }) => code)).toEqual([0, 2]);
  expect(app.finalizeBlock(request)).toEqual(looked);
});

/** Results of claims, each in a block: of good rows, and with one that is wrong at each place, in turn. */
async function resultsOf(workers: number | undefined): Promise<{
  readonly results: readonly ExecTxResult[];
  readonly appHash: string;
  readonly misses: number;
}> {
  const world = new TasksWorld();
  const pool = new VerifierPool({ workers: workers ?? 0 });
  const verifier = new CachedSignatureVerifier(pool, { cacheEntriesMax: 1000 });
  world.chain.restart({ verifier: transactionVerifier(verifier) });
  const results: ExecTxResult[] = [];
  const deliver = async (rows: readonly ClaimRow[]): Promise<void> => {
    const tx = world.tx(world.claimOf(...rows));
    const request = world.request(tx);
    const { app } = world.chain;
    if (workers !== undefined) {
      await verifier.prefetch(app.signatureTasks(tx).map(verifierTask));
      const ahead = app.beginBlock(request);
      await runVerified(ahead, { verify: (tasks) => verifier.prefetch(tasks.map(verifierTask)) });
    }
    results.push(world.chain.deliver(tx));
  };
  const good = world.rows(100n);
  await deliver(good);
  const { misses } = verifier.stats;
  for (const [i] of good.entries()) {
    // Another row's signature, of the same kind of key and of the other: each was found right elsewhere.
    const of = (by: number): ClaimRow | undefined => good[(i + by) % good.length];
    const swapped = (by: number): readonly ClaimRow[] =>
      good.map((row, at) => (at === i ? { ...row, signature: of(by)?.signature ?? row.signature } : row));
    await deliver(swapped(1));
    await deliver(swapped(2));
  }
  await deliver(
    world.rows(200n).map((row, i) => ({ ...row, signature: good[i]?.signature ?? row.signature })),
  );
  await deliver(world.rows(300n));
  await pool.stop();
  return { results, appHash: Buffer.from(world.chain.block().appHash).toString('hex'), misses };
}

test('a block comes to the same with workers, without, and when nothing was verified beforehand', async () => {
  const plain = await resultsOf(undefined);
  expect(plain.results.map(({ code }) => code)).toEqual([
    0,
    ...new Array<number>(2 * CHANNELS + 1).fill(7),
    0,
  ]);
  expect(plain.misses).toBe(CHANNELS + 1);
  for (const workers of [0, 1, 2]) {
    const ahead = await resultsOf(workers);
    expect(ahead.misses, `${workers} workers`).toBe(0);
    expect(ahead.results).toEqual(plain.results);
    expect(ahead.appHash).toBe(plain.appHash);
  }
});

test('what a block has left of its gas is the same for who looks for vouchers and who does not', () => {
  const block = { maxBytes: 4_000_000n, maxGas: 1_700_000n };
  const world = new TasksWorld({ genesis: { consensusParams: { ...DEFAULT_CONSENSUS_PARAMS, block } } });
  const { app } = world.chain;
  const sequence = world.chain.sequence(world.receiver);
  const claim = (i: number): Uint8Array => {
    const options = { sequence: sequence + BigInt(i), gas: 1_600_000n };
    return world.tx(world.claimOf(...world.rows(100n * BigInt(i + 1))), options);
  };
  const request = world.request(...Array.from({ length: 16 }, (_, i) => claim(i)));
  const execution = app.beginBlock(request);
  while (execution.remaining > 0) execution.run(execution.next(8).txs);
  const looked = execution.end();
  // Some find the block full.
  expect(new Set(looked.txResults.map(({ code }) => code))).toEqual(new Set([0, 11]));
  expect(looked).toEqual(app.finalizeBlock(request));
});
