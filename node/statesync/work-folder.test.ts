import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { utf8 } from '../../core/bytes.ts';
import { chunksOf, snapshotOf } from './testing.ts';
import { DirectoryFiles } from './work-files.ts';
import { isStateSyncUnfinished, workFolderOf, WorkFolder } from './work-folder.ts';

const snapshot = snapshotOf(5n, chunksOf(5n));
let dataDir = '';
const filesOf = (): DirectoryFiles => new DirectoryFiles(workFolderOf(dataDir));

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'statesync-'));
});
afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

test('plan and chunks are there after a restart; what is damaged or half written is not', async () => {
  const folder = await WorkFolder.over(filesOf());
  expect(await isStateSyncUnfinished(filesOf())).toBe(false);
  await folder.begin(snapshot);
  for (const index of [0, 1, 2]) await folder.save(index, { chunk: utf8(`chunk ${index}`), sender: 'peer' });
  const files = join(dataDir, 'statesync');
  writeFileSync(join(files, 'chunk-1'), 'other bytes');
  writeFileSync(join(files, '.chunk-7.tmp'), 'half');

  const again = await WorkFolder.over(filesOf());
  expect(await isStateSyncUnfinished(filesOf())).toBe(true);
  expect(again.plan).toEqual(snapshot);
  expect([0, 1, 2, 7].map((index) => again.has(index))).toEqual([true, false, true, false]);
  expect(await again.chunk(2)).toEqual({ chunk: utf8('chunk 2'), sender: 'peer' });
  expect(readdirSync(files).sort()).toEqual(['chunk-0', 'chunk-2', 'plan']);
});

test('another snapshot takes the place of the first, the same one goes on', async () => {
  const folder = await WorkFolder.over(filesOf());
  await folder.begin(snapshot);
  await folder.save(3, { chunk: utf8('x'), sender: 'a' });
  await folder.begin({ ...snapshot });
  expect(folder.chunks).toBe(1);
  await folder.begin(snapshotOf(6n, chunksOf(6n)));
  expect(folder.chunks).toBe(0);
  expect(readdirSync(join(dataDir, 'statesync'))).toEqual(['plan']);
  await folder.clear();
  expect(await isStateSyncUnfinished(filesOf())).toBe(false);
});

test('what a peer sent is forgotten from a chunk on', async () => {
  const folder = await WorkFolder.over(filesOf());
  await folder.begin(snapshot);
  for (const [index, sender] of ['a', 'b', 'a', 'b'].entries())
    await folder.save(index, { chunk: utf8('x'), sender });
  await folder.forgetFrom('a', 1);
  expect([0, 1, 2, 3].map((index) => folder.has(index))).toEqual([true, true, false, true]);
});
