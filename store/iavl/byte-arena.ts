/**
 * Byte strings (keys and values) in a few large chunks, addressed by a 32-bit reference: a JavaScript object
 * per key would cost more than the key.
 *
 * A record is `length u32 | references u32 | bytes`, padded to 8 bytes; a reference is the record's position
 * in units of 8 bytes. Freed records wait in a list per size class, linked through their length field, for
 * the next record of that class. A record larger than a chunk has a chunk of its own. Reference 0 is never
 * given out.
 */
import { copyBytes as copyOf } from '../../core/bytes.ts';
import { AssertionError, assert } from '../../core/errors.ts';

const UNIT_BYTES = 8;
const HEADER_BYTES = 8;
const CHUNK_SHIFT = 17;
/** Units in a chunk: 1 MiB. */
const CHUNK_UNITS = 1 << CHUNK_SHIFT;
const CHUNK_MASK = CHUNK_UNITS - 1;
/** Chunks that 32-bit references can name. */
const CHUNKS_MAX = 2 ** 15;
/** Records up to this many units have a size class each; larger ones share four classes per doubling. */
const EXACT_UNITS_MAX = 64;

const COPIED_BYTEWISE_MAX = 48;

/** A reference to a record; 0 is none. */
export type ByteRef = number;

/** Stores byte strings with a count of references each. */
export class ByteArena {
  readonly #bytes: Uint8Array[] = [];
  readonly #words: Uint32Array[] = [];
  /** First free record by units of its class. */
  readonly #free = new Map<number, ByteRef>();
  /** Chunk numbers whose large record was freed. */
  readonly #freeChunks: number[] = [];
  #tail: ByteRef = 0;
  #tailUnits = 0;
  #usedBytes = 0;

  /** Bytes held by live records, headers and padding included. */
  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** Bytes allocated from the operating system. */
  get allocatedBytes(): number {
    let total = 0;
    for (const chunk of this.#bytes) total += chunk.length;
    return total;
  }

  /** Stores a copy of the bytes with one reference. */
  store(bytes: Uint8Array): ByteRef {
    const units = classUnits(bytes.length);
    const ref = this.#take(units);
    const words = this.#wordsOf(ref);
    const unit = ref & CHUNK_MASK;
    words[2 * unit] = bytes.length;
    words[2 * unit + 1] = 1;
    copyBytes(bytes, 0, bytes.length, this.#bytesOf(ref), unit * UNIT_BYTES + HEADER_BYTES);
    this.#usedBytes += units * UNIT_BYTES;
    return ref;
  }

  /** Adds a reference. */
  retain(ref: ByteRef): void {
    const words = this.#wordsOf(ref);
    const at = 2 * (ref & CHUNK_MASK) + 1;
    words[at] = (words[at] ?? 0) + 1;
  }

  /** Drops a reference; the record is freed with the last one. */
  release(ref: ByteRef): void {
    const words = this.#wordsOf(ref);
    const at = 2 * (ref & CHUNK_MASK) + 1;
    const references = words[at] ?? 0;
    if (references === 0) throw new AssertionError('a byte record was released twice', { ref });
    words[at] = references - 1;
    if (references === 1) this.#freeRecord(ref, words[at - 1] ?? 0);
  }

  /** A copy of the record's bytes: the record's own place may be used again later. */
  read(ref: ByteRef): Uint8Array {
    const bytes = this.#bytesOf(ref);
    const from = (ref & CHUNK_MASK) * UNIT_BYTES + HEADER_BYTES;
    return copyOf(bytes, from, from + this.length(ref));
  }

  /** Length of the record's bytes. */
  length(ref: ByteRef): number {
    return this.#words[ref >>> CHUNK_SHIFT]?.[2 * (ref & CHUNK_MASK)] ?? 0;
  }

  /** Memory that the record takes, header and padding included. */
  recordBytes(ref: ByteRef): number {
    return classUnits(this.length(ref)) * UNIT_BYTES;
  }

  /** Copies the record's bytes to `target` at `offset`; returns the offset after them. */
  copyTo(ref: ByteRef, target: Uint8Array, offset: number): number {
    const bytes = this.#bytesOf(ref);
    const from = (ref & CHUNK_MASK) * UNIT_BYTES + HEADER_BYTES;
    const length = this.length(ref);
    copyBytes(bytes, from, length, target, offset);
    return offset + length;
  }

  /** Order of `key` against the record, as `compareBytes(key, read(ref))`. */
  compare(key: Uint8Array, ref: ByteRef): number {
    const bytes = this.#bytesOf(ref);
    const from = (ref & CHUNK_MASK) * UNIT_BYTES + HEADER_BYTES;
    const length = this.length(ref);
    const shared = key.length < length ? key.length : length;
    for (let i = 0; i < shared; i++) {
      const difference = (key[i] ?? 0) - (bytes[from + i] ?? 0);
      if (difference !== 0) return difference;
    }
    return key.length - length;
  }

  #bytesOf(ref: ByteRef): Uint8Array {
    const bytes = this.#bytes[ref >>> CHUNK_SHIFT];
    if (bytes === undefined) throw new AssertionError('byte chunk is missing', { ref });
    return bytes;
  }

  #wordsOf(ref: ByteRef): Uint32Array {
    const words = this.#words[ref >>> CHUNK_SHIFT];
    if (words === undefined) throw new AssertionError('byte chunk is missing', { ref });
    return words;
  }

