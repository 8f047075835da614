/** The files of snapshots for other nodes: folders of files, and a folder that gets its name in one step. */
import { existsSync } from 'node:fs';
import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Where snapshots are written. Paths are absolute. */
export interface SnapshotFiles {
  /** Names in a directory, which is made when it is not there. */
  list(directory: string): Promise<readonly string[]>;
  makeFolder(path: string): Promise<void>;
  has(path: string): boolean;
  /** @throws Error when there is no such file */
  read(path: string): Promise<Uint8Array>;
  /** Durable once this resolves, but for its name. */
  write(path: string, bytes: Uint8Array): Promise<void>;
  /** Gives a folder its name; that, and all names in it, are durable once this resolves. */
  publish(from: string, to: string): Promise<void>;
  /** Removes a folder and all in it, if it is there. */
  remove(path: string): Promise<void>;
}

/** The disk of this machine. */
export const diskSnapshotFiles: SnapshotFiles = {
  async list(directory) {
    await mkdir(directory, { recursive: true });
    return readdir(directory);
  },
  async makeFolder(path) {
    await mkdir(path, { recursive: true });
  },
  has: (path) => existsSync(path),
  read: async (path) => new Uint8Array(await readFile(path)),
  async write(path, bytes) {
    const file = await open(path, 'w', 0o600);
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
  },
  async publish(from, to) {
    await syncFolder(from);
    await rename(from, to);
    await syncFolder(dirname(to));
  },
  remove: (path) => rm(path, { recursive: true, force: true }),
};

async function syncFolder(directory: string): Promise<void> {
  if (process.platform === 'win32') return; // folders cannot be opened there
  const file = await open(directory, 'r');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}
