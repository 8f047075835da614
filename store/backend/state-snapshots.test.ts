/** Snapshots for other nodes: written, kept, damaged, and restored into an empty store. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { defined } from '../../core/errors.ts';
import { concatBytes, toHex, utf8 } from '../../core/bytes.ts';
import { sha256 } from '../../core/hash.ts';
import { MemoryMultiStore } from '../multistore.ts';
import { MemoryBackend, type MemoryPairs } from './memory.ts';
import { openMultiStore, type PersistentMultiStore } from './persistent.ts';
import { checkStateSnapshot, chunkHashOf, StateSnapshots } from './state-snapshots.ts';
import { TEST_OPTIONS, writeTestBlock } from './test-blocks.ts';

const root = mkdtempSync(join(tmpdir(), 'state-snapshots-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

let folders = 0;
const newFolder = (): string => join(root, `folder${folders++}`);

interface Opened {
  readonly directory: string;
  readonly snapshots: StateSnapshots;
  readonly warnings: string[];
}

/** Tiny chunks, so that there are many. */
async function openSnapshots(directory: string, keepRecent = 2): Promise<Opened> {
  const warnings: string[] = [];
  const log = {
    info: () => undefined,
    warn: (_facts: unknown, message: string) => void warnings.push(message),
  };
  return {
    directory,
    warnings,
    snapshots: await StateSnapshots.open({ directory, keepRecent, chunkBytes: 100, log }),
  };
}

const newStore = (pairs: MemoryPairs = new Map()): Promise<PersistentMultiStore> =>
  openMultiStore(new MemoryBackend(pairs), TEST_OPTIONS);

function commit(store: PersistentMultiStore, to: number): void {
  for (let height = Number(store.lastCommit.version) + 1; height <= to; height++) {
    writeTestBlock(store, height);
    store.commit();
  }
}

/** A big value makes several chunks: pieces are cut at 256 KiB. */
async function bigStore(): Promise<PersistentMultiStore> {
  const store = await newStore();
  const branch = store.branch();
  for (let i = 0; i < 6; i++) branch.store('a').set(utf8(`big${i}`), new Uint8Array(200_000).fill(i));
  branch.write();
  store.commit();
  commit(store, 8);
  return store;
}

async function chunksOf({ snapshots }: Opened): Promise<Uint8Array[]> {
  const snapshot = defined(snapshots.list()[0], 'snapshot');
  const chunks: Uint8Array[] = [];
  for (let index = 0; index < snapshot.chunks; index++)
    chunks.push(defined(await snapshots.chunk({ ...snapshot, index }), 'chunk'));
  return chunks;
}

test('a version is written while later ones are committed, and restored with the same app hash', async () => {
  const store = await bigStore();
  const opened = await openSnapshots(newFolder());
  const { hash } = store.lastCommit;
  expect(opened.snapshots.make(8n, store.exportVersion(8n))).toBe(true);
  expect(opened.snapshots.make(8n, store.exportVersion(8n))).toBe(false);
  for (let to = 9; to < 30; to++) {
    commit(store, to);
    await store.flush();
  }
  await opened.snapshots.idle();
  const snapshot = checkStateSnapshot(defined(opened.snapshots.list()[0], 'snapshot'));
  expect(snapshot.height).toBe(8n);
  expect(snapshot.chunks).toBeGreaterThan(2);
  const chunks = await chunksOf(opened);
  expect(chunks.map((chunk) => toHex(sha256(chunk)))).toEqual(
    chunks.map((_, index) => toHex(chunkHashOf(snapshot, index))),
  );

  const pairs: MemoryPairs = new Map();
  const other = await newStore(pairs);
  const restore = await other.beginRestore(8n);
  for (const chunk of chunks) await restore.add(chunk);
  await restore.finish(hash);
  expect(other.lastCommit).toEqual({ version: 8n, hash });
  commit(other, 29);
  expect(toHex(other.lastCommit.hash)).toBe(toHex(store.lastCommit.hash));
  await other.close();
  const reopened = await newStore(pairs);
  expect(reopened.lastCommit).toEqual(store.lastCommit);
  await expect(reopened.beginRestore(8n)).rejects.toThrow('only an empty one');
});

