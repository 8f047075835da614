/**
 * Binary logarithms in fixed point, from integers only: the same bits on every machine, so that a rank or a
 * weight that hangs on them can be recomputed in a dispute.
 *
 * log2(x) for x = 2^e · m, 1 ≤ m < 2, is e and then binary digits of log2(m): squaring m doubles its
 * logarithm, and whether the square reaches 2 is the next digit. m is kept with 24 bits behind the point, cut
 * off after each squaring; squares are below 2^50, exact in a double. What is cut off makes the result too
 * small by less than 2^-22, and the digits behind the sixteenth by less than 2^-16.
 */
import { assert } from '../../../../core/errors.ts';

/** What 1.0 is in Q16. */
export const Q16 = 65_536;

const DIGITS = 16;
const ONE = 2 ** 24;
const TWO = 2 * ONE;

/** Largest number that a logarithm is taken of: exact in a double. */
export const LOG_INPUT_MAX: number = Number.MAX_SAFE_INTEGER;

/**
 * log2(x) in Q16, rounded down but for less than 2^-22: non-decreasing, exact at powers of two, and
 * log2(x) − 1.02 / 2^16 < result / 2^16 ≤ log2(x).
 * @param x a positive integer up to `LOG_INPUT_MAX`
 */
export function log2Q16(x: number): number {
  assert(Number.isSafeInteger(x) && x > 0, 'logarithm of a positive integer', { x });
  let exponent = 0;
  let scaled = 1;
  while (scaled * 2 <= x) {
    scaled *= 2;
    exponent++;
  }
  // x / 2^e is exact; at most 53 bits are cut to 24 behind the point.
  let mantissa = Math.floor((x / scaled) * ONE);
  let digits = 0;
  for (let i = 0; i < DIGITS; i++) {
    mantissa = Math.floor((mantissa * mantissa) / ONE);
    digits *= 2;
    if (mantissa >= TWO) {
      digits++;
      mantissa = Math.floor(mantissa / 2);
    }
  }
  return exponent * Q16 + digits;
}

/**
 * Bits that a token tells which occurs `count` times in `total`: log2(total / count) in Q16. Within 1.02 /
 * 2^16 of it, 0 for a token that is everywhere, non-increasing in `count`.
 * @param total positive integer
 * @param count positive integer up to `total`
 */
export function surprisalQ16(total: number, count: number): number {
  assert(count <= total, 'a token occurs at most as often as there are tokens', { total, count });
  return log2Q16(total) - log2Q16(count);
}
