import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { EMPTY_COMMIT } from '../../consensus/types/commit.ts';
import { equalBlockId } from '../../consensus/types/block-id.ts';
import { partsOf } from '../../consensus/types/part-set.ts';
import { toHex, uint64BigEndian } from '../../core/bytes.ts';
import { defined } from '../../core/errors.ts';
import { sha256 } from '../../core/hash.ts';
import { BlockMeta, Header } from '../../proto/gen/tendermint/types/types.ts';
import { type DatabaseBatch, openLevelDatabase } from '../database.ts';
import { BlockStore } from './block-store.ts';

it('gives back the meta, the id and the height of a block that was stored, also after a restart', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'openledgerd-blocks-'));
  const hash = new Uint8Array(32).fill(7);
  const blockId = { hash, partSetHeader: { total: 0, hash: new Uint8Array(32).fill(8) } };
  const meta = BlockMeta.create({ blockId, header: Header.create({ height: 1n, chainId: 'c' }), numTxs: 2n });
  const first = await BlockStore.open(directory);
  await first.save({ meta, parts: [], lastCommit: undefined, seenCommit: EMPTY_COMMIT });
  expect(toHex(BlockMeta.encode(defined(first.meta(1n), 'meta')))).toBe(toHex(BlockMeta.encode(meta)));
  await first.close();
  const second = await BlockStore.open(directory);
  expect(equalBlockId(defined(second.blockId(1n), 'id'), blockId)).toBe(true);
  expect(second.heightOf(hash)).toBe(1n);
  expect(second.meta(2n)).toBeUndefined();
  await second.close();
  rmSync(directory, { recursive: true });
});

const meta = (height: bigint): BlockMeta => {
  const partSetHeader = { total: 1, hash: new Uint8Array(32).fill(8) };
  const blockId = { hash: sha256(uint64BigEndian(height)), partSetHeader };
  return BlockMeta.create({ blockId, header: Header.create({ height }), numTxs: 0n });
};

async function storeOf(blocks: number): Promise<{ store: BlockStore; directory: string }> {
  const directory = mkdtempSync(join(tmpdir(), 'blocks-'));
  const store = await BlockStore.open(directory);
  const parts = partsOf(Uint8Array.of(1, 2, 3)).parts;
  for (let height = 1n; height <= BigInt(blocks); height++) {
    await store.save({ meta: meta(height), parts, lastCommit: EMPTY_COMMIT, seenCommit: EMPTY_COMMIT });
  }
  return { store, directory };
}

it('keeps blocks without gaps, and pruning moves the lower end but never takes the last block', async () => {
  const { store, directory } = await storeOf(250);
  await expect(
    store.save({ meta: meta(300n), parts: [], lastCommit: undefined, seenCommit: EMPTY_COMMIT }),
  ).rejects.toThrow('in order');
  expect(await store.prune(231n)).toBe(230);
  expect(store.range()).toEqual({ base: 231n, height: 250n });
  expect(store.meta(230n)).toBeUndefined();
  expect(store.part(230n, 0)).toBeUndefined();
  expect(store.heightOf(sha256(uint64BigEndian(230n)))).toBeUndefined();
  expect(store.canonicalCommit(230n)).toBeDefined(); // the last commit of the lowest block
  expect(Array.from(store.blockBytes(231n) ?? [])).toEqual([1, 2, 3]);
  expect(await store.prune(1_000n)).toBe(19);
  expect(store.range()).toEqual({ base: 250n, height: 250n });
  await store.removeHighest();
  expect(store.range()).toEqual({ base: 0n, height: 0n });
  await store.close();
  rmSync(directory, { recursive: true });
});

it('promises no block while it deletes it, and all again when that fails', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'blocks-'));
  let duringWrite: (() => void) | undefined;
  const store = await BlockStore.open(directory, async (at) => {
    const database = await openLevelDatabase(at);
    const batch = (): DatabaseBatch => {
      const inner = database.batch();
      const write = async (options: { readonly sync?: boolean } = {}): Promise<void> => {
        duringWrite?.();
        await inner.write(options);
      };
      return { put: (key, value) => inner.put(key, value), del: (key) => inner.del(key), write };
    };
    return { getSync: (key) => database.getSync(key), batch, close: () => database.close() };
  });
  for (let height = 1n; height <= 10n; height++) {
    await store.save({ meta: meta(height), parts: [], lastCommit: undefined, seenCommit: EMPTY_COMMIT });
  }
  duringWrite = () => {
    throw new Error('no space left');
  };
  await expect(store.prune(5n)).rejects.toThrow('no space left');
  expect(store.range().base).toBe(1n);
  const promised: bigint[] = [];
  duringWrite = () => promised.push(store.range().base);
  await store.prune(5n);
  expect(promised).toEqual([5n]);
  await store.close();
  rmSync(directory, { recursive: true });
});

it('reads some bytes of a block from the parts that hold them', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'blocks-'));
  const store = await BlockStore.open(directory);
  const bytes = Uint8Array.from({ length: 150_000 }, (_, i) => i % 251);
  const { header, parts } = partsOf(bytes);
  const stored = { ...meta(1n), blockId: { ...meta(1n).blockId, partSetHeader: header } };
  await store.save({ meta: stored, parts, lastCommit: undefined, seenCommit: EMPTY_COMMIT });
  const places = [
    [0, 10],
    [65_530, 6],
    [65_530, 70_000],
    [131_072, 5],
    [149_999, 1],
    [7, 0],
  ] as const;
  for (const [offset, length] of places) {
    expect(toHex(store.slice(1n, offset, length) ?? Uint8Array.of(1))).toBe(
      toHex(bytes.subarray(offset, offset + length)),
    );
  }
  expect(store.slice(1n, 149_999, 2)).toBeUndefined();
  expect(store.slice(1n, 200_000, 1)).toBeUndefined();
  expect(store.slice(2n, 0, 1)).toBeUndefined();
  await store.close();
  rmSync(directory, { recursive: true });
});

it('says in one sentence that it is in use, or damaged, and what to do', async () => {
  const { store, directory } = await storeOf(1);
  await expect(BlockStore.open(directory)).rejects.toThrow('Is another node running on this home?');
  await store.close();
  writeFileSync(join(directory, 'CURRENT'), 'MANIFEST-999999\n');
  await expect(BlockStore.open(directory)).rejects.toThrow('restore them from a copy');
  rmSync(directory, { recursive: true });
});
