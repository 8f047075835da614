/**
 * Numbers for places, in flat memory: a million contributors are 16 MB of words and a table of as many
 * numbers, where a map of strings would be ten times that.
 */
import { randomFillSync } from 'node:crypto';
import { defined } from '../../core/errors.ts';
import { readPlace } from '../../modules/settlement/proof/leaves.ts';
import type { Place } from '../../proto/gen/openledger/settlement/v1/epoch.ts';

/** 32-bit words of a place, zeros behind its bytes: their order is that of the bytes. */
const WORDS = 4;
const WORD_BYTES = 4;
const FIRST_CAPACITY = 1024;
/** See the file comment: open addressing, at most half full. */
export class PlaceNumbers {
  #words: Uint32Array = new Uint32Array(FIRST_CAPACITY * WORDS);
  /** Number + 1; 0 where there is none. */
  #table: Uint32Array = new Uint32Array(2 * FIRST_CAPACITY);
  #count = 0;
  /** Of the hash. Nobody who states an epoch can pick places that collide at those who judge it. */
  readonly #factors: Uint32Array = randomFillSync(new Uint32Array(WORDS)).map((factor) => factor | 1);
  readonly #scratch: DataView = new DataView(new ArrayBuffer(WORDS * WORD_BYTES));

  get count(): number {
    return this.#count;
  }

  /** The number of a place: the next one when it has none yet. */
  numberOf({ kind, id, level, index }: Place): number {
    const scratch = this.#scratch;
    scratch.setUint8(0, kind);
    scratch.setBigUint64(1, id);
    scratch.setUint8(9, level);
    scratch.setUint32(10, index);
    const words = this.#words;
    const [a, b] = [scratch.getUint32(0), scratch.getUint32(4)];
    const [c, d] = [scratch.getUint32(8), scratch.getUint32(12)];
    const mask = this.#table.length - 1;
    for (let at = this.#hash(a, b, c, d) & mask; ; at = (at + 1) & mask) {
      const number = (this.#table[at] ?? 0) - 1;
      if (number < 0) return this.#add([a, b, c, d], at);
      const from = number * WORDS;
      if (words[from + 3] === d && words[from + 2] === c && words[from + 1] === b && words[from] === a)
        return number;
    }
  }

  /** The place with a number. */
  place(number: number): Place {
    for (let i = 0; i < WORDS; i++)
      this.#scratch.setUint32(i * WORD_BYTES, this.#words[number * WORDS + i] ?? 0);
    return defined(readPlace(new Uint8Array(this.#scratch.buffer), 0), 'a place');
  }

  /** All numbers, in the order of their places. */
  inOrder(): Uint32Array {
    const words = this.#words;
    return Uint32Array.from({ length: this.#count }, (_, number) => number).sort((a, b) => {
      for (let i = 0; i < WORDS; i++) {
        const difference = (words[a * WORDS + i] ?? 0) - (words[b * WORDS + i] ?? 0);
        if (difference !== 0) return difference;
      }
      return 0;
    });
  }

  #add(place: readonly [number, number, number, number], at: number): number {
    const number = this.#count++;
    this.#words.set(place, number * WORDS);
    this.#table[at] = number + 1;
    if (2 * this.#count === this.#table.length) this.#grow();
    return number;
  }

  #grow(): void {
    const words = new Uint32Array(2 * this.#words.length);
    words.set(this.#words);
    this.#words = words;
    const table = new Uint32Array(2 * this.#table.length);
    const mask = table.length - 1;
    for (let number = 0; number < this.#count; number++) {
      const from = number * WORDS;
      const [a = 0, b = 0, c = 0, d = 0] = words.subarray(from, from + WORDS);
      let at = this.#hash(a, b, c, d) & mask;
      while (table[at] !== 0) at = (at + 1) & mask;
      table[at] = number + 1;
    }
    this.#table = table;
  }

  #hash(a: number, b: number, c: number, d: number): number {
    const [e = 1, f = 1, g = 1, h = 1] = this.#factors;
    const mixed = Math.imul(a, e) ^ Math.imul(b, f) ^ Math.imul(c, g) ^ Math.imul(d, h);
    return Math.imul(mixed ^ (mixed >>> 15), e) >>> 7;
  }
}
