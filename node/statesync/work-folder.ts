/**
 * What a state sync has got so far, on disk, so that a restart goes on: the snapshot that was chosen, the
 * block of its height, and its chunks, each with its hash and who sent it. Gone when the sync is done.
 *
 *     statesync/plan        SHA-256, then the snapshot (tendermint.abci.Snapshot)
 *     statesync/block       SHA-256, then the block
 *     statesync/chunk-0 …   SHA-256 of the rest, length of the sender's id in one byte, the id, the chunk
 */
import { join } from 'node:path';
import { concatBytes, equalBytes, fromUtf8, utf8 } from '../../core/bytes.ts';
import { HASH_BYTES, sha256 } from '../../core/hash.ts';
import { Snapshot } from '../../proto/gen/tendermint/abci/types.ts';
import { snapshotKey } from './offers.ts';
import type { WorkFiles } from './work-files.ts';

/** Where state sync keeps its work inside the data directory. */
export const WORK_FOLDER = 'statesync';

const PLAN_FILE = 'plan';
const BLOCK_FILE = 'block';

/** A chunk and the peer it came from. */
export interface ReceivedChunk {
  readonly chunk: Uint8Array;
  readonly sender: string;
}

/** Where the work folder of a data directory is. */
export function workFolderOf(dataDir: string): string {
  return join(dataDir, WORK_FOLDER);
}

/** True when a state sync was begun in the folder with these files and is not finished. */
export async function isStateSyncUnfinished(files: WorkFiles): Promise<boolean> {
  return (await files.read(PLAN_FILE)) !== undefined;
}

/** One writer. */
export class WorkFolder {
  readonly #files: WorkFiles;
  #plan: Snapshot | undefined;
  /** Who sent the chunks that are here. */
  readonly #senders = new Map<number, string>();

  private constructor(files: WorkFiles) {
    this.#files = files;
  }

  /** Opens the folder over these files; what a crash has damaged in it is removed. */
  static async over(files: WorkFiles): Promise<WorkFolder> {
    const folder = new WorkFolder(files);
    const plan = await folder.#sealed(PLAN_FILE);
    if (plan !== undefined) folder.#plan = Snapshot.decode(plan);
    for (const name of await files.list()) await folder.#look(name);
    return folder;
  }

  /** The snapshot that was chosen. */
  get plan(): Snapshot | undefined {
    return this.#plan;
  }

  /** Chunks that are here. */
  get chunks(): number {
    return this.#senders.size;
  }

  /** Chooses a snapshot. What is here of the same one stays, of another it goes. */
  async begin(snapshot: Snapshot): Promise<void> {
    if (this.#plan !== undefined && snapshotKey(this.#plan) === snapshotKey(snapshot)) return;
    await this.clear();
    await this.#seal(PLAN_FILE, Snapshot.encode(snapshot));
    this.#plan = snapshot;
  }

  /** The block of the snapshot's height; undefined when it is not here, or is damaged. */
  async block(): Promise<Uint8Array | undefined> {
    return this.#plan === undefined ? undefined : this.#sealed(BLOCK_FILE);
  }

  async saveBlock(encoded: Uint8Array): Promise<void> {
    await this.#seal(BLOCK_FILE, encoded);
  }

  has(index: number): boolean {
    return this.#senders.has(index);
  }

  /** A chunk; undefined when it is not here, or is damaged. */
  async chunk(index: number): Promise<ReceivedChunk | undefined> {
    const bytes = this.#senders.has(index) ? await this.#sealed(chunkFile(index)) : undefined;
    if (bytes === undefined) {
      this.#senders.delete(index);
      return undefined;
    }
    return readChunk(bytes);
  }

  /** Keeps a chunk. */
  async save(index: number, { chunk, sender }: ReceivedChunk): Promise<void> {
    const id = utf8(sender);
    await this.#seal(chunkFile(index), concatBytes(Uint8Array.of(id.length), id, chunk));
    this.#senders.set(index, sender);
  }

  async forget(index: number): Promise<void> {
    this.#senders.delete(index);
    await this.#files.remove(chunkFile(index));
  }

  /** Forgets what a peer sent, from a chunk on. */
  async forgetFrom(sender: string, first: number): Promise<void> {
    for (const [index, by] of [...this.#senders]) {
      if (by === sender && index >= first) await this.forget(index);
    }
  }

  /** Removes everything, the plan first: without it nothing else counts. */
  async clear(): Promise<void> {
    this.#plan = undefined;
    this.#senders.clear();
    await this.#files.remove(PLAN_FILE);
    await this.#files.removeAll();
  }

  async #look(name: string): Promise<void> {
    if ((name === PLAN_FILE || name === BLOCK_FILE) && this.#plan !== undefined) return;
    const index = this.#plan === undefined ? undefined : /^chunk-(\d{1,6})$/.exec(name)?.[1];
    const bytes = index === undefined ? undefined : await this.#sealed(name);
    if (index === undefined || bytes === undefined) await this.#files.remove(name);
    else this.#senders.set(Number(index), readChunk(bytes).sender);
  }

  /** The content of a file; undefined when there is none or its hash is wrong. */
  async #sealed(name: string): Promise<Uint8Array | undefined> {
    const bytes = await this.#files.read(name);
    if (bytes === undefined) return undefined;
    const content = bytes.subarray(HASH_BYTES);
    return equalBytes(sha256(content), bytes.subarray(0, HASH_BYTES)) ? content : undefined;
  }

  async #seal(name: string, content: Uint8Array): Promise<void> {
    await this.#files.write(name, concatBytes(sha256(content), content));
  }
}

const chunkFile = (index: number): string => `chunk-${index}`;

function readChunk(bytes: Uint8Array): ReceivedChunk {
  const end = 1 + (bytes[0] ?? 0);
  return { sender: fromUtf8(bytes.subarray(1, end)), chunk: bytes.subarray(end) };
}
