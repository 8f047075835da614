/**
 * The ordered database under the block store and the state store: what they need of it and no more. The real
 * one is LevelDB; the simulator has one whose disk can fail.
 */
import { Level } from 'level';
import { LEVEL_OPEN_FILES_MAX, requireCurrentFile } from '../store/backend/level-files.ts';
import { OrderedWrites } from '../store/backend/ordered-writes.ts';

/** Writes that take effect together, or not at all. */
export interface DatabaseBatch {
  put(key: Uint8Array, value: Uint8Array): unknown;
  del(key: Uint8Array): unknown;
  /** With `sync`, this batch and all before it survive a power cut once the promise resolves. */
  write(options?: { readonly sync?: boolean }): Promise<void>;
}

/** An open database. Batches take effect in the order of the calls. */
export interface Database {
  getSync(key: Uint8Array): Uint8Array | undefined;
  batch(): DatabaseBatch;
  close(): Promise<void>;
}

/** Opens or makes the database of a directory; rejects when another process has it or its files are damaged. */
export type OpenDatabase = (directory: string) => Promise<Database>;

/**
 * Memory that LevelDB keeps for blocks that were read. New blocks and results are asked for once or twice;
 * what goes out over and over is in the cache of the operating system.
 */
const READ_CACHE_BYTES = 2 * 1024 * 1024;
/** What is written gathers in memory until it is that much; one more is being written to a file meanwhile. */
const WRITE_BUFFER_BYTES = 4 * 1024 * 1024;

/** LevelDB. */
export const openLevelDatabase: OpenDatabase = async (directory) => {
  requireCurrentFile(directory);
  const database: Level<Uint8Array, Uint8Array> = new Level(directory, {
    keyEncoding: 'view',
    valueEncoding: 'view',
    cacheSize: READ_CACHE_BYTES,
    writeBufferSize: WRITE_BUFFER_BYTES,
    maxOpenFiles: LEVEL_OPEN_FILES_MAX,
  });
  await database.open();
  const writes = new OrderedWrites();
  return {
    getSync: (key) => database.getSync(key),
    batch: () => {
      const batch = database.batch();
      return {
        put: (key, value) => batch.put(key, value),
        del: (key) => batch.del(key),
        write: (options = {}) => writes.run(() => batch.write(options)),
      };
    },
    close: async () => {
      await writes.idle();
      await database.close();
    },
  };
};
