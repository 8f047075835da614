/** A set of small indexes that grows with what is added: 1,250 bytes for 10,000 validators. */
import type { BitArray } from '../../consensus/types/bit-array.ts';

/** Mutable bits. Indexes are checked by the decoder, and so bounded. */
export class Bits {
  #bytes: Uint8Array = new Uint8Array(0);

  has(index: number): boolean {
    return (((this.#bytes[index >> 3] ?? 0) >> (index & 7)) & 1) === 1;
  }

  add(index: number): void {
    const at = index >> 3;
    if (at >= this.#bytes.length) {
      const grown = new Uint8Array(at + 1);
      grown.set(this.#bytes);
      this.#bytes = grown;
    }
    this.#bytes[at] = (this.#bytes[at] ?? 0) | (1 << (index & 7));
  }

  /** Becomes equal to the bit array. */
  replace(bits: BitArray): void {
    this.#bytes = Uint8Array.from(bits.bytes);
  }
}

/** The bits of an array, to be changed. */
export function bitsOf(bits: BitArray): Bits {
  const copy = new Bits();
  copy.replace(bits);
  return copy;
}
