/**
 * Hashes the leaves of trees and the levels above them in batches. A batch's messages are written into the
 * memory of the module, or into a plain array where there is none: whoever writes them sees no difference.
 */
import { leafHash } from '../../core/merkle.ts';
import { HASH_BYTES, sha256 } from '../../core/hash.ts';
import { type AttestModule, instantiate, isOutOfMemory } from './module.ts';

const BLOCK_BYTES = 64;
/** Closing bit and length, which SHA-256 puts behind each message. */
const PADDING_BYTES_MIN = 9;
const PREFIX_BYTES = 1;
/** Messages begin here in a block's place, so that the 32-bit words behind prefix and kind are aligned. */
const MESSAGE_SHIFT = 2;

/** Hashes batches of up to `capacity` messages. */
export interface BatchHasher {
  readonly capacity: number;
  readonly bytes: Uint8Array;
  /** The same memory as little-endian words: signed, since engines keep those as machine integers. */
  readonly words: Int32Array;
  /** Hashes of a batch, 32 bytes each, after `hashLeaves`; the level above them after each `halve`. */
  readonly hashes: Uint8Array;
  /** Begins a batch: where the bytes of its first leaf go. It is 3 more than a multiple of 4. */
  begin(): number;
  /** Ends a leaf of so many bytes at the place that was given; where the next one goes. */
  end(leafBytes: number): number;
  /** Hashes the leaves of the batch into `hashes`; how many there are. */
  hashLeaves(): number;
  /** Replaces `count` hashes by those of the level above, a lone last one as it is; how many these are. */
  halve(count: number): number;
}

/** What a batch must have room for. */
export interface BatchLimits {
  /** Leaves. */
  readonly capacity: number;
  /** Bytes of the longest leaf. */
  readonly leafBytesMax: number;
}

/** Where things are in the memory. */
interface Layout {
  readonly messages: number;
  readonly blocks: number;
  readonly hashes: number;
  readonly end: number;
}

function layoutOf(base: number, { capacity, leafBytesMax }: BatchLimits): Layout {
  const messages = base + MESSAGE_SHIFT;
  const blocks = base + BLOCK_BYTES * (1 + capacity * blocksOf(PREFIX_BYTES + leafBytesMax));
  const hashes = blocks + Math.ceil(capacity / BLOCK_BYTES) * BLOCK_BYTES;
  return { messages, blocks, hashes, end: hashes + capacity * HASH_BYTES };
}

function blocksOf(messageBytes: number): number {
  return Math.ceil((messageBytes + PADDING_BYTES_MIN) / BLOCK_BYTES);
}

/** A hasher by the module, four messages at a time; undefined where it cannot run. */
export function wasmHasher(limits: BatchLimits): BatchHasher | undefined {
  return orWithout(() => {
    const module = instantiate();
    return module && moduleBatch(module, limits, 0);
  });
}

/** A hasher of the module whose memory has so many bytes more behind it. */
function moduleBatch(module: AttestModule, limits: BatchLimits, more: number): Batch {
  const at = layoutOf(module.base, limits);
  const { hashes, messages, blocks } = at;
  return new Batch({ limits, at, memory: module.memoryTo(at.end + more) }, () => ({
    leaves: (count) => module.hashMessages({ messages, blocks, count, out: hashes }),
    pairs: (count) => module.hashPairs({ hashes, count, out: hashes }),
  }));
}

/** Undefined when there is not enough memory. */
function orWithout<T>(make: () => T): T | undefined {
  try {
    return make();
  } catch (error) {
    if (isOutOfMemory(error)) return undefined;
    throw error;
  }
}

/** A hasher that writes the leaves of a suffix tree by itself. */
export interface SuffixHasher {
  readonly hasher: BatchHasher;
  /** Makes a batch of the leaves of neighbouring ranks, whose positions these are. */
  write(positions: Uint32Array): void;
}

/** What leaves of a suffix tree are made of: attest/index/leaf-writers.ts. */
export interface SuffixText {
  readonly reversed: Int32Array;
  readonly marks: Uint32Array;
  readonly entriesPerLeaf: number;
}

/** No document has this index: it is behind the last mark. */
const NO_MARK = 0xffffffff;

