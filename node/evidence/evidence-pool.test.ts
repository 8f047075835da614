import { beforeEach, describe, expect, it } from 'vitest';
import type { DuplicateVoteEvidence } from '../../consensus/types/duplicate-vote.ts';
import {
  decodeEvidence,
  encodeEvidence,
  type Evidence,
  evidenceHash,
} from '../../consensus/types/evidence.ts';
import type { Database } from '../database.ts';
import { HELD_BLOCKS_MAX } from '../held-writes.ts';
import { CONFLICTS_MAX, CONFLICTS_PER_VALIDATOR_MAX } from './conflicts.ts';
import { EvidencePool, PENDING_MAX, PENDING_PER_VALIDATOR_MAX } from './evidence-pool.ts';
import { EvidenceStore } from './evidence-store.ts';
import type { EvidenceLogger } from './ports.ts';
import {
  MANY_FROM,
  memoryDatabase,
  quiet,
  TestChain,
  testConflict,
  testEvidence,
  testVerify,
  timeAt,
  validatorsAt,
} from './testing.ts';

let chain: TestChain;
let database: ReturnType<typeof memoryDatabase>;
let pool: EvidencePool;

async function openPool(from: Database = database, log: EvidenceLogger = quiet): Promise<EvidencePool> {
  const store = await EvidenceStore.open('memory', async () => from);
  return EvidencePool.open({ store, chain, verify: testVerify, log }, chain.state());
}

/** A pool in a chain of many validators, with heights enough for many offences. */
async function openLargePool(log?: EvidenceLogger): Promise<void> {
  chain.height = MANY_FROM + 1_000n;
  chain.maxAgeNumBlocks = 10_000n;
  pool = await openPool(memoryDatabase(), log);
}

/** Fills the pool: as much of each validator as it takes. */
function fillPool(): void {
  for (let i = 0; i < PENDING_MAX; i++) {
    const height = MANY_FROM + BigInt(i % PENDING_PER_VALIDATOR_MAX);
    const from = Math.floor(i / PENDING_PER_VALIDATOR_MAX);
    if (pool.add(testEvidence(height, from)) !== 'added') throw new Error(`piece ${i} was not added`);
  }
}

/** The next block, with that evidence. */
async function advance(evidence: readonly Evidence[] = [], blocks = 1n): Promise<void> {
  chain.height += blocks;
  chain.evidenceAt.set(chain.height, evidence);
  await pool.update(chain.state(), evidence);
}

const coded = (code: string): unknown => expect.objectContaining({ code });

beforeEach(async () => {
  chain = new TestChain(10n);
  database = memoryDatabase();
  pool = await openPool();
});

