/** The journal's file. */
import { type FileHandle, open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { LedgerError } from '../../core/errors.ts';
import type { JournalDisk } from './journal.ts';

/** Opens or makes the file. It is this process's alone: the caller sees to that. */
export async function openFileDisk(path: string): Promise<JournalDisk> {
  let file = await open(path, 'a', 0o600);
  await syncDirectory(path);
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
    close: () => file.close(),
  };
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
