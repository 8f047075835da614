import { beforeEach, expect, test } from 'vitest';
import { uint64BigEndian } from '../core/bytes.ts';
import { BlockStore } from './blockstore/block-store.ts';
import { commitKey, metaKey, partKey } from './blockstore/keys.ts';
import { testBlock, testCommit } from './blockstore/testing.ts';
import type { Database } from './database.ts';
import { memoryDatabase } from './evidence/testing.ts';
import { ServedBlocks } from './served-blocks.ts';
import { StateStore } from './state/state-store.ts';

let database: Database;
let served: ServedBlocks;
let told: string[];

beforeEach(async () => {
  database = memoryDatabase();
  const blocks = await BlockStore.open('/data/blockstore.db', async () => database);
  const state = await StateStore.open('/data/state.db', async () => memoryDatabase());
  told = [];
  served = new ServedBlocks({ blocks, state }, { error: (_, message) => told.push(message) });
  for (let height = 1n; height <= 4n; height++) await blocks.save(testBlock(height));
});

async function damage(key: Uint8Array): Promise<void> {
  const batch = database.batch();
  const record = Uint8Array.from(database.getSync(key) ?? []);
  record[0] = (record[0] ?? 0) ^ 1;
  batch.put(key, record);
  await batch.write();
}

test('a damaged block is not there for peers, is claimed no more, and the operator hears of it once', async () => {
  await damage(partKey(2n, 0));
  expect(served.range()).toEqual({ base: 1n, height: 4n });
  for (const _ of [1, 2, 3]) expect(served.blockBytes(2n)).toBeUndefined();
  expect(served.part(2n, 0)).toBeUndefined();
  expect(served.header(2n)?.height).toBe(2n);
  expect(served.blockBytes(3n)).toEqual(uint64BigEndian(3n));
  expect(served.range()).toEqual({ base: 3n, height: 4n });
  expect(told).toHaveLength(1);
  expect(told[0]).toContain('the database /data/blockstore.db is damaged: record 50000000000000000200000000');
  expect(told[0]).toContain('sync again');
});

test('who has nothing sound behind the damage claims nothing', async () => {
  await damage(metaKey(4n));
  expect(served.blockBytes(4n)).toBeUndefined();
  expect(served.range()).toEqual({ base: 0n, height: 0n });
});

test('a block of which a record is gone is claimed no more, and the operator hears of it', async () => {
  const batch = database.batch();
  batch.del(partKey(2n, 0));
  await batch.write();
  for (const _ of [1, 2]) expect(served.blockBytes(2n)).toBeUndefined();
  expect(served.range()).toEqual({ base: 3n, height: 4n });
  expect(served.blockBytes(5n)).toBeUndefined(); // it never was there
  expect(served.range()).toEqual({ base: 3n, height: 4n });
  expect(told).toEqual([expect.stringContaining('block 2 is not whole. To repair it, restore')]);
});

test('a damaged commit is not replaced by another one', async () => {
  await damage(commitKey(2n));
  expect(served.commit(2n)).toBeUndefined();
  expect(served.commit(1n)).toEqual(testCommit(1n));
});