describe('conflicting votes of our own consensus', () => {
  it('become evidence when their height is decided, one piece for each offence', async () => {
    const { first, second } = testConflict(11n);
    pool.conflictingVotes(first, second);
    pool.conflictingVotes(second, first);
    pool.conflictingVotes(first, testConflict(11n, 0, ['a', 'c']).second);
    expect(pool.size).toBe(0);
    await advance();
    expect(pool.all()).toEqual([testEvidence(11n)]);
    expect(pool.all()[0]?.timestamp).toEqual(timeAt(11n));
  });

  it('wait for a height that is not decided yet, and are not lost when they come late', async () => {
    const later = testConflict(12n, 1);
    const late = testConflict(4n, 2);
    pool.conflictingVotes(later.first, later.second);
    pool.conflictingVotes(late.first, late.second);
    await advance();
    expect(pool.all()).toEqual([testEvidence(4n, 2)]);
    await advance();
    expect(pool.all()).toEqual([testEvidence(4n, 2), testEvidence(12n, 1)]);
  });

  it('of one validator take no room of another’s, waiting or pending', async () => {
    await openLargePool();
    const give = (height: bigint, from: number): void => {
      const { first, second } = testConflict(height, from);
      pool.conflictingVotes(first, second);
    };
    for (let i = 0n; i < CONFLICTS_MAX; i++) give(MANY_FROM + i, 2);
    give(MANY_FROM + 5n, 0);
    await advance();
    const ofAnother = testEvidence(MANY_FROM + 5n, 0);
    expect(pool.all()).toHaveLength(CONFLICTS_PER_VALIDATOR_MAX + 1);
    expect(pool.all()).toContainEqual(ofAnother);
    for (let i = 500n; i < 600n; i++) give(MANY_FROM + i, 2);
    give(MANY_FROM + 550n, 0);
    await advance();
    expect(pool.all()).toHaveLength(PENDING_PER_VALIDATOR_MAX + 2);
    expect(pool.all()).toContainEqual(testEvidence(MANY_FROM + 550n, 0));
  });

  it('wait while the pool is full, which is logged, and become evidence when there is room', async () => {
    const warnings: string[] = [];
    await openLargePool({ ...quiet, warn: (_, message) => warnings.push(message) });
    fillPool();
    const { first, second } = testConflict(MANY_FROM + 700n, 100);
    const evidence = testEvidence(MANY_FROM + 700n, 100);
    pool.conflictingVotes(first, second);
    warnings.length = 0;
    await advance();
    await advance();
    expect(warnings).toEqual(['no room for evidence of conflicting votes: they wait for it']);
    expect(pool.all()).not.toContainEqual(evidence);
    await advance([testEvidence(MANY_FROM)]);
    expect(pool.all()).toContainEqual(evidence);
  });

  it('that wait for room go when they have expired', async () => {
    const errors: unknown[] = [];
    await openLargePool({ ...quiet, error: ({ reason }) => errors.push(reason) });
    fillPool();
    const { first, second } = testConflict(MANY_FROM + 700n, 100);
    pool.conflictingVotes(first, second);
    await advance();
    expect(errors).toEqual([]);
    chain.maxAgeNumBlocks = 20n;
    await advance([], 20n);
    await advance();
    expect([pool.size, errors]).toEqual([0, ['the votes are too old']]);
  });
});

