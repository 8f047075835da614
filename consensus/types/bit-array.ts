/**
 * A fixed number of bits: which votes or parts somebody holds. Bounds come first (GHSA-hrhf-2vcr-ghch: the
 * count of bits and the words that hold them must agree before anybody reads them).
 */
import { assert, DecodeError } from '../../core/errors.ts';

/** Most bits that are read from outside: more than any validator set or part set has. */
export const BIT_ARRAY_BITS_MAX = 10_000;
/** Most words of 64 bits that hold them. */
export const BIT_ARRAY_WORDS_MAX: number = Math.ceil(BIT_ARRAY_BITS_MAX / 64);

/** Bits 0…length-1; bit i is bit i % 8 of byte i / 8. Bits past the length are zero. */
export interface BitArray {
  readonly length: number;
  readonly bytes: Uint8Array;
}

/** That many bits, those at `indexes` set. */
export function bitArray(length: number, indexes: Iterable<number> = []): BitArray {
  assert(Number.isInteger(length) && length >= 0, 'a bit array needs a whole length', { length });
  const bytes = new Uint8Array(Math.ceil(length / 8));
  for (const index of indexes) {
    assert(index >= 0 && index < length, 'bit index out of range', { index, length });
    bytes[index >> 3] = (bytes[index >> 3] ?? 0) | (1 << (index & 7));
  }
  return { length, bytes };
}

/** The bit at an index; false outside. */
export function hasBit(bits: BitArray, index: number): boolean {
  if (index < 0 || index >= bits.length) return false;
  return (((bits.bytes[index >> 3] ?? 0) >> (index & 7)) & 1) === 1;
}

/** The indexes of the bits that are set, rising. */
export function* setBits(bits: BitArray): Generator<number> {
  for (let index = 0; index < bits.length; index++) if (hasBit(bits, index)) yield index;
}

/** How many bits are set. */
export function countBits(bits: BitArray): number {
  let count = 0;
  for (const _index of setBits(bits)) count++;
  return count;
}

/** What `mine` has and `theirs` lacks; a shorter `theirs` lacks what lies past its end. */
export function missingBits(mine: BitArray, theirs: BitArray): BitArray {
  const bytes = mine.bytes.map((byte, index) => byte & ~(theirs.bytes[index] ?? 0));
  return { length: mine.length, bytes };
}

/** The words of the protobuf message tendermint.libs.bits.BitArray: 64 bits each, bit i in word i / 64. */
export function bitArrayToWords(bits: BitArray): bigint[] {
  const words: bigint[] = [];
  for (let from = 0; from < bits.bytes.length; from += 8) {
    let word = 0n;
    for (let i = 7; i >= 0; i--) word = (word << 8n) | BigInt(bits.bytes[from + i] ?? 0);
    words.push(word);
  }
  return words;
}

/**
 * Reads the words of a protobuf BitArray.
 * @throws DecodeError when there are too many bits, when words and bits disagree, or when a bit past the
 *   end is set
 */
export function bitArrayFromWords(length: bigint, words: readonly bigint[]): BitArray {
  if (length < 0n || length > BigInt(BIT_ARRAY_BITS_MAX)) {
    throw new DecodeError(`bit array must have 0 to ${BIT_ARRAY_BITS_MAX} bits`, { length });
  }
  const count = Number(length);
  if (words.length !== Math.ceil(count / 64)) {
    throw new DecodeError('bit array: number of words and bits disagree', {
      bits: count,
      words: words.length,
    });
  }
  const bytes = new Uint8Array(Math.ceil(count / 8));
  for (let i = 0; i < bytes.length; i++) {
    bytes[i] = Number(((words[i >> 3] ?? 0n) >> BigInt(8 * (i & 7))) & 0xffn);
  }
  const bits = { length: count, bytes };
  const written = bitArrayToWords(bitArray(count, setBits(bits)));
  if (written.some((word, index) => word !== words[index])) {
    throw new DecodeError('bit array: a bit past the end is set', { bits: count });
  }
  return bits;
}