  #take(units: number): ByteRef {
    if (units > CHUNK_UNITS) return this.#takeChunk(units);
    const free = this.#free.get(units);
    if (free !== undefined) {
      const next = this.length(free);
      if (next === 0) this.#free.delete(units);
      else this.#free.set(units, next);
      return free;
    }
    if (this.#tailUnits < units) this.#newTail();
    const ref = this.#tail;
    this.#tail += units;
    this.#tailUnits -= units;
    return ref;
  }

  #takeChunk(units: number): ByteRef {
    const chunk = this.#freeChunks.pop() ?? this.#bytes.length;
    this.#addChunk(chunk, units);
    return chunk * CHUNK_UNITS;
  }

  #newTail(): void {
    // What is left of the last chunk serves small records.
    while (this.#tailUnits > 0) {
      const units = Math.min(this.#tailUnits, EXACT_UNITS_MAX);
      this.#putFree(this.#tail, units);
      this.#tail += units;
      this.#tailUnits -= units;
    }
    const chunk = this.#bytes.length;
    this.#addChunk(chunk, CHUNK_UNITS);
    const skipped = chunk === 0 ? 1 : 0;
    this.#tail = chunk * CHUNK_UNITS + skipped;
    this.#tailUnits = CHUNK_UNITS - skipped;
  }

  #addChunk(chunk: number, units: number): void {
    assert(chunk < CHUNKS_MAX, 'the byte arena is full: 32 GiB of keys and values', { chunk });
    const buffer = new ArrayBuffer(units * UNIT_BYTES);
    this.#bytes[chunk] = new Uint8Array(buffer);
    this.#words[chunk] = new Uint32Array(buffer);
  }

  #freeRecord(ref: ByteRef, length: number): void {
    const units = classUnits(length);
    this.#usedBytes -= units * UNIT_BYTES;
    if (units <= CHUNK_UNITS) {
      this.#putFree(ref, units);
      return;
    }
    const chunk = ref >>> CHUNK_SHIFT;
    this.#bytes[chunk] = new Uint8Array(0);
    this.#words[chunk] = new Uint32Array(0);
    this.#freeChunks.push(chunk);
  }

  #putFree(ref: ByteRef, units: number): void {
    const words = this.#wordsOf(ref);
    words[2 * (ref & CHUNK_MASK)] = this.#free.get(units) ?? 0;
    this.#free.set(units, ref);
  }
}

/** Short strings are faster byte by byte than through a view. */
function copyBytes(from: Uint8Array, at: number, length: number, to: Uint8Array, offset: number): void {
  if (length > COPIED_BYTEWISE_MAX) to.set(from.subarray(at, at + length), offset);
  else for (let i = 0; i < length; i++) to[offset + i] = from[at + i] ?? 0;
}

/** Units that a record of this many bytes takes, rounded up to its size class. */
function classUnits(length: number): number {
  const units = 1 + Math.ceil(length / UNIT_BYTES);
  if (units <= EXACT_UNITS_MAX) return units;
  if (units > CHUNK_UNITS) return units;
  const step = 2 ** (29 - Math.clz32(units - 1));
  return Math.min(CHUNK_UNITS, Math.ceil(units / step) * step);
}
