import { expect, test } from 'vitest';
import { utf8 } from '../core/bytes.ts';
import { sha256 } from '../core/hash.ts';
import { transactionVerifier, verifierTask } from '../cli/application.ts';
import { CachedSignatureVerifier } from '../node/crypto/signature-verifier.ts';
import { VerifierPool } from '../node/crypto/verifier-pool.ts';
import type { Any } from '../proto/gen/google/protobuf/any.ts';
import type { ClaimRow } from '../proto/gen/openledger/channels/v1/tx.ts';
import type { ExecTxResult, RequestFinalizeBlock } from '../proto/gen/tendermint/abci/types.ts';
import { ChannelWorld } from '../test/support/channel-world.ts';
import { accountSigner, sessionSigner, voucherFor } from '../test/support/channels.ts';
import type { SignOptions } from '../test/support/test-chain.ts';

const GAS = 4_000_000n;
const CHANNELS = 8;
const TASKS = { gas: GAS, fee: '5000uopen' };

/** A chain with channels of both kinds of key, every second one an account's. */
class TasksWorld extends ChannelWorld {
  readonly ids: readonly Uint8Array[];

  constructor() {
    super();
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

  /** How many signatures of a block are found before it is executed. */
  found(...txs: readonly Uint8Array[]): number {
    return this.chain.app.statementTasks(this.request(...txs)).length;
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
  expect(
    world.chain.app.statementTasks(
      world.request(world.chain.send(world.payer, world.other.address, '1uopen')),
    ),
  ).toEqual([]);
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
      await verifier.prefetch(app.statementTasks(request).map(verifierTask));
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
