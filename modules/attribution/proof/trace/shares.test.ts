import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Q16 } from './fixed-log.ts';
import { type HeldSpan, spanWeights, splitEqually, traceWeights } from './shares.ts';

const TOTAL = 4_000_000;

const heldSpan = fc
  .record({
    start: fc.nat(50),
    length: fc.integer({ min: 1, max: 30 }),
    holders: fc.uniqueArray(fc.bigInt(1n, 12n), { maxLength: 10 }),
    more: fc.nat(3),
  })
  .map(
    ({ start, length, holders, more }): HeldSpan => ({
      start,
      end: start + length,
      count: Math.max(1, holders.length + more),
      holders: holders.sort((a, b) => Number(a - b)),
    }),
  );

test('weights add up to those of the spans, and are their tokens but for what counts take', () => {
  fc.assert(
    fc.property(fc.array(heldSpan, { maxLength: 8 }), (spans) => {
      const weights = spanWeights(spans, TOTAL);
      const whole = weights.reduce((a, b) => a + b, 0n);
      const shares = traceWeights(spans, weights);
      expect(shares.reduce((sum, { weight }) => sum + weight, 0n)).toBe(whole);
      expect(shares.map(({ contributionId }) => contributionId)).toEqual(
        [...new Set(shares.map(({ contributionId }) => contributionId))].sort((a, b) => Number(a - b)),
      );
      const held = spans.filter(({ holders }) => holders.length > 0);
      const most = BigInt(held.reduce((sum, { start, end }) => sum + (end - start) * Q16, 0));
      expect(whole).toBeLessThanOrEqual(most);
      const single = spanWeights(
        held.map((span) => ({ ...span, count: 1 })),
        TOTAL,
      );
      expect(single.reduce((a, b) => a + b, 0n)).toBe(most);
    }),
  );
});

test('a passage that occurs once keeps its tokens, a common one loses some, one that is everywhere all', () => {
  const weight = (count: number, total = TOTAL): bigint | undefined =>
    spanWeights([{ start: 3, end: 13, count, holders: [1n] }], total)[0];
  expect(weight(1)).toBe(655_360n);
  expect(weight(10)).toBe(556_094n);
  expect(weight(TOTAL)).toBe(0n);
  expect(() => weight(1, 1)).toThrow('two tokens');
  expect(spanWeights([{ start: 3, end: 13, count: 1, holders: [] }], TOTAL)).toEqual([0n]);
});

test('equal parts; what does not divide goes to the first', () => {
  expect(splitEqually(8n, [3n, 5n, 9n])).toEqual([
    { contributionId: 3n, weight: 3n },
    { contributionId: 5n, weight: 3n },
    { contributionId: 9n, weight: 2n },
  ]);
  expect(splitEqually(8n, [])).toEqual([]);
});
