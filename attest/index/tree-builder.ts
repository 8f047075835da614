/**
 * Builds a tree over leaves that are written one after another, in memory that does not grow with the tree.
 */
import { HASH_BYTES } from '../../core/hash.ts';
import type { BatchHasher } from '../wasm/batch-hasher.ts';
import { FIRST_KEPT_LEVEL, keptNodes, nodesOf, rootLevel } from './tree-layout.ts';

/** Writes the bytes of leaf `index` into the hasher's memory at `at`; how many. */
export type WriteLeaf = (index: number, at: number) => number;

/** Writes the leaves from `first` on, up to `end`, as one batch of the hasher. */
export interface WriteBatch {
  readonly batch: (first: number, end: number) => void;
}

/** Takes the nodes that are kept: `at` is their offset in bytes, `hashes` is used again after the call. */
export type KeepNodes = (at: number, hashes: Uint8Array) => void;

/** A tree to be built. */
export interface TreePlan {
  /** At least one. */
  readonly leaves: number;
  readonly write: WriteLeaf | WriteBatch;
  readonly keep: KeepNodes;
  /** Is told how many leaves are hashed, some hundred times. */
  readonly progress?: (leaves: number) => void;
}

/** Bytes of a level that wait to be kept. */
const LEVEL_BUFFER_BYTES = 1 << 16;
const REPORTS = 200;

/** Hashes all leaves and inner nodes, hands on the nodes that are kept, and returns the root of RFC 6962. */
export function buildTree(hasher: BatchHasher, plan: TreePlan): Uint8Array {
  const levels = new KeptLevels(plan);
  const { leaves, write, progress } = plan;
  const { capacity, hashes } = hasher;
  const step = Math.log2(capacity);
  let tops = new Uint8Array(nodesOf(leaves, step) * HASH_BYTES);
  const reportEvery = Math.max(1, Math.floor(leaves / capacity / REPORTS));
  for (let batch = 0, first = 0; first < leaves; batch++, first += capacity) {
    const end = Math.min(leaves, first + capacity);
    if (typeof write === 'function') writeBatch(hasher, write, first, end);
    else write.batch(first, end);
    climb(hasher, { levels, from: 0, steps: step, count: hasher.hashLeaves() });
    tops.set(hashes.subarray(0, HASH_BYTES), batch * HASH_BYTES);
    if (batch % reportEvery === 0) progress?.(end);
  }
  for (let level = step; tops.length > HASH_BYTES; level += step)
    tops = raise(hasher, { levels, level, tops });
  levels.flush();
  return tops;
}

function writeBatch(hasher: BatchHasher, write: WriteLeaf, first: number, end: number): void {
  let at = hasher.begin();
  for (let index = first; index < end; index++) at = hasher.end(write(index, at));
}

/** Takes the hashes in the hasher up so many levels. */
function climb(
  hasher: BatchHasher,
  { levels, from, steps, count }: { levels: KeptLevels; from: number; steps: number; count: number },
): void {
  for (let level = from + 1; level <= from + steps; level++) {
    count = hasher.halve(count);
    levels.add(level, hasher.hashes.subarray(0, count * HASH_BYTES));
  }
}

/** The nodes as many levels above `level` as a batch has; `tops` are those of the level. */
function raise(
  hasher: BatchHasher,
  { levels, level, tops }: { levels: KeptLevels; level: number; tops: Uint8Array<ArrayBuffer> },
): Uint8Array<ArrayBuffer> {
  const { capacity, hashes } = hasher;
  const batchBytes = capacity * HASH_BYTES;
  const above = new Uint8Array(Math.ceil(tops.length / batchBytes) * HASH_BYTES);
  for (let batch = 0; batch * batchBytes < tops.length; batch++) {
    const part = tops.subarray(batch * batchBytes, (batch + 1) * batchBytes);
    hashes.set(part);
    climb(hasher, { levels, from: level, steps: Math.log2(capacity), count: part.length / HASH_BYTES });
    above.set(hashes.subarray(0, HASH_BYTES), batch * HASH_BYTES);
  }
  return above;
}

/** Gathers the nodes of each level into pieces worth writing. */
class KeptLevels {
  readonly #buffers: { at: number; used: number; readonly bytes: Uint8Array }[] = [];
  readonly #keep: KeepNodes;

  constructor({ leaves, keep }: TreePlan) {
    this.#keep = keep;
    for (let level = FIRST_KEPT_LEVEL; level <= rootLevel(leaves); level++) {
      const bytes = Math.min(LEVEL_BUFFER_BYTES, nodesOf(leaves, level) * HASH_BYTES);
      this.#buffers.push({
        at: keptNodes(leaves, level) * HASH_BYTES,
        used: 0,
        bytes: new Uint8Array(bytes),
      });
    }
  }

  /** Adds nodes behind those of the level so far. Levels that are not kept, or above the root, are let go. */
  add(level: number, hashes: Uint8Array): void {
    const buffer = this.#buffers[level - FIRST_KEPT_LEVEL];
    if (buffer === undefined) return;
    for (let from = 0; from < hashes.length; ) {
      const part = hashes.subarray(from, from + buffer.bytes.length - buffer.used);
      buffer.bytes.set(part, buffer.used);
      buffer.used += part.length;
      from += part.length;
      if (buffer.used === buffer.bytes.length) this.#write(buffer);
    }
  }

  flush(): void {
    for (const buffer of this.#buffers) if (buffer.used > 0) this.#write(buffer);
  }

  #write(buffer: { at: number; used: number; readonly bytes: Uint8Array }): void {
    this.#keep(buffer.at, buffer.bytes.subarray(0, buffer.used));
    buffer.at += buffer.used;
    buffer.used = 0;
  }
}
