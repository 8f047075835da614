/** A database whose records have checksums, which every read verifies. */
import { messageOf } from '../core/errors.ts';
import {
  CHECKSUMS_KEY,
  corruptRecord,
  type DatabasePlace,
  openRecord,
  requireChecksums,
  sealRecord,
} from './checksum.ts';
import type { Database, DatabaseBatch, OpenDatabase } from './database.ts';

/** A database to open. */
export interface CheckedPlace extends DatabasePlace {
  /** Keys of which a database that was ever written to has one. */
  readonly witnesses: readonly Uint8Array[];
}

/**
 * Opens or makes a database.
 * @throws what `openDatabase` throws, and LedgerError `database.format` or `database.corrupt`
 */
export async function openChecked(place: CheckedPlace, openDatabase: OpenDatabase): Promise<Database> {
  const database = await openDatabase(place.directory);
  try {
    await requireChecksums(place, {
      mark: read(database, CHECKSUMS_KEY, place),
      isUsed: () => place.witnesses.some((key) => database.getSync(key) !== undefined),
      write: async (key, record) => {
        const batch = database.batch();
        batch.put(key, record);
        await batch.write({ sync: true });
      },
    });
  } catch (error) {
    await database.close();
    throw error;
  }
  return new CheckedDatabase(database, place);
}

class CheckedDatabase implements Database {
  readonly #database: Database;
  readonly #place: DatabasePlace;

  constructor(database: Database, place: DatabasePlace) {
    this.#database = database;
    this.#place = place;
  }

  getSync(key: Uint8Array): Uint8Array | undefined {
    const record = read(this.#database, key, this.#place);
    return record === undefined ? undefined : openRecord(key, record, this.#place);
  }

  batch(): DatabaseBatch {
    const batch = this.#database.batch();
    return {
      put: (key, value) => batch.put(key, sealRecord(key, value)),
      del: (key) => batch.del(key),
      write: (options) => batch.write(options),
    };
  }

  async close(): Promise<void> {
    await this.#database.close();
  }
}

/** LevelDB notices some damage by itself: a block of its file that cannot be unpacked. */
function read(database: Database, key: Uint8Array, place: DatabasePlace): Uint8Array | undefined {
  try {
    return database.getSync(key);
  } catch (error) {
    const reason = messageOf(error);
    throw /corrupt/i.test(reason) ? corruptRecord(key, place, reason) : error;
  }
}
