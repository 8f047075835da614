import { open, readFile, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/**
 * The steps of replacing a file so that a crash leaves the old or the new content, never a mixture, never
 * none.
 */
export interface DurableFiles {
  /** Undefined when there is no such file. */
  read(path: string): Promise<Uint8Array | undefined>;
  /** Writes a file and makes its content durable. */
  writeSynced(path: string, bytes: Uint8Array): Promise<void>;
  /** Puts one file in the place of another, atomically. */
  rename(from: string, to: string): Promise<void>;
  /** Makes the names in a directory durable. */
  syncDirectory(directory: string): Promise<void>;
}

/** The file system of the machine. Files are readable by their owner only. */
export const machineFiles: DurableFiles = {
  async read(path) {
    try {
      return await readFile(path);
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
      throw error;
    }
  },
  async writeSynced(path, bytes) {
    const handle = await open(path, 'w', 0o600);
    try {
      await handle.writeFile(bytes);
      await handle.sync();
    } finally {
      await handle.close();
    }
  },
  rename,
  async syncDirectory(directory) {
    if (process.platform === 'win32') return; // directories cannot be opened there
    const handle = await open(directory, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  },
};

/** Replaces a file: the new content is durable under its name when this resolves. */
export async function replaceFile(files: DurableFiles, path: string, bytes: Uint8Array): Promise<void> {
  const temporary = join(dirname(path), `.${path.slice(dirname(path).length + 1)}.tmp`);
  await files.writeSynced(temporary, bytes);
  await files.rename(temporary, path);
  await files.syncDirectory(dirname(path));
}
