/** The light client's database: LevelDB, each record with a checksum (`node/checksum.ts`). */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { LightDatabase } from '../../light/store.ts';
import { CHECKSUMS_KEY, openRecord, requireChecksums, sealWrites } from '../../node/checksum.ts';
import type { Backend } from '../../store/backend/backend.ts';
import { openLevel } from '../../store/backend/level.ts';

const DATABASE = 'light.db';

/**
 * Opens or makes the database in a directory of the light client.
 * @throws LedgerError `store.*`, `database.format`, `database.corrupt`
 */
export async function openLightDatabase(
  home: string,
): Promise<{ readonly database: LightDatabase; readonly close: () => Promise<void> }> {
  mkdirSync(home, { recursive: true });
  const directory = join(home, DATABASE);
  const repair =
    'delete this directory and start with --trusted-height and --trusted-hash, as the first time';
  const place = { directory, repair };
  const backend = await openLevel(directory);
  try {
    await requireChecksums(place, {
      mark: await backend.get(CHECKSUMS_KEY),
      isUsed: () => hasRecords(backend),
      write: (key, value) => backend.write([{ key, value }], { sync: true }),
    });
  } catch (error) {
    await backend.close();
    throw error;
  }
  const database: LightDatabase = {
    get: async (key) => {
      const record = await backend.get(key);
      return record === undefined ? undefined : openRecord(key, record, place);
    },
    keys: () => backend.keys({}),
    write: (batch) => backend.write(sealWrites(batch), { sync: true }),
  };
  return { database, close: () => backend.close() };
}

async function hasRecords(backend: Backend): Promise<boolean> {
  for await (const _ of backend.keys({})) return true;
  return false;
}
