/** Folders of files that are written whole: snapshots for other nodes, and a state sync under way. */
import type { WorkFiles } from '../../../node/statesync/work-files.ts';
import type { SnapshotFiles } from '../../../store/backend/snapshot-files.ts';
import type { SimDisk } from './disk.ts';
import { awaitGo, type DiskUser, simSignerFiles } from './files.ts';

const parentOf = (path: string): string => path.slice(0, path.lastIndexOf('/'));

function inside(disk: SimDisk, directory: string): readonly string[] {
  return [...disk.files.keys()].filter((path) => path.startsWith(`${directory}/`));
}

function readFile(disk: SimDisk, path: string): Uint8Array | undefined {
  const file = disk.files.get(path);
  return file === undefined ? undefined : Uint8Array.from(file.bytes);
}

/** The snapshots that a node offers. A power cut may tear a folder apart that was not published. */
export function simSnapshotFiles(disk: SimDisk, user: DiskUser): SnapshotFiles {
  return {
    async list(directory) {
      const names = inside(disk, directory).map((path) => path.slice(directory.length + 1).split('/')[0]);
      return [...new Set(names)].flatMap((name) => (name === undefined ? [] : [name])).sort();
    },
    makeFolder: async () => undefined,
    has: (path) => disk.files.has(path),
    async read(path) {
      const bytes = readFile(disk, path);
      if (bytes === undefined) throw new Error(`ENOENT: ${path}`);
      return bytes;
    },
    write: (path, bytes) => simSignerFiles(disk, user).writeSynced(path, bytes),
    async publish(from, to) {
      await awaitGo(disk, user, { kind: 'syncDirectory', path: from });
      disk.syncNames(from);
      await awaitGo(disk, user, { kind: 'rename', path: to });
      for (const path of inside(disk, from)) {
        const file = disk.files.get(path);
        disk.files.delete(path);
        if (file !== undefined) disk.files.set(to + path.slice(from.length), file);
      }
      await awaitGo(disk, user, { kind: 'syncDirectory', path: parentOf(to) });
      disk.syncNames(parentOf(to));
    },
    async remove(path) {
      if (inside(disk, path).length === 0) return;
      await awaitGo(disk, user, { kind: 'remove', path });
      for (const file of inside(disk, path)) disk.files.delete(file);
    },
  };
}

/** What a state sync has got so far. */
export function simWorkFiles(disk: SimDisk, user: DiskUser, directory: string): WorkFiles {
  const files = simSignerFiles(disk, user);
  return {
    list: async () => inside(disk, directory).map((path) => path.slice(directory.length + 1)),
    read: async (name) => readFile(disk, `${directory}/${name}`),
    async write(name, bytes) {
      const temporary = `${directory}/.${name}.tmp`;
      await files.writeSynced(temporary, bytes);
      await files.rename(temporary, `${directory}/${name}`);
      await files.syncDirectory(directory);
    },
    async remove(name) {
      await awaitGo(disk, user, { kind: 'remove', path: `${directory}/${name}` });
      disk.files.delete(`${directory}/${name}`);
      await files.syncDirectory(directory);
    },
    async removeAll() {
      await awaitGo(disk, user, { kind: 'remove', path: directory });
      for (const path of inside(disk, directory)) disk.files.delete(path);
    },
  };
}
