import { Level } from 'level';
import { LedgerError, messageOf } from '../../core/errors.ts';
import { LEVEL_OPEN_FILES_MAX, requireCurrentFile } from '../../store/backend/level-files.ts';
import type { IndexDatabase, IndexEntry, IndexRange, IndexWrite } from './ports.ts';

/** Entries fetched from LevelDB at once while iterating. */
const READ_CHUNK = 1000;
/** Memory that LevelDB keeps for what searches have read. */
const READ_CACHE_BYTES = 4 * 1024 * 1024;
/**
 * What is written gathers in memory until it is that much; one more is being written to a file meanwhile. The
 * index is most of what a node writes, and in random order: twice LevelDB's default merges a third as often.
 */
const WRITE_BUFFER_BYTES = 8 * 1024 * 1024;

/**
 * The index in LevelDB. Writes are not fsynced: what a power cut takes is indexed again from the block store
 * (`Indexer.catchUp`).
 */
export class LevelDatabase implements IndexDatabase {
  readonly #level: Level<Uint8Array, Uint8Array>;

  private constructor(level: Level<Uint8Array, Uint8Array>) {
    this.#level = level;
  }

  /**
   * Opens a directory, or creates it.
   * @throws LedgerError `index.open` when it is locked by another process or damaged
   */
  static async open(directory: string): Promise<LevelDatabase> {
    const level = new Level<Uint8Array, Uint8Array>(directory, {
      keyEncoding: 'view',
      valueEncoding: 'view',
      cacheSize: READ_CACHE_BYTES,
      writeBufferSize: WRITE_BUFFER_BYTES,
      maxOpenFiles: LEVEL_OPEN_FILES_MAX,
    });
    try {
      requireCurrentFile(directory);
      await level.open();
    } catch (error) {
      const cause = error instanceof Error ? error.cause : undefined;
      throw new LedgerError(
        'index.open',
        `cannot open the transaction index in ${directory}: ${messageOf(cause ?? error)}. ` +
          'If another node uses it, stop that one; if it is damaged, delete the directory: it is rebuilt from the blocks.',
        { directory },
        error,
      );
    }
    return new LevelDatabase(level);
  }

  async get(key: Uint8Array): Promise<Uint8Array | undefined> {
    return await this.#level.get(key);
  }

  async write(writes: readonly IndexWrite[]): Promise<void> {
    // A chained batch holds up the main thread a third as long as an array of the same writes.
    const batch = this.#level.batch();
    for (const { key, value } of writes) {
      if (value === undefined) batch.del(key);
      else batch.put(key, value);
    }
    await batch.write();
  }

  async *entries(range: IndexRange): AsyncGenerator<IndexEntry> {
    const iterator = this.#level.iterator({
      gte: range.start,
      lt: range.end,
      reverse: range.reverse ?? false,
    });
    try {
      for (;;) {
        const chunk = await iterator.nextv(READ_CHUNK);
        if (chunk.length === 0) return;
        yield* chunk;
      }
    } finally {
      await iterator.close();
    }
  }

  async close(): Promise<void> {
    await this.#level.close();
  }
}