describe('evidence from outside', () => {
  it('is told of again after the next block, once, unless it is in that', async () => {
    const heard: Evidence[] = [];
    const [waits, committed] = [testEvidence(5n), testEvidence(6n)];
    pool.add(waits);
    pool.add(committed);
    pool.onEvidence((evidence) => heard.push(evidence));
    await advance([committed]);
    expect(heard).toEqual([waits]);
    await advance();
    expect(heard).toEqual([waits]);
  });

  it('is taken once, and told to those who listen', () => {
    const heard: Evidence[] = [];
    pool.onEvidence((evidence) => heard.push(evidence));
    expect(pool.add(testEvidence(5n))).toBe('added');
    expect(pool.add(testEvidence(5n))).toBe('known');
    expect(pool.add(testEvidence(5n, 0, ['b', 'c']))).toBe('known'); // another proof of the same offence
    expect(pool.add(testEvidence(5n, 1))).toBe('added');
    expect(heard).toEqual([testEvidence(5n), testEvidence(5n, 1)]);
  });

  it('is refused when it is not true, too old, or of a height that is not here', async () => {
    const good = testEvidence(5n);
    const badSignature = { ...good, voteA: { ...good.voteA, signature: Uint8Array.of(2) } };
    expect(() => pool.add(badSignature)).toThrow(coded('evidence.signature'));
    expect(() => pool.add({ ...good, timestamp: timeAt(6n) })).toThrow(coded('evidence.time'));
    expect(() => pool.add({ ...good, totalVotingPower: 11n })).toThrow(coded('evidence.power'));
    expect(() => pool.add(testEvidence(11n))).toThrow(coded('evidence.unknown_height'));
    await advance([], 21n);
    expect(() => pool.add(testEvidence(10n))).toThrow(coded('evidence.expired'));
    expect(pool.size).toBe(0);
  });

  it('has one form: nobody but the offender can make another piece of it', async () => {
    const good = testEvidence(5n);
    const { voteA, voteB } = good;
    const bytes = Uint8Array.of(1, 2, 3);
    const changed: readonly (readonly [string, DuplicateVoteEvidence])[] = [
      ['evidence.time', { ...good, timestamp: { ...good.timestamp, nanos: 1 } }],
      ['evidence.power', { ...good, totalVotingPower: good.totalVotingPower + 1n }],
      ['evidence.power', { ...good, validatorPower: good.validatorPower + 1n }],
      ['evidence.votes', { ...good, voteA: { ...voteA, validatorIndex: 1 } }],
      ['evidence.votes', { ...good, voteA, voteB: voteA }],
      [
        'evidence.signature',
        { ...good, voteA: { ...voteA, validatorIndex: 1 }, voteB: { ...voteB, validatorIndex: 1 } },
      ],
      ['evidence.extension', { ...good, voteA: { ...voteA, extensionSignature: bytes } }],
      ['evidence.extension', { ...good, voteB: { ...voteB, extension: bytes, extensionSignature: bytes } }],
    ];
    for (const [code, evidence] of changed) {
      expect(() => pool.add(evidence)).toThrow(coded(code));
      expect(() => pool.check([evidence], 11n)).toThrow(coded(code));
    }
    // The order is part of the form: such bytes are no evidence.
    expect(() => decodeEvidence(encodeEvidence({ ...good, voteA: voteB, voteB: voteA }))).toThrow(
      'wrong order',
    );
    expect(() => decodeEvidence(encodeEvidence({ ...good, voteB: voteA }))).toThrow('for one block');
    await advance([good]);
    expect(() => pool.check([good], 12n)).toThrow(coded('evidence.committed'));
  });

  it('of another pair of votes of one offence is another piece: the offender signed more', async () => {
    await advance([testEvidence(5n)]);
    expect(() => pool.check([testEvidence(5n, 0, ['b', 'c'])], 12n)).not.toThrow();
  });

  it('goes when a block holds another piece of the same offence, also over a restart', async () => {
    const mine = testEvidence(9n);
    const other = testEvidence(9n, 0, ['a', 'c']);
    expect(pool.add(mine)).toBe('added');
    await advance([other]);
    expect(pool.all()).toEqual([]);
    expect((await openPool()).all()).toEqual([]);
  });

  it('of votes that came with extensions holds none of them', async () => {
    const { first, second } = testConflict(11n);
    const extras = { extension: Uint8Array.of(1), extensionSignature: Uint8Array.of(2) };
    pool.conflictingVotes({ ...first, ...extras }, { ...second, ...extras });
    await advance();
    expect(pool.all()).toEqual([testEvidence(11n)]);
  });

  it('is refused when no block takes it: it would keep all that comes after it out', async () => {
    pool.add(testEvidence(5n));
    const { bytes } = pool.pending(100_000n);
    await pool.update(chain.state(bytes - 1n), []);
    expect(() => pool.add(testEvidence(6n))).toThrow(coded('evidence.too_large'));
    await pool.update(chain.state(bytes), []);
    expect(pool.add(testEvidence(6n))).toBe('added');
  });

  it('is dropped when the parameters leave no room for it, also over a restart', async () => {
    const [large, small] = [testEvidence(4n, 1), testEvidence(5n, 0)]; // an index of 0 takes no bytes
    pool.add(small);
    const { bytes } = pool.pending(100_000n);
    pool.add(large);
    expect(pool.pending(100_000n).bytes).toBeGreaterThan(2n * bytes);
    expect(pool.pending(bytes).evidence).toEqual([small]); // what does not fit keeps nothing else out
    await pool.flush();
    const lowered = chain.state(bytes);
    chain.state = () => lowered;
    expect((await openPool()).all()).toEqual([small]);
    await pool.update(lowered, []);
    expect(pool.all()).toEqual([small]);
    await pool.flush();
    chain.state = () => ({ ...lowered, consensusParams: new TestChain(10n).state().consensusParams });
    expect((await openPool()).all()).toEqual([small]); // it is gone from the disk, too
  });

  it('is judged by the validators of its height, whatever they are now', async () => {
    expect(validatorsAt(10n).validators).toHaveLength(3);
    expect(pool.add(testEvidence(5n, 3))).toBe('added'); // of one that has left since
    expect(() => pool.check([testEvidence(6n, 3)], 11n)).not.toThrow();
    const good = testEvidence(5n, 0);
    for (const height of [4n, 6n, 10n, 11n]) {
      const { totalVotingPower } = validatorsAt(height);
      const validatorPower = 40n + height;
      expect(() => pool.add({ ...good, totalVotingPower, validatorPower })).toThrow(coded('evidence.power'));
    }
    const stranger = { ...testEvidence(8n, 3), timestamp: timeAt(9n) };
    const [voteA, voteB] = [stranger.voteA, stranger.voteB].map((vote) => ({ ...vote, height: 9n }));
    if (voteA === undefined || voteB === undefined) throw new Error('two votes');
    const { totalVotingPower } = validatorsAt(9n);
    expect(() => pool.add({ ...stranger, voteA, voteB, totalVotingPower })).toThrow(
      coded('evidence.signature'),
    );
    expect(pool.size).toBe(2);
  });

  it('of our own consensus names the powers of its height', async () => {
    const { first, second } = testConflict(7n, 3);
    pool.conflictingVotes(first, second);
    await advance();
    expect(pool.all()).toMatchObject([
      { validatorPower: 1n, totalVotingPower: validatorsAt(7n).totalVotingPower },
    ]);
  });

  it('is bounded: one validator with many votes is one offence a step, and offences have a limit', async () => {
    for (let i = 0; i < 50; i++) pool.add(testEvidence(5n, 0, [`x${i}`, `y${i}`]));
    expect(pool.size).toBe(1);
    await openLargePool();
    fillPool();
    expect([pool.size, pool.add(testEvidence(1_999n, 100))]).toEqual([PENDING_MAX, 'full']);
    // A block may still hold it: what is valid does not depend on what this node has room for.
    expect(() => pool.check([testEvidence(1_999n, 100)], 2_001n)).not.toThrow();
    expect(pool.size).toBe(PENDING_MAX);
  });

  it('is bounded by validator, from peers and from blocks', async () => {
    await openLargePool();
    const pieces = Array.from({ length: 50 }, (_, i) => testEvidence(MANY_FROM + BigInt(i), 3));
    const outcomes = pieces.map((piece) => pool.add(piece));
    expect(outcomes.lastIndexOf('added')).toBe(PENDING_PER_VALIDATOR_MAX - 1);
    expect(outcomes.at(-1)).toBe('full');
    expect(() => pool.check(pieces, 2_001n)).not.toThrow();
    expect(pool.size).toBe(PENDING_PER_VALIDATOR_MAX);
    expect(pool.add(testEvidence(MANY_FROM, 4))).toBe('added');
  });
});

