/** The databases of a simulated disk, as the node's stores and the application's store see them. */
import { LedgerError, messageOf } from '../../../core/errors.ts';
import type { IndexDatabase } from '../../../node/indexer/ports.ts';
import type { Database, DatabaseBatch } from '../../../node/database.ts';
import type { Backend } from '../../../store/backend/backend.ts';
import type { KeyRange } from '../../../store/kv.ts';
import { applyBatch, type SimBatch, type SimDisk } from './disk.ts';
import { awaitGo, type DiskUser } from './files.ts';

/** Where the application has its database. */
export const APPLICATION = '/home/data/application.db';

/** Where a database is. */
export interface DatabasePlace {
  readonly disk: SimDisk;
  readonly user: DiskUser;
  readonly path: string;
}

type Writes = [string, Uint8Array | undefined][];

const textOf = (key: Uint8Array): string => Buffer.from(key).toString('latin1');
const bytesOf = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'latin1'));

async function write({ disk, user, path }: DatabasePlace, batch: SimBatch): Promise<void> {
  const database = disk.database(path);
  database.underWay.push(batch);
  try {
    await awaitGo(disk, user, { kind: batch.sync ? 'sync' : 'write', path });
  } catch (error) {
    database.underWay = database.underWay.filter((other) => other !== batch);
    throw error;
  }
  // In the order of the calls, whichever wait ends first.
  while (database.underWay.includes(batch)) {
    const next = database.underWay.shift();
    if (next !== undefined) applyBatch(database, next);
  }
}

/** The database under block store and state store. */
export function simDatabase(place: DatabasePlace): Database {
  const { disk, path } = place;
  return {
    getSync: (key) => disk.database(path).pairs.get(textOf(key)),
    batch: () => simBatch(place),
    close: () => Promise.resolve(),
  };
}

function simBatch(place: DatabasePlace): DatabaseBatch {
  const writes: Writes = [];
  return {
    put: (key, value) => writes.push([textOf(key), Uint8Array.from(value)]),
    del: (key) => writes.push([textOf(key), undefined]),
    write: (options) => write(place, { writes, sync: options?.sync === true }),
  };
}

/** The database under the application's store. */
export class SimBackend implements Backend {
  readonly #place: DatabasePlace;

  constructor(place: DatabasePlace) {
    this.#place = place;
  }

  async get(key: Uint8Array): Promise<Uint8Array | undefined> {
    const value = this.#pairs().get(textOf(key));
    return value === undefined ? undefined : Uint8Array.from(value);
  }

  async *iterate(range: KeyRange): AsyncIterable<readonly [Uint8Array, Uint8Array]> {
    const pairs = this.#pairs();
    for (const key of this.#sorted(range)) {
      const value = pairs.get(key);
      if (value !== undefined) yield [bytesOf(key), Uint8Array.from(value)];
    }
  }

  async *keys(range: KeyRange): AsyncIterable<Uint8Array> {
    for (const key of this.#sorted(range)) yield bytesOf(key);
  }

  async write(batch: Parameters<Backend['write']>[0], options: { readonly sync: boolean }): Promise<void> {
    const writes: Writes = batch.map(({ key, value }) => [
      textOf(key),
      value === undefined ? undefined : Uint8Array.from(value),
    ]);
    try {
      await write(this.#place, { writes, sync: options.sync });
    } catch (cause) {
      throw new LedgerError('store.disk', `the database failed: ${messageOf(cause)}`, {}, cause);
    }
  }

  async close(): Promise<void> {}

  #pairs(): Map<string, Uint8Array> {
    return this.#place.disk.database(this.#place.path).pairs;
  }

  #sorted({ start, end, reverse }: KeyRange): string[] {
    const from = start === undefined ? undefined : textOf(start);
    const to = end === undefined ? undefined : textOf(end);
    const keys = [...this.#pairs().keys()].filter(
      (key) => (from === undefined || key >= from) && (to === undefined || key < to),
    );
    keys.sort((a, b) => (a < b ? -1 : 1));
    return reverse === true ? keys.reverse() : keys;
  }
}

/** The database of the transaction index; nobody syncs it. */
export function simIndex(place: DatabasePlace): IndexDatabase {
  const backend = new SimBackend(place);
  return {
    get: (key) => backend.get(key),
    write: (writes) => backend.write(writes, { sync: false }),
    entries: (range) => backend.iterate(range),
    close: () => backend.close(),
  };
}
