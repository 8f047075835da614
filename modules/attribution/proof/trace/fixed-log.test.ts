import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LOG_INPUT_MAX, log2Q16, Q16, surprisalQ16 } from './fixed-log.ts';

const number = fc.oneof(
  fc.integer({ min: 1, max: 5_000 }),
  fc.integer({ min: 1, max: 2 ** 28 }),
  fc.maxSafeNat().map((n) => Math.max(1, n)),
);

test('within 1.02 units of the last place below the logarithm, of every number up to 2^53', () => {
  fc.assert(
    fc.property(number, (x) => {
      const error = Math.log2(x) * Q16 - log2Q16(x);
      // The double that it is compared with is itself wrong by up to 2^-47, or 2^-31 units.
      expect(error).toBeGreaterThan(-1e-6);
      expect(error).toBeLessThan(1.02);
    }),
    { numRuns: 5_000 },
  );
});

test('does not fall from any number to the next, and is exact at powers of two', () => {
  for (let x = 1; x < 5_000; x++) expect(log2Q16(x + 1)).toBeGreaterThanOrEqual(log2Q16(x));
  fc.assert(
    fc.property(number, number, (x, y) => {
      expect(Math.sign(log2Q16(x) - log2Q16(y)) * Math.sign(x - y)).toBeGreaterThanOrEqual(0);
    }),
  );
  for (let e = 0; e <= 52; e++) expect(log2Q16(2 ** e)).toBe(e * Q16);
});

/** Frozen: a change of one is another rule on chain. */
const VECTORS: readonly (readonly [x: number, q16: number])[] = [
  [1, 0],
  [3, 103872],
  [10, 217705],
  [720_720, 1275270],
  [4_000_000, 1437307],
  [2 ** 28 - 1, 1835007],
  [LOG_INPUT_MAX, 3473407],
];

test.each(VECTORS)('log2(%i)', (x, q16) => {
  expect(log2Q16(x)).toBe(q16);
});

test('surprisal is the difference of logarithms', () => {
  expect(surprisalQ16(1024, 1)).toBe(10 * Q16);
  expect(surprisalQ16(77, 77)).toBe(0);
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2 ** 28 }), fc.nat(), (total, pick) => {
      const count = 1 + (pick % total);
      const error = surprisalQ16(total, count) - Math.log2(total / count) * Q16;
      expect(Math.abs(error)).toBeLessThan(1.02);
    }),
  );
});

test('no logarithm of anything else', () => {
  for (const x of [0, -1, 1.5, Number.NaN, LOG_INPUT_MAX + 1]) expect(() => log2Q16(x)).toThrow('positive');
  expect(() => surprisalQ16(3, 4)).toThrow('at most as often');
});