describe('evidence in blocks', () => {
  it('is checked like any other, and may stand there once', async () => {
    const evidence = testEvidence(5n);
    expect(() => pool.check([evidence], 11n)).not.toThrow();
    expect(() => pool.check([evidence, evidence], 11n)).toThrow(coded('evidence.twice'));
    expect(() => pool.check([{ ...evidence, validatorPower: 9n }], 11n)).toThrow(coded('evidence.power'));
    await advance([evidence]);
    expect(() => pool.check([evidence], 12n)).toThrow(coded('evidence.committed'));
    expect(pool.add(evidence)).toBe('known');
    expect(pool.size).toBe(0);
    expect(database.syncs).toBe(2); // when it was made, and now
  });

  it('of a height below all headers that are here says nothing about the block, whatever else is wrong does', () => {
    chain.base = 6n; // a state sync in which nobody had the headers below
    const [older, newer] = [testEvidence(5n), testEvidence(6n)];
    expect(pool.check([newer], 11n)).toBe('good');
    expect(pool.check([older, newer], 11n)).toBe('unknown');
    expect(pool.all()).toEqual([newer]);
    expect(() => pool.check([older, older], 11n)).toThrow(coded('evidence.twice'));
    expect(() => pool.check([older, { ...newer, validatorPower: 9n }], 11n)).toThrow(coded('evidence.power'));
    expect(() => pool.check([testEvidence(12n)], 11n)).toThrow(coded('evidence.unknown_height'));
  });

  it('is proposed oldest first, as much as fits', () => {
    for (const height of [7n, 3n, 5n]) pool.add(testEvidence(height));
    const all = pool.pending(100_000n);
    expect(all.evidence.map(({ timestamp }) => timestamp)).toEqual([timeAt(3n), timeAt(5n), timeAt(7n)]);
    const two = pool.pending((all.bytes * 2n) / 3n + 2n);
    expect(two.evidence).toHaveLength(2);
    expect(pool.pending(10n)).toEqual({ evidence: [], bytes: 0n });
  });

  it('goes when both ages are over, not when only one is', async () => {
    pool.add(testEvidence(10n));
    await advance([], 20n); // 200 seconds, 20 blocks
    expect(pool.size).toBe(1);
    await advance();
    expect(pool.size).toBe(0);
  });
});

