/**
 * Snapshots of the state for other nodes (state sync), as files: one folder for each, named by its version.
 *
 *     snapshots/1000/metadata     what is offered (tendermint.abci.Snapshot) and its SHA-256
 *     snapshots/1000/chunk-0 …    items as `../snapshot.ts` describes them
 *     snapshots/.2000.tmp         one that is being written, or that a crash has left: removed on opening
 *
 * A folder gets its name when all in it is on disk. The metadata that is offered are the SHA-256 of the
 * chunks, one after another, and the hash is theirs: a chunk that was damaged is noticed when it is read.
 */
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { concatBytes, copyBytes, equalBytes } from '../../core/bytes.ts';
import { DecodeError, LedgerError, messageOf } from '../../core/errors.ts';
import { HASH_BYTES, sha256 } from '../../core/hash.ts';
import { Snapshot } from '../../proto/gen/tendermint/abci/types.ts';
import type { ExportedVersion } from '../multistore.ts';
import { diskSnapshotFiles, type SnapshotFiles } from './snapshot-files.ts';

/** The one format there is. */
export const STATE_SNAPSHOT_FORMAT = 1;
/** A chunk ends with the piece that fills it beyond this. */
export const STATE_CHUNK_BYTES: number = 4 * 1024 * 1024;
/** Largest chunk: one that a single pair makes larger cannot be sent, and its snapshot is given up. */
export const STATE_CHUNK_BYTES_MAX: number = 15 * 1024 * 1024;
/** Chunks of one snapshot: 400 GB. */
export const STATE_CHUNKS_MAX = 100_000;

/** Says what became of files. */
export interface SnapshotLog {
  info(facts: Readonly<Record<string, unknown>>, message: string): void;
  warn(facts: Readonly<Record<string, unknown>>, message: string): void;
}

/** How snapshots are kept. */
export interface StateSnapshotsOptions {
  readonly directory: string;
  /** Snapshots kept, the newest ones; 0: all. */
  readonly keepRecent: number;
  /** Default: `STATE_CHUNK_BYTES`. */
  readonly chunkBytes?: number;
  /** Default: the disk of this machine. */
  readonly files?: SnapshotFiles;
  /** Lets others have a turn between two pieces. Default: the event loop. */
  readonly pause?: () => Promise<unknown>;
  readonly log: SnapshotLog;
}

const METADATA_FILE = 'metadata';
const chunkFile = (index: number): string => `chunk-${index}`;

/** The snapshots of one node. One is written at a time. */
export class StateSnapshots {
  readonly #options: StateSnapshotsOptions;
  readonly #files: SnapshotFiles;
  /** By version. */
  readonly #snapshots = new Map<bigint, Snapshot>();
  #writing: Promise<void> | undefined;
  #stopped = false;

  private constructor(options: StateSnapshotsOptions) {
    this.#options = options;
    this.#files = options.files ?? diskSnapshotFiles;
  }

  /** Opens the folder; what is incomplete or damaged in it is removed, and said so. */
  static async open(options: StateSnapshotsOptions): Promise<StateSnapshots> {
    const snapshots = new StateSnapshots(options);
    await snapshots.#load();
    return snapshots;
  }

  /** What can be offered, the newest first. */
  list(): readonly Snapshot[] {
    return [...this.#snapshots.values()].sort((a, b) => (a.height < b.height ? 1 : -1));
  }

  /**
   * A chunk whose hash is right. Undefined when there is none; a snapshot with a damaged chunk is removed.
   */
  async chunk(at: {
    readonly height: bigint;
    readonly format: number;
    readonly index: number;
  }): Promise<Uint8Array | undefined> {
    const snapshot = this.#snapshots.get(at.height);
    if (snapshot === undefined || snapshot.format !== at.format || at.index >= snapshot.chunks)
      return undefined;
    try {
      const bytes = await this.#files.read(join(this.#folder(at.height), chunkFile(at.index)));
      if (equalBytes(sha256(bytes), chunkHashOf(snapshot, at.index))) return bytes;
      throw new DecodeError('its hash is wrong');
    } catch (error) {
      await this.#remove(at.height, `chunk ${at.index}: ${messageOf(error)}`);
      return undefined;
    }
  }

  /**
   * Writes a version in the background and removes older snapshots. False when another one is still being
   * written: this one is left out, and `source` closed.
   */
  make(version: bigint, source: ExportedVersion): boolean {
    if (this.#writing !== undefined || this.#stopped || this.#snapshots.has(version)) {
      source.close();
      return false;
    }
    const { log } = this.#options;
    this.#writing = this.#write(version, source.chunks)
      .catch((error: unknown) => {
        log.warn({ height: version, reason: messageOf(error) }, 'no state snapshot was made');
        return this.#files.remove(this.#temporary(version));
      })
      .catch(() => undefined)
      .finally(() => {
        source.close();
        this.#writing = undefined;
      });
    return true;
  }

  /** Resolves when none is being written. */
  async idle(): Promise<void> {
    await this.#writing;
  }

  /** Gives up what is being written. */
  async close(): Promise<void> {
    this.#stopped = true;
    await this.#writing;
  }

  async #write(version: bigint, pieces: Iterable<Uint8Array>): Promise<void> {
    const temporary = this.#temporary(version);
    await this.#files.remove(temporary);
    await this.#files.makeFolder(temporary);
    const hashes: Uint8Array[] = [];
    const { chunkBytes = STATE_CHUNK_BYTES, pause = setImmediate } = this.#options;
    for await (const chunk of joined(pieces, chunkBytes, pause)) {
      if (this.#stopped) throw new LedgerError('store.stopped', 'the node stops');
      if (chunk.length > STATE_CHUNK_BYTES_MAX || hashes.length === STATE_CHUNKS_MAX)
        throw new LedgerError('store.snapshot_limit', 'the state is too large for a snapshot');
      await this.#files.write(join(temporary, chunkFile(hashes.length)), chunk);
      hashes.push(sha256(chunk));
    }
    const metadata = concatBytes(...hashes);
    const format = STATE_SNAPSHOT_FORMAT;
    const snapshot = { height: version, format, chunks: hashes.length, hash: sha256(metadata), metadata };
    const encoded = Snapshot.encode(snapshot);
    await this.#files.write(join(temporary, METADATA_FILE), concatBytes(sha256(encoded), encoded));
    await this.#files.publish(temporary, this.#folder(version));
    this.#snapshots.set(version, snapshot);
    const facts = { height: version, chunks: hashes.length };
    this.#options.log.info(facts, 'a state snapshot was made');
    await this.#prune();
  }

  async #prune(): Promise<void> {
    const { keepRecent } = this.#options;
    if (keepRecent === 0) return;
    for (const { height } of this.list().slice(keepRecent)) {
      this.#snapshots.delete(height);
      await this.#files.remove(this.#folder(height));
    }
  }

