/**
 * Writes over a substore that have not reached it: what a block, a transaction or a message has written so
 * far.
 *
 * Writes are found by the key's latin-1 text, whose order is the order of the bytes. The sorted list of keys
 * that iteration needs is brought up to date only when something iterates; iterations under way keep the list
 * they began with.
 */
import { compareBytes } from '../core/bytes.ts';
import type { KeyRange, KeyValue, KVStore } from './kv.ts';

/** A pending write; a missing value is a delete. */
export interface Write {
  readonly key: Uint8Array;
  readonly value: Uint8Array | undefined;
}

/** What lies under an overlay. `text` is `keyText(key)`, computed once for all layers. */
export interface Layer {
  read(text: string, key: Uint8Array): Uint8Array | undefined;
  iterate(range: KeyRange): Iterable<KeyValue>;
}

/** A layer that takes writes. */
export interface WritableLayer extends Layer {
  put(text: string, write: Write): void;
}

declare global {
  interface Buffer {
    /** The bytes as a latin-1 string. In Node.js since 0.x, missing from its type package. */
    latin1Slice(start: number, end: number): string;
  }
}

/** Up to this many new keys are inserted one by one; more are sorted in together. */
const INSERTIONS_MAX = 64;

/** Shared, so never written to. */
const NO_TEXTS: string[] = [];

/** The key as a string of its bytes: a map key with the order of `compareBytes`. */
export function keyText(key: Uint8Array): string {
  return Buffer.prototype.latin1Slice.call(key, 0, key.length);
}

/** A substore with pending writes. It keeps the arrays given to `set`: their owner no longer changes them. */
export class Overlay implements KVStore, WritableLayer {
  readonly #under: Layer;
  /** Made by the first write: most overlays of a transaction stay without. */
  #writes: Map<string, Write> | undefined;
  /** Keys of `#writes` in order, but for those in `#unsorted`; undefined until something iterates. */
  #sorted: string[] | undefined;
  #unsorted: string[] = NO_TEXTS;
  /** True when an iteration may be reading `#sorted`. */
  #shared = false;

  constructor(under: Layer) {
    this.#under = under;
  }

  /** Number of keys written. */
  get size(): number {
    return this.#writes === undefined ? 0 : this.#writes.size;
  }

  get(key: Uint8Array, text: string = keyText(key)): Uint8Array | undefined {
    return this.read(text, key);
  }

  has(key: Uint8Array, text: string = keyText(key)): boolean {
    return this.read(text, key) !== undefined;
  }

  set(key: Uint8Array, value: Uint8Array, text: string = keyText(key)): void {
    this.put(text, { key, value });
  }

  delete(key: Uint8Array, text: string = keyText(key)): void {
    this.put(text, { key, value: undefined });
  }

  read(text: string, key: Uint8Array): Uint8Array | undefined {
    const write = this.#writes?.get(text);
    return write === undefined ? this.#under.read(text, key) : write.value;
  }

  put(text: string, write: Write): void {
    this.#writes ??= new Map();
    const before = this.#writes.size;
    this.#writes.set(text, write);
    if (this.#sorted === undefined || this.#writes.size === before) return;
    if (this.#unsorted === NO_TEXTS) this.#unsorted = [];
    this.#unsorted.push(text);
  }

  iterate(range: KeyRange): Iterable<KeyValue> {
    const under = this.#under.iterate(range);
    if (this.#writes === undefined) return under;
    const keys = this.#sort(this.#writes);
    const from = range.start === undefined ? 0 : lowerBound(keys, keyText(range.start));
    const to = range.end === undefined ? keys.length : lowerBound(keys, keyText(range.end));
    if (from >= to) return under;
    this.#shared = true;
    return merge({ keys, from, to, writes: this.#writes }, under, range.reverse === true);
  }

  /** Moves all writes to another layer and empties this one. */
  moveTo(target: WritableLayer): void {
    if (this.#writes === undefined) return;
    for (const [text, write] of this.#writes) target.put(text, write);
    this.clear();
  }

  /** Removes and returns all writes in key order. */
  takeSorted(): Write[] {
    if (this.#writes === undefined) return [];
    const taken = inOrder(this.#sort(this.#writes), this.#writes);
    this.clear();
    return taken;
  }

  /** Iterations under way go on with what they began with. */
  clear(): void {
    this.#writes = undefined;
    this.#sorted = undefined;
    this.#unsorted = NO_TEXTS;
    this.#shared = false;
  }

  #sort(writes: ReadonlyMap<string, Write>): readonly string[] {
    if (this.#sorted === undefined) {
      this.#sorted = [...writes.keys()].sort(compareTexts);
    } else if (this.#unsorted.length > INSERTIONS_MAX) {
      this.#sorted = this.#sorted.concat(this.#unsorted).sort(compareTexts);
      this.#shared = false;
    } else if (this.#unsorted.length > 0) {
      if (this.#shared) this.#sorted = this.#sorted.slice();
      for (const text of this.#unsorted) this.#sorted.splice(lowerBound(this.#sorted, text), 0, text);
      this.#shared = false;
    }
    this.#unsorted = NO_TEXTS;
    return this.#sorted;
  }
}

/** A function of its own: what follows such a long loop is not compiled well, and the loop anew at each block. */
function inOrder(keys: readonly string[], writes: ReadonlyMap<string, Write>): Write[] {
  const taken: Write[] = [];
  for (const text of keys) {
    const write = writes.get(text);
    if (write !== undefined) taken.push(write);
  }
  return taken;
}

interface OwnWrites {
  readonly keys: readonly string[];
  readonly from: number;
  readonly to: number;
  readonly writes: ReadonlyMap<string, Write>;
}

/** Both sequences in order; where a key is in both, the own write counts. */
function* merge(
  own: OwnWrites,
  under: Iterable<KeyValue>,
  reverse: boolean,
): Generator<KeyValue, void, void> {
  const sign = reverse ? -1 : 1;
  const below = under[Symbol.iterator]();
  let pair = below.next();
  let at = reverse ? own.to - 1 : own.from;
  while (true) {
    const text = at >= own.from && at < own.to ? own.keys[at] : undefined;
    if (text === undefined) {
      if (pair.done === true) return;
      yield pair.value;
      pair = below.next();
      continue;
    }
    const write = own.writes.get(text);
    const order =
      pair.done === true || write === undefined ? -1 : sign * compareBytes(write.key, pair.value[0]);
    if (order > 0 && pair.done !== true) {
      yield pair.value;
      pair = below.next();
      continue;
    }
    at += sign;
    if (order === 0) pair = below.next();
    if (write?.value !== undefined) yield [write.key, write.value];
  }
}

function compareTexts(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Index of the first key that is not below `text`. */
function lowerBound(keys: readonly string[], text: string): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((keys[middle] ?? '') < text) low = middle + 1;
    else high = middle;
  }
  return low;
}
