/** The backend on disk: LevelDB through the `level` package. */
import { Level } from 'level';
import { LedgerError, messageOf } from '../../core/errors.ts';
import type { KeyRange, KeyValue } from '../kv.ts';
import type { Backend, BackendWrite, WriteOptions } from './backend.ts';
import { LEVEL_OPEN_FILES_MAX, requireCurrentFile } from './level-files.ts';
import { OrderedWrites } from './ordered-writes.ts';

type Database = Level<Uint8Array, Uint8Array>;

/** LevelDB's cache of what was read: a node reads this database only when it starts. */
const READ_CACHE_BYTES = 1024 * 1024;
/** What is written gathers in memory until it is that much; one more is being written to a file meanwhile. */
const WRITE_BUFFER_BYTES = 4 * 1024 * 1024;

/**
 * Opens or creates a LevelDB database in a directory.
 * @throws LedgerError `store.locked` when another process has it open, `store.corrupt` when LevelDB refuses
 * its files, `store.disk` otherwise
 */
export async function openLevel(directory: string): Promise<Backend> {
  try {
    // Before the database is made: one that is made opens by itself, also when nobody waits for it.
    requireCurrentFile(directory);
    const database: Database = new Level(directory, {
      keyEncoding: 'view',
      valueEncoding: 'view',
      cacheSize: READ_CACHE_BYTES,
      writeBufferSize: WRITE_BUFFER_BYTES,
      maxOpenFiles: LEVEL_OPEN_FILES_MAX,
    });
    await database.open();
    return new LevelBackend(directory, database);
  } catch (cause) {
    throw openError(directory, cause);
  }
}

/** See the file comment. */
class LevelBackend implements Backend {
  readonly #directory: string;
  readonly #database: Database;
  readonly #writes: OrderedWrites = new OrderedWrites();
  #closed = false;

  constructor(directory: string, database: Database) {
    this.#directory = directory;
    this.#database = database;
  }

  async get(key: Uint8Array): Promise<Uint8Array | undefined> {
    this.#requireOpen();
    const value = await this.#guard(() => this.#database.get(key));
    return value === undefined ? undefined : plain(value);
  }

  async *iterate(range: KeyRange): AsyncIterable<KeyValue> {
    this.#requireOpen();
    const iterator = this.#database.iterator(levelRange(range));
    try {
      for (;;) {
        const pair = await this.#guard(() => iterator.next());
        if (pair === undefined) return;
        yield [plain(pair[0]), plain(pair[1])];
      }
    } finally {
      await iterator.close();
    }
  }

  async *keys(range: KeyRange): AsyncIterable<Uint8Array> {
    this.#requireOpen();
    const keys = this.#database.keys(levelRange(range));
    try {
      for (;;) {
        const key = await this.#guard(() => keys.next());
        if (key === undefined) return;
        yield plain(key);
      }
    } finally {
      await keys.close();
    }
  }

  async write(batch: readonly BackendWrite[], options: WriteOptions): Promise<void> {
    this.#requireOpen();
    // A chained batch takes a third of the main thread's time that an array of operations takes.
    const chained = this.#database.batch();
    for (const { key, value } of batch) {
      if (value === undefined) chained.del(key);
      else chained.put(key, value);
    }
    await this.#guard(() => this.#writes.run(() => chained.write({ sync: options.sync })));
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#writes.idle();
    await this.#guard(() => this.#database.close());
  }

  #requireOpen(): void {
    if (this.#closed) throw new LedgerError('store.closed', 'the database is closed');
  }

  async #guard<T>(operation: () => Promise<T>): Promise<T> {
    try {
      return await operation();
    } catch (cause) {
      const corrupt = /corrupt/i.test(messageOf(cause));
      throw new LedgerError(
        corrupt ? 'store.corrupt' : 'store.disk',
        `the database in ${this.#directory} failed: ${messageOf(cause)}`,
        { directory: this.#directory },
        cause,
      );
    }
  }
}

/** The database answers with Buffers, whose `slice` shares memory where that of a plain array copies. */
function plain(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}

function levelRange(range: KeyRange): { gte?: Uint8Array; lt?: Uint8Array; reverse: boolean } {
  return {
    ...(range.start === undefined ? {} : { gte: range.start }),
    ...(range.end === undefined ? {} : { lt: range.end }),
    reverse: range.reverse === true,
  };
}

function openError(directory: string, error: unknown): LedgerError {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  const reason = messageOf(cause);
  const facts = { directory };
  if (/lock/i.test(reason)) {
    const message = `the database in ${directory} is in use: stop the other process that has it open`;
    return new LedgerError('store.locked', message, facts, error);
  }
  if (/corrupt|missing files|no meta-nextfile|CURRENT|MANIFEST/i.test(reason)) {
    return new LedgerError(
      'store.corrupt',
      `the database in ${directory} is damaged (${reason}): restore it from a copy, ` +
        'or remove the directory and let the node sync again',
      facts,
      error,
    );
  }
  return new LedgerError(
    'store.disk',
    `the database in ${directory} cannot be opened: ${reason}`,
    facts,
    error,
  );
}
