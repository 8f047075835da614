import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { utf8 } from '../core/bytes.ts';
import { openLevel } from '../store/backend/level.ts';
import { BlockStore } from './blockstore/block-store.ts';
import { openLevelDatabase } from './database.ts';
import { LevelDatabase } from './indexer/level-database.ts';
import { StateStore } from './state/state-store.ts';

let root = '';
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'openledgerd-database-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** A LevelDB with a record, closed. */
async function written(name: string): Promise<string> {
  const directory = join(root, name);
  const database = await openLevelDatabase(directory);
  const batch = database.batch();
  batch.put(utf8('key'), utf8('value'));
  await batch.write({ sync: true });
  await database.close();
  return directory;
}

type Damage = (directory: string, file: string) => void;

const damages: readonly [string, Damage][] = [
  ['has lost its MANIFEST', (dir, file) => file.startsWith('MANIFEST') && rmSync(join(dir, file))],
  [
    'has a damaged MANIFEST',
    (dir, file) => file.startsWith('MANIFEST') && writeFileSync(join(dir, file), 'x'),
  ],
  ['has lost its CURRENT', (dir, file) => file === 'CURRENT' && rmSync(join(dir, file))],
  ['has an empty CURRENT', (dir, file) => file === 'CURRENT' && writeFileSync(join(dir, file), '')],
];

const RESYNC = 'delete all in the data directory but priv_validator_state.json and sync again';

describe.each(damages)('a LevelDB that %s is refused, with the way to repair it', (_, damage) => {
  it.each<[string, (directory: string) => Promise<{ close(): Promise<void> }>, string]>([
    ['application', openLevel, 'restore it from a copy, or remove the directory and let the node sync again'],
    ['block', (directory) => BlockStore.open(directory), RESYNC],
    ['state', (directory) => StateStore.open(directory), RESYNC],
    [
      'index',
      (directory) => LevelDatabase.open(directory),
      'delete the directory: it is rebuilt from the blocks',
    ],
  ])('%s store', async (name, open, repair) => {
    const directory = await written(name);
    for (const file of readdirSync(directory)) damage(directory, file);
    const error = await open(directory).catch((reason: unknown) => reason);
    expect(String(error)).toContain(directory);
    expect(String(error)).toContain(repair);
  });
});

it('a LevelDB whose first start was killed before it had records is made', async () => {
  const directory = join(root, 'new');
  mkdirSync(directory);
  writeFileSync(join(directory, 'MANIFEST-000001'), 'half');
  writeFileSync(join(directory, 'LOCK'), '');
  await (await openLevelDatabase(directory)).close();
});
