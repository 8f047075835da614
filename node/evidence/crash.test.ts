/**
 * A node is ended at each of its writes in turn, by a kill and by a power cut: afterwards what it knew of two
 * conflicting votes is a pair of them, evidence that waits, or evidence in a block.
 */
import { describe, expect, it } from 'vitest';
import type { Database } from '../database.ts';
import { EvidencePool } from './evidence-pool.ts';
import { EvidenceStore } from './evidence-store.ts';
import { memoryDatabase, quiet, TestChain, testConflict, testEvidence, testVerify } from './testing.ts';

type Ending = 'kill' | 'power cut';

interface Batch {
  readonly puts: [Uint8Array, Uint8Array | undefined][];
  readonly sync: boolean;
}

/** Keeps every batch; from some write on nobody hears of writes any more, or they fail. */
class MortalDisk {
  readonly batches: Batch[] = [];
  readonly #diesAt: number;
  /** The last write reaches the disk, and nobody hears of it. */
  readonly #isWritten: boolean;
  writes = 0;

  constructor(diesAt: number, isWritten: boolean) {
    this.#diesAt = diesAt;
    this.#isWritten = isWritten;
  }

  get isDead(): boolean {
    return this.writes >= this.#diesAt;
  }

  open(): Database {
    const memory = memoryDatabase();
    return {
      getSync: (key) => memory.getSync(key),
      batch: () => {
        const puts: Batch['puts'] = [];
        const batch = memory.batch();
        return {
          put: (key, value) => {
            puts.push([key, value]);
            batch.put(key, value);
          },
          del: (key) => {
            puts.push([key, undefined]);
            batch.del(key);
          },
          write: async ({ sync = false } = {}) => {
            const isLast = !this.isDead && ++this.writes === this.#diesAt;
            if (!this.isDead || (isLast && this.#isWritten)) this.batches.push({ puts, sync });
            if (this.isDead) return new Promise<void>(() => undefined);
            await batch.write({ sync });
          },
        };
      },
      close: async () => undefined,
    };
  }

  /** What the next process finds. */
  async left(how: Ending): Promise<Database> {
    const synced = this.batches.findLastIndex(({ sync }) => sync) + 1;
    const kept = how === 'kill' ? this.batches : this.batches.slice(0, synced);
    const database = memoryDatabase();
    for (const { puts } of kept) {
      const batch = database.batch();
      for (const [key, value] of puts) value === undefined ? batch.del(key) : batch.put(key, value);
      await batch.write();
    }
    return database;
  }
}

async function openPool(database: Database, chain: TestChain): Promise<EvidencePool> {
  const store = await EvidenceStore.open('memory', async () => database);
  return EvidencePool.open({ store, chain, verify: testVerify, log: quiet }, chain.state());
}

const EVIDENCE = testEvidence(11n);
const { first, second } = testConflict(11n);
/** Height 11 has ended in the log: its votes are not replayed. */
interface Log {
  isEnded: boolean;
}

/** The life of a node: it hears of two votes at height 11, decides it, and puts the evidence in block 12. */
async function live(disk: MortalDisk, chain: TestChain, log: Log): Promise<void> {
  const pool = await openPool(disk.open(), chain);
  pool.conflictingVotes(first, second);
  await pool.conflictsSaved();
  log.isEnded = true;
  chain.height = 11n;
  await pool.update(chain.state(), []);
  chain.height = 12n;
  chain.evidenceAt.set(12n, [EVIDENCE]);
  await pool.update(chain.state(), [EVIDENCE]);
}

/** Everything that can go on has. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 200; turn++) await Promise.resolve();
}

/** What the next process makes of it; without the log when the height had ended there. */
async function evidenceAfter(disk: MortalDisk, how: Ending, { chain, log }: { chain: TestChain; log: Log }) {
  const pool = await openPool(await disk.left(how), chain);
  if (!log.isEnded) pool.conflictingVotes(first, second); // replayed
  if (chain.height === 10n) {
    chain.height = 11n;
    await pool.update(chain.state(), []);
  }
  return pool;
}

const WRITES_MAX = 20;

describe('two conflicting votes', () => {
  for (const how of ['kill', 'power cut'] as const) {
    for (const isWritten of [false, true]) {
      const when = isWritten ? 'after' : 'before';
      it(`are not lost by a ${how} just ${when} any write`, async () => {
        let wasEnded = 0;
        for (let diesAt = 1; diesAt < WRITES_MAX; diesAt++) {
          const chain = new TestChain(10n);
          const log: Log = { isEnded: false };
          const disk = new MortalDisk(diesAt, isWritten);
          void live(disk, chain, log);
          await settled();
          if (!disk.isDead) {
            expect(wasEnded).toBeGreaterThan(1); // some ends came between the mark and the block
            return;
          }
          if (log.isEnded) wasEnded++;
          const pool = await evidenceAfter(disk, how, { chain, log });
          const isInBlock = chain.evidenceAt.has(12n);
          expect(pool.all(), `write ${diesAt}`).toEqual(isInBlock ? [] : [EVIDENCE]);
          if (isInBlock) expect(() => pool.check([EVIDENCE], 13n)).toThrow('in a block already');
        }
        expect.fail('the node never came to the end');
      });
    }
  }

  it('for which there is no room wait over a restart', async () => {
    const chain = new TestChain(10n);
    const disk = new MortalDisk(WRITES_MAX, false);
    const pool = await openPool(disk.open(), chain);
    const later = testConflict(12n);
    pool.conflictingVotes(later.first, later.second);
    await pool.conflictsSaved();
    const next = await openPool(await disk.left('power cut'), chain);
    expect(next.size).toBe(0);
    chain.height = 12n;
    await next.update(chain.state(), []);
    expect(next.all()).toEqual([testEvidence(12n)]);
  });

  it('that cannot be written keep the height from ending', async () => {
    const memory = memoryDatabase();
    let isFull = false;
    const database: Database = {
      ...memory,
      batch: () => {
        const batch = memory.batch();
        const write = async (options?: { readonly sync?: boolean }): Promise<void> => {
          if (isFull) throw new Error('ENOSPC');
          await batch.write(options);
        };
        return { ...batch, write };
      },
    };
    const pool = await openPool(database, new TestChain(10n));
    isFull = true;
    pool.conflictingVotes(first, second);
    await expect(pool.conflictsSaved()).rejects.toThrow('ENOSPC');
    isFull = false;
    await pool.conflictsSaved();
    const chain = new TestChain(11n);
    expect((await openPool(memory, chain)).all()).toEqual([EVIDENCE]);
  });
});
