/** Changes that know nothing of what the bytes mean. */
import { concatBytes } from '../../core/bytes.ts';
import type { Random } from './random.ts';

const NUMBERS: readonly [number, ...number[]] = [0, 1, 0x7f, 0x80, 0xff, 0x22, 0x5b, 0x5c, 0x7b];

/** One change. */
export function mutateBytes(bytes: Uint8Array, random: Random): Uint8Array {
  const at = random.below(bytes.length);
  const count = 1 + random.below(Math.min(16, bytes.length - at));
  switch (random.below(8)) {
    case 0: {
      const flipped = bytes.slice();
      flipped[at] = (flipped[at] ?? 0) ^ (1 << random.below(8));
      return flipped;
    }
    case 1: {
      const set = bytes.slice();
      set[at] = random.pick(NUMBERS);
      return set;
    }
    case 2:
      return bytes.slice(0, at);
    case 3:
      return concatBytes(bytes.subarray(0, at), bytes.subarray(at + count));
    case 4:
      return concatBytes(bytes.subarray(0, at), random.bytes(count), bytes.subarray(at));
    case 5:
      return concatBytes(bytes.subarray(0, at + count), bytes.subarray(at));
    case 6:
      return concatBytes(bytes.subarray(0, at), random.bytes(count), bytes.subarray(at + count));
    default: {
      const filled = bytes.slice();
      return filled.fill(random.pick(NUMBERS), at, at + count);
    }
  }
}

/** The beginning of one and the end of another. */
export function splice(a: Uint8Array, b: Uint8Array, random: Random): Uint8Array {
  return concatBytes(a.subarray(0, random.below(a.length + 1)), b.subarray(random.below(b.length + 1)));
}
