import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fromHex, toHex, utf8 } from '../../core/bytes.ts';
import { LedgerError } from '../../core/errors.ts';
import type { KeyValue } from '../kv.ts';
import { MemoryMultiStore } from '../multistore.ts';
import type { Backend, BackendWrite, WriteOptions } from './backend.ts';
import { MemoryBackend, type MemoryPairs } from './memory.ts';
import { openMultiStore, type PersistentMultiStore } from './persistent.ts';
import { QUEUED_BATCHES_MAX } from './write-queue.ts';
import { TEST_OPTIONS, writeTestBlock } from './test-blocks.ts';

const options = TEST_OPTIONS;

/** App hashes of versions 1 to `count`, from a store without a disk; index 0 is that of the empty store. */
function expectedHashes(count: number): string[] {
  const memory = new MemoryMultiStore(options);
  const hashes = [toHex(memory.lastCommit.hash)];
  for (let height = 1; height <= count; height++) {
    writeTestBlock(memory, height);
    hashes.push(toHex(memory.commit().hash));
  }
  return hashes;
}

async function commitBlocks(store: PersistentMultiStore, to: number): Promise<void> {
  for (let height = Number(store.lastCommit.version) + 1; height <= to; height++) {
    writeTestBlock(store, height);
    store.commit();
    await store.flush();
    await store.snapshotsIdle();
  }
}

const BLOCKS = 23;
const hashes = expectedHashes(BLOCKS);

function expectAt(store: PersistentMultiStore, version: number): void {
  expect(store.lastCommit.version).toBe(BigInt(version));
  expect(toHex(store.lastCommit.hash)).toBe(hashes[version]);
  expect(toHex(store.workingHash())).not.toBe('');
}

async function databaseOf(blocks: number): Promise<MemoryPairs> {
  const pairs: MemoryPairs = new Map();
  const store = await openMultiStore(new MemoryBackend(pairs), options);
  await commitBlocks(store, blocks);
  await store.close();
  return pairs;
}

