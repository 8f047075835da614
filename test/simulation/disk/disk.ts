/**
 * The disk of one machine. What is written can be read at once; what survives depends on how the node ends.
 *
 * - Process killed: files are as written; of the database writes under way any number has happened, in order.
 * - Power cut: files keep their synced bytes, and nothing, a part, all, or garbage of what was appended
 *   since; a name that was changed is the old or the new one, unless its directory was synced; databases
 *   keep what was synced and any number of the later batches, in order.
 *
 * Every write, sync and rename is a point at which the machine can be made to fail.
 */
import type { SeededRandom } from '../../../consensus/simulation/random.ts';

/** How a node ends. */
export type Ending = 'process killed' | 'power cut';

/** What a disk does to a machine at an operation. */
export type Verdict = 'go on' | 'full' | 'dead';

/** Something that changes what is stored. */
export interface DiskOperation {
  readonly kind: 'append' | 'sync' | 'create' | 'write' | 'rename' | 'syncDirectory' | 'truncate' | 'remove';
  readonly path: string;
}

/** A file: what was written, and what of it a power cut cannot take. */
export interface SimFile {
  bytes: Uint8Array;
  synced: Uint8Array;
}

/** The pairs of a database by latin-1 key, and the batches that a power cut may take. */
export interface SimPairs {
  pairs: Map<string, Uint8Array>;
  durable: Map<string, Uint8Array>;
  unsynced: SimBatch[];
  /** Handed over, not done yet. */
  underWay: SimBatch[];
}

/** One batch; an undefined value deletes. */
export interface SimBatch {
  readonly writes: readonly (readonly [string, Uint8Array | undefined])[];
  readonly sync: boolean;
}

/** See the file comment. */
export class SimDisk {
  files: Map<string, SimFile> = new Map();
  databases: Map<string, SimPairs> = new Map();
  /** Names as a power cut leaves them. */
  #durableNames: Map<string, SimFile> = new Map();
  readonly random: SeededRandom;
  /** Asked before each operation. `dead` ends the machine, before the operation took effect. */
  judge: (operation: DiskOperation) => Verdict = () => 'go on';
  /** A disk that lies about syncing these files: for planted bugs only. */
  ignoresSync: (path: string) => boolean = () => false;
  /** Files in which a power cut has left garbage among what was not synced. */
  readonly garbled: Set<string> = new Set();
  /** Operations since the machine was made. */
  operations = 0;

  constructor(random: SeededRandom) {
    this.random = random;
  }

  /** Counts an operation and asks what becomes of it. */
  operate(operation: DiskOperation): Verdict {
    this.operations++;
    return this.judge(operation);
  }

  /** Everything written to a file so far is durable. */
  syncFile(path: string): void {
    const file = this.files.get(path);
    if (file !== undefined && !this.ignoresSync(path)) file.synced = file.bytes;
  }

  /** Which names there are in a directory is durable. */
  syncNames(directory: string): void {
    if (this.ignoresSync(directory)) return;
    const inside = (path: string): boolean => path.startsWith(`${directory}/`);
    for (const path of [...this.#durableNames.keys()]) if (inside(path)) this.#durableNames.delete(path);
    for (const [path, file] of this.files) if (inside(path)) this.#durableNames.set(path, file);
  }

  database(path: string): SimPairs {
    const known = this.databases.get(path);
    if (known !== undefined) return known;
    const made: SimPairs = { pairs: new Map(), durable: new Map(), unsynced: [], underWay: [] };
    this.databases.set(path, made);
    return made;
  }

  /** What the next start finds. */
  end(how: Ending): void {
    for (const database of this.databases.values()) this.#endDatabase(database, how);
    if (how === 'process killed') return;
    this.#endNames();
    const ended = new Set<SimFile>();
    for (const [path, file] of this.files) {
      if (!ended.has(file)) this.#endFile(path, file);
      ended.add(file);
    }
  }

  #endDatabase(database: SimPairs, how: Ending): void {
    const done = this.random.below(database.underWay.length + 1);
    for (const batch of database.underWay.splice(0).slice(0, done)) applyBatch(database, batch);
    if (how === 'process killed') return;
    const kept = this.random.below(database.unsynced.length + 1);
    for (const batch of database.unsynced.splice(0).slice(0, kept)) applyTo(database.durable, batch);
    database.pairs = new Map(database.durable);
  }

  #endNames(): void {
    const paths = new Set([...this.files.keys(), ...this.#durableNames.keys()]);
    for (const path of paths) {
      const [now, before] = [this.files.get(path), this.#durableNames.get(path)];
      if (now === before || this.random.percent(50)) continue;
      if (before === undefined) this.files.delete(path);
      else this.files.set(path, before);
    }
    this.#durableNames = new Map(this.files);
  }

  #endFile(path: string, file: SimFile): void {
    const { random } = this;
    const { bytes, synced } = file;
    if (bytes === synced) return;
    const isAppended = bytes.length >= synced.length && startsWith(bytes, synced);
    if (!isAppended) {
      file.bytes = random.percent(50) ? synced : bytes.slice(0, random.below(bytes.length + 1));
    } else {
      const lost = bytes.length - synced.length;
      const kept = bytes.slice(0, synced.length + random.below(lost + 1));
      const isGarbled = kept.length > synced.length && random.percent(30);
      if (isGarbled) {
        const at = synced.length + random.below(kept.length - synced.length);
        // A sector that was never written reads as zeros, or as anything.
        if (random.percent(50)) kept.fill(0, at);
        else kept[at] = (kept[at] ?? 0) ^ (1 << random.below(8));
      }
      file.bytes = random.percent(30) ? synced : random.percent(30) ? bytes : kept;
      if (isGarbled && file.bytes === kept) this.garbled.add(path);
    }
    file.synced = file.bytes;
  }
}

/** Does a batch to a database. */
export function applyBatch(database: SimPairs, batch: SimBatch): void {
  applyTo(database.pairs, batch);
  database.unsynced.push(batch);
  if (!batch.sync) return;
  for (const earlier of database.unsynced.splice(0)) applyTo(database.durable, earlier);
}

function applyTo(pairs: Map<string, Uint8Array>, { writes }: SimBatch): void {
  for (const [key, value] of writes) {
    if (value === undefined) pairs.delete(key);
    else pairs.set(key, value);
  }
}

function startsWith(bytes: Uint8Array, start: Uint8Array): boolean {
  for (let i = 0; i < start.length; i++) if (bytes[i] !== start[i]) return false;
  return true;
}
