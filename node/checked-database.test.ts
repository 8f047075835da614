import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { EMPTY_BYTES, toHex, utf8 } from '../core/bytes.ts';
import { BlockStore } from './blockstore/block-store.ts';
import { metaKey, RANGE_KEY } from './blockstore/keys.ts';
import { testBlock, testCommit } from './blockstore/testing.ts';
import { openChecked } from './checked-database.ts';
import { corruptRecord, openRecord, SYNC_AGAIN, sealRecord } from './checksum.ts';
import { type Database, openLevelDatabase } from './database.ts';

const PLACE = { directory: '/data/some.db', repair: 'do what is right' };

/** A database in memory whose records can be changed. */
function rawDatabase(): Database & { readonly records: Map<string, Uint8Array> } {
  const records = new Map<string, Uint8Array>();
  return {
    records,
    getSync: (key) => records.get(toHex(key)),
    batch: () => ({
      put: (key, value) => records.set(toHex(key), value),
      del: (key) => records.delete(toHex(key)),
      write: async () => undefined,
    }),
    close: async () => undefined,
  };
}

function flipped(bytes: Uint8Array, bit: number): Uint8Array {
  const changed = Uint8Array.from(bytes);
  changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  return changed;
}

describe('a checksum', () => {
  const key = utf8('key');
  const record = sealRecord(key, utf8('value'));

  test('notices each bit of key and value, a byte between them, and bytes that are missing', () => {
    expect(openRecord(key, record, PLACE)).toEqual(utf8('value'));
    for (let bit = 0; bit < 8 * record.length; bit++)
      expect(() => openRecord(key, flipped(record, bit), PLACE)).toThrow('checksum does not fit');
    for (let bit = 0; bit < 8 * key.length; bit++)
      expect(() => openRecord(flipped(key, bit), record, PLACE)).toThrow('checksum does not fit');
    const moved = Buffer.concat([utf8('y'), record]);
    expect(() => openRecord(utf8('ke'), moved, PLACE)).toThrow('checksum does not fit');
    for (let length = 4; length < record.length; length++)
      expect(() => openRecord(key, record.subarray(0, length), PLACE)).toThrow('checksum does not fit');
    expect(() => openRecord(key, record.subarray(0, 3), PLACE)).toThrow('no checksum');
  });

  test('belongs to an empty value, too', () => {
    const empty = sealRecord(key, EMPTY_BYTES);
    expect(openRecord(key, empty, PLACE)).toHaveLength(0);
    expect(() => openRecord(utf8('kez'), empty, PLACE)).toThrow('checksum does not fit');
  });

  test('that does not fit is told with directory, record and repair', () => {
    expect(() => openRecord(key, flipped(record, 0), PLACE)).toThrow(
      expect.objectContaining({
        code: 'database.corrupt',
        message:
          'the database /data/some.db is damaged: record 6b6579: its checksum does not fit. Its disk may be failing. ' +
          'To repair it, do what is right',
      }),
    );
  });
});

describe('a block store', () => {
  async function readAll(database: Database): Promise<unknown> {
    const store = await BlockStore.open('/data/blockstore.db', async () => database);
    const { hash } = testCommit(1n).blockId;
    return [store.range(), store.blockBytes(1n), store.heightOf(hash), store.commit(1n)];
  }

  test('never gives what a turned bit has made of a record', async () => {
    const database = rawDatabase();
    const store = await BlockStore.open('/data/blockstore.db', async () => database);
    await store.save(testBlock(1n));
    await expect(readAll(database)).resolves.toHaveLength(4);
    expect(database.records.size).toBe(6);
    let bits = 0;
    for (const [key, record] of database.records) {
      for (let bit = 0; bit < 8 * record.length; bit++, bits++) {
        database.records.set(key, flipped(record, bit));
        await expect(readAll(database)).rejects.toMatchObject({
          code: 'database.corrupt',
          facts: { directory: '/data/blockstore.db', record: key },
        });
      }
      database.records.set(key, record);
    }
    expect(bits).toBeGreaterThan(2_000);
  });

  test('without checksums is of an older version, and refused', async () => {
    const database = rawDatabase();
    database.records.set(toHex(RANGE_KEY), new Uint8Array(16));
    await expect(readAll(database)).rejects.toMatchObject({
      code: 'database.format',
      message:
        'the database /data/blockstore.db was written by another version of this program, whose records have no ' +
        `checksums: run that version on it; or ${SYNC_AGAIN}`,
    });
  });

  test('is opened once more after it was made and left empty', async () => {
    const database = rawDatabase();
    await readAll(database);
    await expect(readAll(database)).resolves.toEqual([
      { base: 0n, height: 0n },
      undefined,
      undefined,
      undefined,
    ]);
  });
});

describe('in LevelDB', () => {
  const directory = mkdtempSync(join(tmpdir(), 'checked-'));
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  test('a record survives a restart, and a changed one is named', async () => {
    const store = await BlockStore.open(directory);
    await store.save(testBlock(1n));
    await store.close();
    const raw = await openLevelDatabase(directory);
    const batch = raw.batch();
    batch.put(metaKey(1n), flipped(raw.getSync(metaKey(1n)) ?? EMPTY_BYTES, 100));
    await batch.write();
    await raw.close();
    const again = await BlockStore.open(directory);
    expect(again.commit(1n)).toEqual(testCommit(1n));
    expect(() => again.meta(1n)).toThrow(`record ${toHex(metaKey(1n))}`);
    await again.close();
  });

  test('what LevelDB finds by itself is damage of that record', async () => {
    const database = { ...rawDatabase(), getSync: () => undefined };
    const checked = await openChecked({ ...PLACE, witnesses: [] }, async () => database);
    Object.assign(database, {
      getSync: () => {
        throw new Error('Corruption: corrupted compressed block contents');
      },
    });
    const reason = 'Corruption: corrupted compressed block contents';
    expect(() => checked.getSync(utf8('key'))).toThrow(corruptRecord(utf8('key'), PLACE, reason).message);
  });
});
