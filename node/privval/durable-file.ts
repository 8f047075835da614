import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
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

/**
 * The file system of the machine. Files are readable by their owner only. The calls are synchronous inside: a
 * sync takes a fraction of a millisecond, while each asynchronous call waits for a turn of the event loop,
 * which under load is tens of milliseconds, and signing takes eight of them.
 */
export const machineFiles: DurableFiles = {
  async read(path) {
    try {
      return readFileSync(path);
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
      throw error;
    }
  },
  async writeSynced(path, bytes) {
    const descriptor = openSync(path, 'w', 0o600);
    try {
      writeFileSync(descriptor, bytes);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
  },
  async rename(from, to) {
    renameSync(from, to);
  },
  async syncDirectory(directory) {
    if (process.platform === 'win32') return; // directories cannot be opened there
    const descriptor = openSync(directory, 'r');
    try {
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
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