describe('restart', () => {
  test('after each block the state is the same and goes on the same', async () => {
    const pairs: MemoryPairs = new Map();
    for (let version = 0; version < BLOCKS; version++) {
      const store = await openMultiStore(new MemoryBackend(pairs), options);
      expectAt(store, version);
      await commitBlocks(store, version + 1);
      await store.close();
    }
  });

  test('random stores, values and restarts equal a store that never stopped', async () => {
    const write = fc.tuple(
      fc.constantFrom('a', 'b'),
      fc.uint8Array({ maxLength: 3 }),
      fc.option(fc.uint8Array({ maxLength: 300 }), { nil: undefined }),
    );
    const block = fc.record({ writes: fc.array(write, { maxLength: 12 }), restart: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(fc.array(block, { maxLength: 12 }), async (blocks) => {
        const pairs: MemoryPairs = new Map();
        const limits = { ...options, snapshotVersions: 3 };
        const memory = new MemoryMultiStore(limits);
        let store = await openMultiStore(new MemoryBackend(pairs), limits);
        for (const { writes, restart } of blocks) {
          for (const target of [memory, store]) {
            const branch = target.branch();
            for (const [name, key, value] of writes) {
              if (value === undefined) branch.store(name).delete(key);
              else branch.store(name).set(key, value);
            }
            branch.write();
          }
          expect(toHex(store.commit().hash)).toBe(toHex(memory.commit().hash));
          if (!restart) continue;
          await store.flush();
          await store.close();
          store = await openMultiStore(new MemoryBackend(pairs), limits);
          for (const name of limits.stores) {
            const list = (pair: KeyValue): string => `${toHex(pair[0])}=${toHex(pair[1])}`;
            const expected = [...memory.reader(name).iterate({})].map(list);
            expect([...store.reader(name).iterate({})].map(list)).toEqual(expected);
          }
        }
        await store.close();
      }),
      { numRuns: 60 },
    );
  });

  test('a chain that starts at a higher height, and stores added and removed by an upgrade', async () => {
    const pairs: MemoryPairs = new Map();
    const before = { ...options, stores: ['a', 'old'], initialVersion: 1000n };
    const first = await openMultiStore(new MemoryBackend(pairs), before);
    const branch = first.branch();
    branch.store('old').set(utf8('k'), utf8('v'));
    branch.store('a').set(utf8('k'), utf8('v'));
    branch.write();
    expect(first.commit().version).toBe(1000n);
    await first.close();
    const upgraded = await openMultiStore(new MemoryBackend(pairs), { ...before, stores: ['a', 'new'] });
    expect(toHex(upgraded.lastCommit.hash)).toBe(toHex(first.lastCommit.hash));
    expect(() => upgraded.reader('old')).toThrow('no store "old"');
    expect(upgraded.at(1000n).reader('old').has(utf8('k'))).toBe(true);
    const added = upgraded.branch();
    added.store('new').set(utf8('k'), utf8('v'));
    added.write();
    const { hash, version } = upgraded.commit();
    expect(version).toBe(1001n);
    await upgraded.close();
    const again = await openMultiStore(new MemoryBackend(pairs), { ...before, stores: ['a', 'new'] });
    expect(toHex(again.lastCommit.hash)).toBe(toHex(hash));
    await again.close();
  });

  test('the disk stays bounded: two snapshots and what follows the older one', async () => {
    const pairs = await databaseOf(BLOCKS);
    const records = [...pairs.values()].map(([key]) => toHex(key));
    const versions = (kind: string): number[] =>
      records.filter((key) => key.startsWith(kind)).map((key) => Number.parseInt(key.slice(2, 18), 16));
    expect([...new Set(versions('73'))].sort((a, b) => a - b)).toEqual([15, 20]);
    expect(versions('63').sort((a, b) => a - b)).toEqual([16, 17, 18, 19, 20, 21, 22, 23]);
  });
});

describe('roll back', () => {
  test('to each version that the disk reaches back to, open or while opening, and on from there', async () => {
    for (let target = 15; target <= BLOCKS; target++) {
      const pairs = await databaseOf(BLOCKS);
      const store = await openMultiStore(new MemoryBackend(pairs), options);
      await store.rollbackTo(BigInt(target));
      expectAt(store, target);
      await store.close();
      const opened = await openMultiStore(new MemoryBackend(pairs), { ...options, rollbackTo: 15n });
      expectAt(opened, 15);
      await commitBlocks(opened, BLOCKS);
      expectAt(opened, BLOCKS);
      await opened.close();
    }
  });

  test('further back is refused and changes nothing; 0 empties the store', async () => {
    const pairs = await databaseOf(BLOCKS);
    const store = await openMultiStore(new MemoryBackend(pairs), options);
    await expect(store.rollbackTo(14n)).rejects.toMatchObject({ code: 'store.version_missing' });
    expectAt(store, BLOCKS);
    await expect(store.rollbackTo(99n)).rejects.toThrow('the nearest that the database has is 23');
    await store.rollbackTo(0n);
    expectAt(store, 0);
    await commitBlocks(store, 3);
    expectAt(store, 3);
    await store.close();
  });
});

/**
 * Fails from the n-th write on, as a disk or a process does that stops; the failing batch is kept or lost.
 */
class StoppingBackend implements Backend {
  readonly #inner: Backend;
  readonly #stopAt: number;
  readonly #keepsLast: boolean;
  writes = 0;

  constructor(inner: Backend, stopAt: number, keepsLast: boolean) {
    this.#inner = inner;
    this.#stopAt = stopAt;
    this.#keepsLast = keepsLast;
  }

  async get(key: Uint8Array): Promise<Uint8Array | undefined> {
    return this.#inner.get(key);
  }

  iterate(range: Parameters<Backend['iterate']>[0]): AsyncIterable<KeyValue> {
    return this.#inner.iterate(range);
  }

  keys(range: Parameters<Backend['keys']>[0]): AsyncIterable<Uint8Array> {
    return this.#inner.keys(range);
  }

  async write(batch: readonly BackendWrite[], writeOptions: WriteOptions): Promise<void> {
    this.writes++;
    if (this.writes < this.#stopAt) return this.#inner.write(batch, writeOptions);
    if (this.writes === this.#stopAt && this.#keepsLast) await this.#inner.write(batch, writeOptions);
    throw new LedgerError('store.disk', 'the power is gone');
  }

  async close(): Promise<void> {
    await this.#inner.close();
  }
}

/** Runs until the backend stops; returns the last version known to be durable. */
async function runUntilStopped(
  backend: Backend,
  work: (store: PersistentMultiStore) => Promise<void>,
): Promise<number> {
  let durable = 0;
  try {
    const store = await openMultiStore(backend, options);
    durable = Number(store.lastCommit.version);
    for (let height = durable + 1; height <= BLOCKS; height++) {
      writeTestBlock(store, height);
      store.commit();
      await store.flush();
      durable = height;
      await store.snapshotsIdle();
    }
    await work(store);
    await store.close();
  } catch (error) {
    expect(error).toMatchObject({ code: 'store.disk' });
  }
  return durable;
}

describe.each([true, false])('a crash at any write (the write under way is kept: %s)', (keepsLast) => {
  test('while blocks are committed leaves the last durable version', async () => {
    const whole = new StoppingBackend(new MemoryBackend(), Number.POSITIVE_INFINITY, true);
    expect(await runUntilStopped(whole, async () => {})).toBe(BLOCKS);
    expect(whole.writes).toBeGreaterThan(BLOCKS + 10);
    for (let stopAt = 1; stopAt <= whole.writes; stopAt++) {
      const pairs: MemoryPairs = new Map();
      const durable = await runUntilStopped(
        new StoppingBackend(new MemoryBackend(pairs), stopAt, keepsLast),
        async () => {},
      );
      const store = await openMultiStore(new MemoryBackend(pairs), options);
      const version = Number(store.lastCommit.version);
      expect([durable, durable + 1]).toContain(version);
      expectAt(store, version);
      await commitBlocks(store, BLOCKS);
      expectAt(store, BLOCKS);
      await store.close();
    }
  });

  test('while a roll back deletes leaves a version between the two', async () => {
    const start = await databaseOf(BLOCKS);
    for (let stopAt = 1; stopAt <= 4; stopAt++) {
      const pairs: MemoryPairs = new Map(start);
      await runUntilStopped(new StoppingBackend(new MemoryBackend(pairs), stopAt, keepsLast), (store) =>
        store.rollbackTo(16n),
      );
      const store = await openMultiStore(new MemoryBackend(pairs), options);
      const version = Number(store.lastCommit.version);
      expect(version).toBeGreaterThanOrEqual(16);
      expectAt(store, version);
      await store.close();
    }
  });
});

test('a crash between the batches of a long roll back leaves versions without a gap', async () => {
  const long = { stores: ['a'], snapshotVersions: 100_000 };
  const pairs: MemoryPairs = new Map();
  const store = await openMultiStore(new MemoryBackend(pairs), long);
  for (let version = 1; version <= 2100; version++) {
    store.commit();
    await store.flush();
  }
  await store.close();
  const stopping = new StoppingBackend(new MemoryBackend(pairs), 2, false);
  const rollback = openMultiStore(stopping, { ...long, rollbackTo: 10n });
  await expect(rollback).rejects.toMatchObject({ code: 'store.disk' });
  const again = await openMultiStore(new MemoryBackend(pairs), long);
  expect(again.lastCommit.version).toBe(1100n);
  await again.close();
});

/** Lets a write through only when told to, but for the first, as a slow disk does. */
class SlowBackend extends MemoryBackend {
  readonly #waiting: (() => void)[] = [];
  slow = false;

  override async write(batch: readonly BackendWrite[], writeOptions: WriteOptions): Promise<void> {
    if (this.slow) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    await super.write(batch, writeOptions);
  }

  /** Lets the writes that wait now through; returns how many. */
  release(): number {
    const released = this.#waiting.splice(0);
    for (const resolve of released) resolve();
    return released.length;
  }
}

test('a disk that does not keep up is an error before memory runs out', async () => {
  const backend = new SlowBackend();
  const store = await openMultiStore(backend, { stores: ['a'], snapshotVersions: 100_000 });
  backend.slow = true;
  expect(() => {
    for (let version = 1; version <= 2 * QUEUED_BATCHES_MAX; version++) store.commit();
  }).toThrow('1024 versions wait for the disk');
  backend.slow = false;
  backend.release();
  await store.flush();
  expect(store.commit().version).toBe(BigInt(QUEUED_BATCHES_MAX + 2));
  await store.close();
});

test('a snapshot that is written while blocks go on is of its own version', async () => {
  const pairs: MemoryPairs = new Map();
  const backend = new SlowBackend(pairs);
  const store = await openMultiStore(backend, { ...options, keepVersions: 2, snapshotVersions: 15 });
  await commitBlocks(store, 14);
  backend.slow = true;
  for (let height = 15; height <= BLOCKS; height++) {
    writeTestBlock(store, height);
    store.commit();
  }
  expect(store.versions()).toEqual({ earliest: 15n, latest: BigInt(BLOCKS) });
  backend.slow = false;
  expect(backend.release()).toBe(1);
  await store.flush();
  await store.snapshotsIdle();
  expect(store.versions()).toEqual({ earliest: BigInt(BLOCKS - 1), latest: BigInt(BLOCKS) });
  await store.close();
  expect([...pairs.keys()].filter((text) => text.startsWith('s')).length).toBeGreaterThan(1);
  const back = await openMultiStore(new MemoryBackend(pairs), { ...options, rollbackTo: 15n });
  expectAt(back, 15);
  await commitBlocks(back, BLOCKS);
  expectAt(back, BLOCKS);
  await back.close();
});

test('after a failed write the store refuses to go on and says why', async () => {
  const backend = new StoppingBackend(new MemoryBackend(), 3, false);
  const store = await openMultiStore(backend, options);
  await commitBlocks(store, 1);
  writeTestBlock(store, 2);
  store.commit();
  await expect(store.flush()).rejects.toThrow('the power is gone');
  expect(() => store.commit()).toThrow('nothing that was committed before is lost');
  expect(backend.writes).toBe(3);
});

describe('a damaged database', () => {
  test('one flipped byte anywhere is noticed, named, and repaired by rolling back', async () => {
    const start = await databaseOf(BLOCKS);
    for (const [text, [key, value]] of start) {
      if (key[0] === 0x66 || toHex(key).startsWith('73000000000000000f')) continue;
      for (const at of [0, value.length >> 1, value.length - 1]) {
        const damaged = Uint8Array.from(value, (byte, i) => (i === at ? byte ^ 4 : byte));
        const pairs: MemoryPairs = new Map(start).set(text, [key, damaged]);
        const isOld = key[0] === 0x63 && Number(BigInt(`0x${toHex(key).slice(2)}`)) <= 20;
        if (isOld) {
          // Not read at a restart: the snapshot of version 20 stands for it.
          await (await openMultiStore(new MemoryBackend(pairs), options)).close();
          continue;
        }
        const error = await openMultiStore(new MemoryBackend(pairs), options).catch((each) => each);
        expect(error).toMatchObject({ code: 'store.corrupt' });
        expect(error.message).toMatch(
          /(change set|snapshot) of version \d+.*Roll the state back to version \d+/,
        );
        const rollbackTo = BigInt(error.facts.rollbackTo);
        const repaired = await openMultiStore(new MemoryBackend(pairs), { ...options, rollbackTo });
        expectAt(repaired, Number(rollbackTo));
        await commitBlocks(repaired, BLOCKS);
        expectAt(repaired, BLOCKS);
        await repaired.close();
      }
    }
  });

  test('a missing or misplaced change set is a gap, not another state', async () => {
    const start = await databaseOf(BLOCKS);
    const keyOf = (version: number): string =>
      [...start.keys()].find((text) => start.get(text)?.[0][8] === version && text.startsWith('c')) ?? '';
    const missing = new Map(start);
    missing.delete(keyOf(22));
    await expect(openMultiStore(new MemoryBackend(missing), options)).rejects.toThrow(
      'change set of version 23: it follows version 22, but the last one is 21',
    );
    const misplaced = new Map(start);
    const [key] = start.get(keyOf(22)) ?? [utf8('')];
    misplaced.set(keyOf(22), [key, start.get(keyOf(21))?.[1] ?? utf8('')]);
    await expect(openMultiStore(new MemoryBackend(misplaced), options)).rejects.toThrow('checksum');
  });

  test('another format or another program’s database is refused', async () => {
    const other: MemoryPairs = new Map([['x', [utf8('x'), utf8('y')]]]);
    await expect(openMultiStore(new MemoryBackend(other), options)).rejects.toMatchObject({
      code: 'store.format',
    });
    const future: MemoryPairs = new Map([['f', [fromHex('66'), utf8('2')]]]);
    await expect(openMultiStore(new MemoryBackend(future), options)).rejects.toThrow('has format "2"');
  });
});
