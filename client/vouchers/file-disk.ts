/** The journal's file. */
import { type FileHandle, open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { LedgerError } from '../../core/errors.ts';
import type { JournalDisk } from './journal.ts';

/** What a file disk needs of the system. */
export interface FileDiskPorts {
  /**
   * Takes the lock of that name, and returns what gives it back; undefined while another living process, or
   * this one, has it. A lock that a killed process left behind must not count.
   */
  readonly tryLock: (path: string) => (() => void) | undefined;
}

/**
 * Opens or makes the file. Beside it is a lock until `close`: two that append to one journal would each sign
 * and charge without what the other has written.
 * @throws LedgerError `vouchers.locked`
 */
export async function openFileDisk(path: string, { tryLock }: FileDiskPorts): Promise<JournalDisk> {
  const unlock = tryLock(`${path}.lock`);
  if (unlock === undefined)
    throw new LedgerError(
      'vouchers.locked',
      `the journal ${path} is open already, in this process or another (see ${path}.lock); stop that one first`,
      { path },
    );
  try {
    return await openLocked(path, unlock);
  } catch (error) {
    unlock();
    throw error;
  }
}

async function openLocked(path: string, unlock: () => void): Promise<JournalDisk> {
  let file = await openDurably(path);
  return {
    read: () => readFile(path),
    async append(bytes) {
      const { bytesWritten } = await file.write(bytes);
      if (bytesWritten !== bytes.length)
        throw new LedgerError('vouchers.disk', `${bytesWritten} of ${bytes.length} bytes were written`);
    },
    sync: () => file.datasync(),
    async replace(bytes) {
      const temporary = `${path}.new`;
      const fresh = await open(temporary, 'w', 0o600);
      await writeAll(fresh, bytes);
      await rename(temporary, path);
      await syncDirectory(path);
      await file.close();
      file = await open(path, 'a', 0o600);
    },
    async close() {
      try {
        await file.close();
      } finally {
        unlock();
      }
    },
  };
}

async function openDurably(path: string): Promise<FileHandle> {
  const file = await open(path, 'a', 0o600);
  try {
    await syncDirectory(path);
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function writeAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** A name is durable when its folder is. */
async function syncDirectory(path: string): Promise<void> {
  const folder = await open(dirname(path), 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