describe('over a restart', () => {
  it('what waits and what is committed is known again', async () => {
    const [waits, committed] = [testEvidence(5n), testEvidence(6n)];
    pool.add(waits);
    await advance([committed]);
    await pool.flush();
    pool = await openPool();
    expect(pool.all()).toEqual([waits]);
    expect(() => pool.check([committed], 12n)).toThrow(coded('evidence.committed'));
  });

  it('a block whose evidence was not noted before the crash is gone through', async () => {
    const evidence = testEvidence(5n);
    pool.add(evidence);
    await pool.flush();
    chain.height = 11n;
    chain.evidenceAt.set(11n, [evidence]); // the block is stored, `update` never came
    pool = await openPool();
    expect(pool.size).toBe(0);
    expect(() => pool.check([evidence], 12n)).toThrow(coded('evidence.committed'));
    // Executing the block again is not held against its own evidence.
    expect(() => pool.check([evidence], 11n)).not.toThrow();
  });

  it('blocks of block sync whose evidence was not noted before the crash are gone through', async () => {
    chain.maxAgeNumBlocks = 1_000n;
    const evidence = testEvidence(5n);
    pool.add(evidence);
    await pool.flush();
    chain.evidenceAt.set(11n, [evidence]);
    chain.height = 10n + BigInt(HELD_BLOCKS_MAX); // so many are written together
    pool = await openPool();
    expect(pool.size).toBe(0);
    expect(() => pool.check([evidence], chain.height + 1n)).toThrow(coded('evidence.committed'));
  });

  it('evidence whose bytes are damaged does not stop the node silently', async () => {
    pool.add(testEvidence(5n));
    await pool.flush();
    const batch = database.batch();
    batch.put(Buffer.concat([Buffer.from('P'), evidenceHash(testEvidence(5n))]), Uint8Array.of(1, 2, 3));
    await batch.write();
    await expect(openPool()).rejects.toThrow(/database memory is damaged/);
  });
});

describe('pruning', () => {
  it('keeps the blocks that evidence is judged by', () => {
    expect(pool.keepFrom(9n)).toBe(1n);
  });

  it('lets go what has expired by both ages', async () => {
    await advance([], 90n); // 100: expired are heights below 80, and older than 100 seconds: below 90
    expect(pool.keepFrom(95n)).toBe(80n);
    expect(pool.keepFrom(50n)).toBe(50n);
    chain.base = 40n;
    expect(pool.keepFrom(30n)).toBe(40n);
  });
});
