import {
  appendFileSync,
  closeSync,
  fdatasyncSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';

/**
 * The few file operations a write-ahead log is made of. The real one is below; tests have one in memory
 * that loses what was not synced, or fails, at any chosen operation.
 */
export interface WalFiles {
  /** Names of the log's files, in name order. */
  list(): readonly string[];
  read(name: string): Uint8Array;
  /** Creates the file with these bytes and makes it, and its name in the directory, durable. */
  create(name: string, bytes: Uint8Array): void;
  /** Hands the bytes to the operating system: they survive the process, not the machine. */
  append(name: string, bytes: Uint8Array): void;
  /** Resolves when everything appended to the file so far survives a power cut. */
  sync(name: string): Promise<void>;
  /**
   * Writes the bytes from an offset on once more, as they are, and makes them and the name durable. Syncing
   * would not do for what another process wrote: after a failed sync the system may take for written what
   * is not.
   */
  rewrite(name: string, from: number): void;
  /** Cuts the file to its first bytes, durably. */
  truncate(name: string, length: number): void;
  /** A file that is removed does not come back with a power cut. */
  remove(name: string): void;
  /** Puts bytes that are not part of the log beside it, for a person to look at. */
  keep(name: string, bytes: Uint8Array): void;
  close(): void;
}

/** Files of a directory, which is made when it is missing. */
export class DirectoryWalFiles implements WalFiles {
  readonly #directory: string;
  readonly #pattern: RegExp;
  #open: { readonly name: string; readonly descriptor: number } | undefined;

  constructor(directory: string, pattern: RegExp) {
    this.#directory = directory;
    this.#pattern = pattern;
    mkdirSync(directory, { recursive: true });
  }

  list(): readonly string[] {
    return readdirSync(this.#directory)
      .filter((name) => this.#pattern.test(name))
      .sort();
  }

  read(name: string): Uint8Array {
    return readFileSync(join(this.#directory, name));
  }

  create(name: string, bytes: Uint8Array): void {
    this.#change(name, 'wx', (descriptor) => writeAll(descriptor, bytes));
    this.syncNames();
  }

  append(name: string, bytes: Uint8Array): void {
    writeAll(this.#descriptorOf(name), bytes);
  }

  /** Synchronous inside: it takes less than waiting for a turn of the event loop under load. */
  async sync(name: string): Promise<void> {
    fdatasyncSync(this.#descriptorOf(name));
  }

  rewrite(name: string, from: number): void {
    const bytes = this.read(name).subarray(from);
    this.#change(name, 'r+', (descriptor) => writeAll(descriptor, bytes, from));
    this.syncNames();
  }

  truncate(name: string, length: number): void {
    this.#change(name, 'r+', (descriptor) => ftruncateSync(descriptor, length));
  }

  /** Opens a file, changes it, and makes that durable. */
  #change(name: string, flags: 'wx' | 'r+', change: (descriptor: number) => void): void {
    this.close();
    const descriptor = openSync(join(this.#directory, name), flags, 0o600);
    try {
      change(descriptor);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
  }

  remove(name: string): void {
    if (this.#open?.name === name) this.close();
    rmSync(join(this.#directory, name), { force: true });
    this.syncNames();
  }

  keep(name: string, bytes: Uint8Array): void {
    appendFileSync(join(this.#directory, name), bytes, { mode: 0o600 });
  }

  close(): void {
    if (this.#open !== undefined) closeSync(this.#open.descriptor);
    this.#open = undefined;
  }

  #descriptorOf(name: string): number {
    if (this.#open?.name === name) return this.#open.descriptor;
    this.close();
    const descriptor = openSync(join(this.#directory, name), 'a', 0o600);
    this.#open = { name, descriptor };
    return descriptor;
  }

  /** Which names there are is durable. */
  protected syncNames(): void {
    if (process.platform === 'win32') return;
    const descriptor = openSync(this.#directory, 'r');
    fsyncSync(descriptor);
    closeSync(descriptor);
  }
}

/** Writes all bytes: at the file's own position, or at one that is given. */
function writeAll(descriptor: number, bytes: Uint8Array, at?: number): void {
  let written = 0;
  while (written < bytes.length) {
    const position = at === undefined ? null : at + written;
    written += writeSync(descriptor, bytes, written, bytes.length - written, position);
  }
}