/** Such a hasher by the module, without salts; undefined where it cannot run. Takes a copy of the text. */
export function wasmSuffixHasher(
  limits: BatchLimits,
  { reversed, marks, entriesPerLeaf }: SuffixText,
): SuffixHasher | undefined {
  return orWithout(() => {
    const module = instantiate();
    if (module === undefined) return undefined;
    const text = layoutOf(module.base, limits).end;
    const marksAt = text + reversed.byteLength;
    const sa = marksAt + marks.byteLength + Uint32Array.BYTES_PER_ELEMENT;
    const saBytes = limits.capacity * entriesPerLeaf * Uint32Array.BYTES_PER_ELEMENT;
    const batch = moduleBatch(module, limits, sa + saBytes - text);
    batch.words.set(reversed, text >> 2);
    const words = new Uint32Array(batch.words.buffer);
    words.set(marks, marksAt >> 2);
    words[(sa >> 2) - 1] = NO_MARK;
    return {
      hasher: batch,
      write: (positions) => {
        words.set(positions, sa >> 2);
        batch.fill(Math.ceil(positions.length / entriesPerLeaf), (messages, blocks) => {
          const entries = positions.length;
          const at = { text, marks: marksAt, sa, entries, perLeaf: entriesPerLeaf, messages, blocks };
          module.writeSuffixLeaves(at);
        });
      },
    };
  });
}

/** The same by core/hash.ts, a message at a time. */
export function plainHasher(limits: BatchLimits): BatchHasher {
  const at = layoutOf(0, limits);
  return new Batch({ limits, at, memory: new ArrayBuffer(at.end) }, (batch) => ({
    leaves: (count) => hashOneByOne(batch, at, count),
    pairs: (count) => hashPairs(batch.hashes, count),
  }));
}

/** The fastest that this machine has. */
export function batchHasher(limits: BatchLimits): BatchHasher {
  return wasmHasher(limits) ?? plainHasher(limits);
}

/** What does the hashing: of the messages of a batch, and of pairs of hashes. */
interface Engine {
  leaves(count: number): void;
  pairs(count: number): void;
}

class Batch implements BatchHasher {
  readonly capacity: number;
  readonly bytes: Uint8Array;
  readonly words: Int32Array;
  readonly hashes: Uint8Array;
  readonly #at: Layout;
  readonly #view: DataView;
  readonly #engine: Engine;
  #message: number;
  #count = 0;

  constructor(
    { limits, at, memory }: { limits: BatchLimits; at: Layout; memory: ArrayBuffer },
    engine: (batch: Batch) => Engine,
  ) {
    this.capacity = limits.capacity;
    this.bytes = new Uint8Array(memory);
    this.words = new Int32Array(memory, 0, memory.byteLength >> 2);
    this.hashes = new Uint8Array(memory, at.hashes, limits.capacity * HASH_BYTES);
    this.#at = at;
    this.#view = new DataView(memory);
    this.#engine = engine(this);
    this.#message = at.messages;
  }

  begin(): number {
    this.#message = this.#at.messages;
    this.#count = 0;
    return this.#message + PREFIX_BYTES;
  }

  end(leafBytes: number): number {
    const from = this.#message;
    const length = PREFIX_BYTES + leafBytes;
    const blocks = blocksOf(length);
    const next = from + blocks * BLOCK_BYTES;
    this.bytes[from] = 0;
    this.bytes[from + length] = 0x80;
    for (let i = from + length + 1; i < next - 4; i++) this.bytes[i] = 0;
    this.#view.setUint32(next - 4, 8 * length);
    this.bytes[this.#at.blocks + this.#count++] = blocks;
    this.#message = next;
    return next + PREFIX_BYTES;
  }

  /** Has a whole batch of messages written by the module. */
  fill(count: number, write: (messages: number, blocks: number) => void): void {
    write(this.#at.messages, this.#at.blocks);
    this.#count = count;
  }

  hashLeaves(): number {
    this.#engine.leaves(this.#count);
    return this.#count;
  }

  halve(count: number): number {
    this.#engine.pairs(count);
    return Math.ceil(count / 2);
  }
}

function hashOneByOne({ bytes, hashes }: Batch, at: Layout, count: number): void {
  const view = new DataView(bytes.buffer);
  let from = at.messages;
  for (let i = 0; i < count; i++) {
    const next = from + (bytes[at.blocks + i] ?? 0) * BLOCK_BYTES;
    const length = view.getUint32(next - 4) / 8;
    hashes.set(leafHash(bytes.subarray(from + PREFIX_BYTES, from + length)), i * HASH_BYTES);
    from = next;
  }
}

function hashPairs(hashes: Uint8Array, count: number): void {
  const input = new Uint8Array(1 + 2 * HASH_BYTES);
  input[0] = 1;
  for (let i = 0; i < count; i += 2) {
    const pair = hashes.subarray(i * HASH_BYTES, Math.min(i + 2, count) * HASH_BYTES);
    if (pair.length === HASH_BYTES) {
      hashes.set(pair, (i / 2) * HASH_BYTES);
    } else {
      input.set(pair, 1);
      hashes.set(sha256(input), (i / 2) * HASH_BYTES);
    }
  }
}