test('a snapshot that is not of the expected app hash leaves nothing, and the store can be restored again', async () => {
  const store = await bigStore();
  const opened = await openSnapshots(newFolder());
  opened.snapshots.make(8n, store.exportVersion(8n));
  await opened.snapshots.idle();
  const chunks = await chunksOf(opened);
  const pairs: MemoryPairs = new Map();
  const victim = await newStore(pairs);
  const forged = await victim.beginRestore(8n);
  for (const chunk of chunks) await forged.add(chunk);
  await expect(forged.finish(sha256(utf8('the right one')))).rejects.toMatchObject({
    code: 'store.hash_mismatch',
  });
  expect(victim.lastCommit.version).toBe(0n);

  const cut = await victim.beginRestore(8n);
  await cut.add(defined(chunks[0], 'chunk'));
  await expect(cut.add(Uint8Array.of(9, 9, 9))).rejects.toMatchObject({ code: 'decode' });
  await victim.close();

  const again = await newStore(pairs);
  expect(again.lastCommit.version).toBe(0n);
  const right = await again.beginRestore(8n);
  for (const chunk of chunks) await right.add(chunk);
  await right.finish(store.lastCommit.hash);
  expect(again.lastCommit).toEqual(store.lastCommit);
});

test('only the newest are kept; what a crash has left and what is damaged goes', async () => {
  const store = await bigStore();
  const { snapshots, directory } = await openSnapshots(newFolder());
  for (const height of [9, 10, 11]) {
    commit(store, height);
    snapshots.make(BigInt(height), store.exportVersion(BigInt(height)));
    await snapshots.idle();
  }
  expect(snapshots.list().map(({ height }) => height)).toEqual([11n, 10n]);
  expect(readdirSync(directory).sort()).toEqual(['10', '11']);

  const metadata = join(directory, '10', 'metadata');
  const bytes = readFileSync(metadata);
  writeFileSync(join(directory, '.12.tmp'), 'half');
  writeFileSync(metadata, concatBytes(bytes.subarray(0, 40), Uint8Array.of(1), bytes.subarray(41)));
  const reopened = await openSnapshots(directory);
  expect(reopened.snapshots.list().map(({ height }) => height)).toEqual([11n]);
  expect(readdirSync(directory)).toEqual(['11']);
  expect(reopened.warnings).toHaveLength(1);

  writeFileSync(join(directory, '11', 'chunk-1'), 'other bytes');
  expect(await reopened.snapshots.chunk({ height: 11n, format: 1, index: 0 })).toBeDefined();
  expect(await reopened.snapshots.chunk({ height: 11n, format: 1, index: 1 })).toBeUndefined();
  expect(reopened.snapshots.list()).toEqual([]);
});

test('what was begun when the node stops is given up', async () => {
  const store = await bigStore();
  const { snapshots, directory } = await openSnapshots(newFolder());
  snapshots.make(8n, store.exportVersion(8n));
  await snapshots.close();
  expect(snapshots.list()).toEqual([]);
  expect(readdirSync(directory)).toEqual([]);
  expect(snapshots.make(8n, store.exportVersion(8n))).toBe(false);
});

test('two readers hold a version, and both must let it go', () => {
  const memory = new MemoryMultiStore({ ...TEST_OPTIONS, keepVersions: 2 });
  const next = (height: number): void => {
    writeTestBlock(memory, height);
    memory.commit();
  };
  next(1);
  const [a, b] = [memory.exportVersion(1n), memory.exportVersion(1n)];
  for (let height = 2; height < 6; height++) next(height);
  a.close();
  expect(memory.versions().earliest).toBe(1n);
  expect([...b.chunks].length).toBeGreaterThan(0);
  b.close();
  expect(memory.versions().earliest).toBe(4n);
});

test.each([
  ['format', { format: 2 }],
  ['no chunks', { chunks: 0, metadata: new Uint8Array(0) }],
  ['too many chunks', { chunks: 100_001 }],
  ['missing metadata', { metadata: new Uint8Array(32) }],
  ['hash', { hash: new Uint8Array(32) }],
  ['height', { height: 0n }],
])('an offer with a wrong %s is refused', (_name, wrong) => {
  const metadata = new Uint8Array(64).fill(7);
  const right = { height: 5n, format: 1, chunks: 2, hash: sha256(metadata), metadata };
  expect(checkStateSnapshot(right)).toBe(right);
  expect(() => checkStateSnapshot({ ...right, ...wrong })).toThrow();
});
