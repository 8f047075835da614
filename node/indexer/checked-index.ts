/** An index whose entries have checksums, which every read verifies: see `node/checksum.ts`. */
import { CHECKSUMS_KEY, type DatabasePlace, openRecord, requireChecksums, sealWrites } from '../checksum.ts';
import { ALL_ENTRIES } from './keys.ts';
import type { IndexDatabase, IndexEntry, IndexRange, IndexWrite } from './ports.ts';

/**
 * Puts checksums behind the entries of an open database.
 * @throws LedgerError `database.format`, `database.corrupt`; the database is closed then
 */
export async function checkedIndex(database: IndexDatabase, directory: string): Promise<IndexDatabase> {
  const repair = `delete ${directory}: it is rebuilt from the blocks`;
  const place = { directory, repair };
  try {
    await requireChecksums(place, {
      mark: await database.get(CHECKSUMS_KEY),
      isUsed: () => hasEntries(database),
      write: (key, value) => database.write([{ key, value }]),
    });
  } catch (error) {
    await database.close();
    throw error;
  }
  return new CheckedIndex(database, place);
}

async function hasEntries(database: IndexDatabase): Promise<boolean> {
  for await (const _ of database.entries(ALL_ENTRIES)) return true;
  return false;
}

class CheckedIndex implements IndexDatabase {
  readonly #database: IndexDatabase;
  readonly #place: DatabasePlace;

  constructor(database: IndexDatabase, place: DatabasePlace) {
    this.#database = database;
    this.#place = place;
  }

  async get(key: Uint8Array): Promise<Uint8Array | undefined> {
    const record = await this.#database.get(key);
    return record === undefined ? undefined : openRecord(key, record, this.#place);
  }

  write(writes: readonly IndexWrite[]): Promise<void> {
    return this.#database.write(sealWrites(writes));
  }

  async *entries(range: IndexRange): AsyncGenerator<IndexEntry> {
    for await (const [key, record] of this.#database.entries(range))
      yield [key, openRecord(key, record, this.#place)];
  }

  close(): Promise<void> {
    return this.#database.close();
  }
}