  async #load(): Promise<void> {
    const { directory } = this.#options;
    for (const name of await this.#files.list(directory)) {
      if (/^\.\d+\.tmp$/.test(name)) await this.#files.remove(join(directory, name));
      if (!/^[1-9]\d{0,18}$/.test(name)) continue;
      const height = BigInt(name);
      try {
        this.#snapshots.set(height, await this.#read(height));
      } catch (error) {
        await this.#remove(height, messageOf(error));
      }
    }
  }

  async #read(height: bigint): Promise<Snapshot> {
    const folder = this.#folder(height);
    const bytes = await this.#files.read(join(folder, METADATA_FILE));
    const encoded = bytes.subarray(HASH_BYTES);
    if (!equalBytes(sha256(encoded), bytes.subarray(0, HASH_BYTES)))
      throw new DecodeError('the hash of its metadata is wrong');
    const snapshot = checkStateSnapshot(Snapshot.decode(encoded));
    if (snapshot.height !== height) throw new DecodeError(`it is of height ${snapshot.height}`);
    for (let index = 0; index < snapshot.chunks; index++) {
      if (!this.#files.has(join(folder, chunkFile(index))))
        throw new DecodeError(`chunk ${index} is missing`);
    }
    return snapshot;
  }

  async #remove(height: bigint, reason: string): Promise<void> {
    this.#snapshots.delete(height);
    this.#options.log.warn({ height, reason }, 'a damaged state snapshot is removed');
    await this.#files.remove(this.#folder(height));
  }

  #folder(version: bigint): string {
    return join(this.#options.directory, String(version));
  }

  #temporary(version: bigint): string {
    return join(this.#options.directory, `.${version}.tmp`);
  }
}

/**
 * Checks that a snapshot that somebody offers is one of ours in form: format, count and hashes of its chunks.
 * @throws DecodeError naming what is wrong
 */
export function checkStateSnapshot(snapshot: Snapshot): Snapshot {
  const { height, format, chunks, hash, metadata } = snapshot;
  if (format !== STATE_SNAPSHOT_FORMAT) throw new DecodeError(`snapshot format ${format} is not known`);
  if (height < 1n) throw new DecodeError('snapshot of an impossible height', { height });
  if (chunks < 1 || chunks > STATE_CHUNKS_MAX)
    throw new DecodeError(`a snapshot has 1 to ${STATE_CHUNKS_MAX} chunks, not ${chunks}`);
  if (metadata.length !== chunks * HASH_BYTES)
    throw new DecodeError('the metadata of the snapshot are not one hash for each chunk');
  if (!equalBytes(hash, sha256(metadata)))
    throw new DecodeError('the hash of the snapshot is not that of its metadata');
  return snapshot;
}

/** What a chunk of a checked snapshot must hash to. */
export function chunkHashOf({ metadata }: Snapshot, index: number): Uint8Array {
  return copyBytes(metadata, index * HASH_BYTES, (index + 1) * HASH_BYTES);
}

/** Pieces put together until they are as long as a chunk is; after each, others have a turn. */
async function* joined(
  pieces: Iterable<Uint8Array>,
  chunkBytes: number,
  pause: () => Promise<unknown>,
): AsyncGenerator<Uint8Array, void, void> {
  let parts: Uint8Array[] = [];
  let length = 0;
  for (const piece of pieces) {
    parts.push(piece);
    length += piece.length;
    await pause();
    if (length < chunkBytes) continue;
    yield concatBytes(...parts);
    parts = [];
    length = 0;
  }
  if (parts.length > 0) yield concatBytes(...parts);
}
