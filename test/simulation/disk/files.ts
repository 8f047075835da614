/** The files of a simulated disk, as the write-ahead log and the signer see them. */
import { concatBytes } from '../../../core/bytes.ts';
import type { DurableFiles } from '../../../node/privval/durable-file.ts';
import type { WalFiles } from '../../../node/wal/files.ts';
import type { DiskOperation, SimDisk } from './disk.ts';

/** What the disk needs of the process that uses it. */
export interface DiskUser {
  /** Resolves after the time that an operation takes; never, once the process is dead. */
  wait(): Promise<void>;
  /** True once the process is dead: nothing it does has an effect any more. */
  isDead(): boolean;
}

/** Thrown into a process that is being killed. */
export class Killed extends Error {
  constructor() {
    super('the process was killed');
  }
}

/** A new one each time: what waits for it is freed with it. */
function forEver(): Promise<never> {
  return new Promise(() => undefined);
}

function noSpace(): Error {
  return Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
}

/** @throws Killed, or ENOSPC, when the operation is not to be done */
export function requireGo(disk: SimDisk, user: DiskUser, operation: DiskOperation): void {
  if (user.isDead()) throw new Killed();
  const verdict = disk.operate(operation);
  if (verdict === 'dead') throw new Killed();
  if (verdict === 'full') throw noSpace();
}

/** The same for what is awaited: a dead process waits for ever. */
export async function awaitGo(disk: SimDisk, user: DiskUser, operation: DiskOperation): Promise<void> {
  if (user.isDead()) return forEver();
  const verdict = disk.operate(operation);
  if (verdict === 'dead') return forEver();
  if (verdict === 'full') throw noSpace();
  await user.wait();
  if (user.isDead()) return forEver();
}

/** The log's files in one directory. */
export class SimWalFiles implements WalFiles {
  readonly #disk: SimDisk;
  readonly #user: DiskUser;
  readonly #directory: string;
  readonly #pattern: RegExp;

  constructor(place: {
    readonly disk: SimDisk;
    readonly user: DiskUser;
    readonly directory: string;
    readonly pattern: RegExp;
  }) {
    this.#disk = place.disk;
    this.#user = place.user;
    this.#directory = place.directory;
    this.#pattern = place.pattern;
  }

  list(): readonly string[] {
    const prefix = `${this.#directory}/`;
    return [...this.#disk.files.keys()]
      .filter((path) => path.startsWith(prefix))
      .map((path) => path.slice(prefix.length))
      .filter((name) => this.#pattern.test(name))
      .sort();
  }

  read(name: string): Uint8Array {
    const file = this.#disk.files.get(this.#path(name));
    if (file === undefined) throw new Error(`ENOENT: ${name}`);
    return Uint8Array.from(file.bytes);
  }

  create(name: string, bytes: Uint8Array): void {
    this.#go('create', name);
    this.#disk.files.set(this.#path(name), { bytes: Uint8Array.from(bytes), synced: new Uint8Array(0) });
    this.#disk.syncFile(this.#path(name));
    this.#disk.syncNames(this.#directory);
  }

  append(name: string, bytes: Uint8Array): void {
    const file = this.#disk.files.get(this.#path(name));
    if (file === undefined) throw new Error(`ENOENT: ${name}`);
    try {
      this.#go('append', name);
    } catch (error) {
      // A part of it may have been written.
      const part = bytes.subarray(0, this.#disk.random.below(bytes.length));
      if (!this.#user.isDead()) file.bytes = concatBytes(file.bytes, part);
      throw error;
    }
    file.bytes = concatBytes(file.bytes, bytes);
  }

  async sync(name: string): Promise<void> {
    await awaitGo(this.#disk, this.#user, { kind: 'sync', path: this.#path(name) });
    this.#disk.syncFile(this.#path(name));
  }

  rewrite(name: string): void {
    this.#go('sync', name);
    this.#disk.syncFile(this.#path(name));
  }

  truncate(name: string, length: number): void {
    this.#go('truncate', name);
    const file = this.#disk.files.get(this.#path(name));
    if (file === undefined) throw new Error(`ENOENT: ${name}`);
    file.bytes = file.bytes.slice(0, length);
    file.synced = file.bytes;
  }

  remove(name: string): void {
    this.#go('remove', name);
    this.#disk.files.delete(this.#path(name));
  }

  keep(name: string, bytes: Uint8Array): void {
    const before = this.#disk.files.get(this.#path(name))?.bytes ?? new Uint8Array(0);
    this.#disk.files.set(this.#path(name), { bytes: concatBytes(before, bytes), synced: before });
  }

  close(): void {}

  #go(kind: DiskOperation['kind'], name: string): void {
    requireGo(this.#disk, this.#user, { kind, path: this.#path(name) });
  }

  #path(name: string): string {
    return `${this.#directory}/${name}`;
  }
}

/** The signer's files. */
export function simSignerFiles(disk: SimDisk, user: DiskUser): DurableFiles {
  return {
    async read(path) {
      const file = disk.files.get(path);
      return file === undefined ? undefined : Uint8Array.from(file.bytes);
    },
    async writeSynced(path, bytes) {
      await awaitGo(disk, user, { kind: 'write', path });
      const before = disk.files.get(path);
      // The old content is gone with the first byte written.
      disk.files.set(path, {
        bytes: Uint8Array.from(bytes),
        synced: before?.synced.slice(0, 0) ?? new Uint8Array(0),
      });
      await awaitGo(disk, user, { kind: 'sync', path });
      disk.syncFile(path);
    },
    async rename(from, to) {
      await awaitGo(disk, user, { kind: 'rename', path: to });
      const file = disk.files.get(from);
      if (file === undefined) throw new Error(`ENOENT: ${from}`);
      disk.files.delete(from);
      disk.files.set(to, file);
    },
    async syncDirectory(directory) {
      await awaitGo(disk, user, { kind: 'syncDirectory', path: directory });
      disk.syncNames(directory);
    },
  };
}
