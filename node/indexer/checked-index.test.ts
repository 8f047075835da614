import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { EMPTY_BYTES } from '../../core/bytes.ts';
import { checkedIndex } from './checked-index.ts';
import { ALL_ENTRIES } from './keys.ts';
import { LevelDatabase } from './level-database.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'checked-index-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const FIRST = { key: Uint8Array.of(2, 1), value: Uint8Array.of(7) };
const SECOND = { key: Uint8Array.of(2, 2), value: EMPTY_BYTES };

test('an entry that was changed is named by reads and searches, the others are there', async () => {
  const raw = await LevelDatabase.open(directory);
  const index = await checkedIndex(raw, directory);
  await index.write([FIRST, SECOND]);
  expect(await index.get(FIRST.key)).toEqual(FIRST.value);
  const found: number[] = [];
  for await (const [key, value] of index.entries(ALL_ENTRIES)) found.push(key[1] ?? 0, value.length);
  expect(found).toEqual([1, 1, 2, 0]);
  const record = Uint8Array.from((await raw.get(SECOND.key)) ?? []);
  record[0] = (record[0] ?? 0) ^ 4;
  await raw.write([{ key: SECOND.key, value: record }]);
  expect(await index.get(FIRST.key)).toBeDefined();
  const damage = { code: 'database.corrupt', message: expect.stringContaining(`delete ${directory}`) };
  await expect(index.get(SECOND.key)).rejects.toMatchObject(damage);
  const search = async (): Promise<void> => {
    for await (const _ of index.entries(ALL_ENTRIES));
  };
  await expect(search()).rejects.toMatchObject(damage);
  await index.close();
});

test('an index without checksums is refused, a new one is not', async () => {
  const old = await LevelDatabase.open(directory);
  await old.write([FIRST]);
  await expect(checkedIndex(old, directory)).rejects.toMatchObject({ code: 'database.format' });
  rmSync(directory, { recursive: true });
  for (const _ of ['made', 'opened again'])
    await (await checkedIndex(await LevelDatabase.open(directory), directory)).close();
});
