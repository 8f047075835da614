/**
 * Shards in directories. A shard is written under another name, made durable, and then renamed: a directory
 * with a shard's name is a whole shard, and a build that was killed leaves a directory that the next one
 * removes.
 */
import { createHash } from 'node:crypto';
import {
  closeSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { endianness } from 'node:os';
import { dirname, join } from 'node:path';
import type { ShardCommitment } from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import { codeOf, indexError, writeError } from './errors.ts';
import type { PageCache, PagedFile } from './page-cache.ts';
import {
  type ArrayFile,
  HEADER_FILE,
  MemoryStorage,
  type ShardFile,
  type ShardSink,
  type ShardStorage,
  type Uint32Source,
} from './shard-files.ts';
import { type FileRecord, headerText, readHeader, type ShardHeader } from './shard-header.ts';
import { StoredShard } from './stored-shard.ts';

/** How the names of directories begin that are not shards yet. */
const TEMPORARY = 'building-';
const COPY_BYTES = 1 << 20;

/** A shard on disk. */
export interface OpenShard {
  readonly shard: StoredShard;
  readonly directory: string;
  /** Closes its files; the shard reads no more. */
  close(): void;
}

/** How a shard is opened. */
export interface OpenOptions {
  /** Pages are read through it; without one, all arrays and trees are read into memory. */
  readonly cache?: PageCache | undefined;
  readonly saltSecret?: Uint8Array | undefined;
}

/** Where a shard goes: its name may follow from what it commits to. */
export interface ShardPlace {
  /** A directory that is there. */
  readonly parent: string;
  readonly nameOf: (commitment: ShardCommitment) => string;
}

/**
 * Writes a shard as a directory: `build` writes its files and returns its commitment. The name.
 * @throws LedgerError (`attest.index_busy`) when there is a directory of this name, (`_disk`) without space
 */
export function writeShard(place: ShardPlace, build: (sink: ShardSink) => ShardCommitment): string {
  refuseBigEndian();
  const temporary = join(place.parent, `${TEMPORARY}${process.pid}`);
  rmSync(temporary, { recursive: true, force: true });
  try {
    mkdirSync(temporary);
  } catch (error) {
    throw writeError(error, temporary);
  }
  const sink = new DiskSink(temporary);
  try {
    const commitment = build(sink);
    sink.finish(commitment);
    const name = place.nameOf(commitment);
    renameTo(temporary, join(place.parent, name));
    return name;
  } catch (error) {
    rmSync(temporary, { recursive: true, force: true });
    throw writeError(error, place.parent);
  } finally {
    sink.close();
  }
}

/** Removes what killed builds have left in a directory of shards; the names. */
export function removeLeftovers(parent: string): string[] {
  const left = readdirSync(parent).filter((name) => name.startsWith(TEMPORARY));
  for (const name of left) rmSync(join(parent, name), { recursive: true, force: true });
  return left;
}

function renameTo(temporary: string, directory: string): void {
  try {
    renameSync(temporary, directory);
  } catch (error) {
    if (codeOf(error) === 'ENOTEMPTY')
      throw indexError('busy', `${directory} is there already: remove it, or build elsewhere`);
    throw error;
  }
  syncPath(dirname(directory));
}

/** Makes a directory's entries durable, or a file's bytes. */
export function syncPath(path: string): void {
  const fd = openSync(path, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function refuseBigEndian(): void {
  if (endianness() !== 'LE')
    throw indexError('version', 'indexes are arrays of a little-endian machine; this one is big-endian');
}

/** Writes the files of a shard into a directory. */
class DiskSink implements ShardSink {
  readonly #directory: string;
  readonly #files = new Map<ShardFile, { readonly fd: number; readonly bytes: number }>();

  constructor(directory: string) {
    this.#directory = directory;
  }

  create(file: ShardFile, bytes: number): void {
    const fd = openSync(join(this.#directory, file), 'w+');
    this.#files.set(file, { fd, bytes });
    ftruncateSync(fd, bytes);
  }

  write(file: ShardFile, at: number, bytes: Uint8Array): void {
    const fd = this.#files.get(file)?.fd;
    if (fd === undefined) throw new TypeError(`${file} is not created`);
    writeAll(fd, bytes, at);
  }

  /** Makes all durable and writes the header. */
  finish(commitment: ShardCommitment): void {
    const files = new Map<ShardFile, FileRecord>();
    for (const [file, { fd, bytes }] of this.#files) {
      fsyncSync(fd);
      files.set(file, { bytes, sha256: checksumOf(fd) });
    }
    const header = join(this.#directory, HEADER_FILE);
    writeFileSync(header, headerText({ commitment, files }), { flush: true });
    syncPath(this.#directory);
  }

  close(): void {
    for (const { fd } of this.#files.values()) closeSync(fd);
    this.#files.clear();
  }
}

function writeAll(fd: number, bytes: Uint8Array, at: number): void {
  for (let done = 0; done < bytes.length; )
    done += writeSync(fd, bytes, done, Math.min(bytes.length - done, 1 << 30), at + done);
}

/** SHA-256 of a whole file, hex. */
export function checksumOf(fd: number): string {
  const hash = createHash('sha256');
  const buffer = new Uint8Array(COPY_BYTES);
  let at = 0;
  for (let count = readSync(fd, buffer, 0, COPY_BYTES, at); count > 0; ) {
    hash.update(buffer.subarray(0, count));
    at += count;
    count = readSync(fd, buffer, 0, COPY_BYTES, at);
  }
  return hash.digest('hex');
}

/**
 * Opens the shard of a directory.
 * @throws LedgerError (`attest.index_missing`, `_version`, `_damaged`) naming the file
 */
export function openShard(directory: string, { cache, saltSecret }: OpenOptions = {}): OpenShard {
  refuseBigEndian();
  const header = readHeader(directory);
  const files = new DiskStorage(directory, header, cache);
  return {
    shard: new StoredShard(header.commitment, files, saltSecret),
    directory,
    close: () => files.close(),
  };
}

/** Reads the files of a directory, in pages or as a whole. */
class DiskStorage implements ShardStorage {
  readonly #descriptors: number[] = [];
  readonly #pagedFiles = new Map<ShardFile, PagedFile>();
  readonly #memory = new MemoryStorage();

  constructor(directory: string, { files }: ShardHeader, cache: PageCache | undefined) {
    try {
      for (const [file, { bytes }] of files) {
        const path = join(directory, file);
        const fd = this.#open(path, bytes);
        if (cache !== undefined) this.#pagedFiles.set(file, cache.file(fd, bytes, path));
        else this.#load(file, fd, bytes);
      }
    } catch (error) {
      this.close();
      throw error;
    }
    if (cache === undefined) this.close();
  }

  uint32(file: ArrayFile): Uint32Source {
    return this.#pagedFiles.get(file) ?? this.#memory.uint32(file);
  }

  read(file: ShardFile, at: number, length: number): Uint8Array {
    return this.#pagedFiles.get(file)?.read(at, length) ?? this.#memory.read(file, at, length);
  }

  close(): void {
    for (const file of this.#pagedFiles.values()) file.release();
    for (const fd of this.#descriptors.splice(0)) closeSync(fd);
  }

  #open(path: string, bytes: number): number {
    let fd: number;
    try {
      fd = openSync(path, 'r');
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw error;
      throw indexError('damaged', `${path} is missing: remove the shard and build it again`);
    }
    this.#descriptors.push(fd);
    const { size } = fstatSync(fd);
    if (size !== bytes)
      throw indexError(
        'damaged',
        `${path} has ${size} bytes, not ${bytes}: remove the shard and build it again`,
      );
    return fd;
  }

  #load(file: ShardFile, fd: number, bytes: number): void {
    const piece = new Uint8Array(COPY_BYTES);
    this.#memory.create(file, bytes);
    for (let at = 0; at < bytes; ) {
      const count = readSync(fd, piece, 0, COPY_BYTES, at);
      if (count === 0) throw indexError('damaged', `"${file}" became shorter as it was read`);
      this.#memory.write(file, at, piece.subarray(0, count));
      at += count;
    }
  }
}
