import fc from 'fast-check';
import { expect, test } from 'vitest';
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
const surprisals = fc
  .array(fc.nat(22 * 65_536), { minLength: 80, maxLength: 80 })
  .map((list) => Uint32Array.from(list));

test('weights add up to those of the spans, each token counted once', () => {
  fc.assert(
    fc.property(fc.array(heldSpan, { maxLength: 8 }), surprisals, (spans, bits) => {
      const weights = spanWeights(spans, bits, TOTAL);
      const whole = weights.reduce((a, b) => a + b, 0n);
      const shares = traceWeights(spans, weights);
      expect(shares.reduce((sum, { weight }) => sum + weight, 0n)).toBe(whole);
      expect(shares.map(({ contributionId }) => contributionId)).toEqual(
        [...new Set(shares.map(({ contributionId }) => contributionId))].sort((a, b) => Number(a - b)),
      );
      const held = spans.filter(({ holders }) => holders.length > 0);
      const covered = [...bits.keys()].filter((at) => held.some(({ start, end }) => start <= at && at < end));
      const most = BigInt(covered.reduce((sum, at) => sum + (bits[at] ?? 0), 0));
      expect(whole).toBeLessThanOrEqual(most);
      // Without the part that counts take, less than a unit is lost a span.
      const single = spanWeights(
        held.map((span) => ({ ...span, count: 1 })),
        bits,
        TOTAL,
      );
      expect(single.reduce((a, b) => a + b, 0n)).toBe(most);
    }),
  );
});

test('a passage that occurs once keeps its bits, a common one loses some, one that is everywhere all', () => {
  const weight = (count: number, total = TOTAL): bigint | undefined =>
    spanWeights([{ start: 0, end: 1, count, holders: [1n] }], Uint32Array.of(1_000), total)[0];
  expect(weight(1)).toBe(1_000n);
  expect(weight(10)).toBe(848n);
  expect(weight(TOTAL)).toBe(0n);
  expect(() => weight(1, 1)).toThrow('two tokens');
});

test('equal parts; what does not divide goes to the first', () => {
  expect(splitEqually(8n, [3n, 5n, 9n])).toEqual([
    { contributionId: 3n, weight: 3n },
    { contributionId: 5n, weight: 3n },
    { contributionId: 9n, weight: 2n },
  ]);
  expect(splitEqually(8n, [])).toEqual([]);
});

test('a span inside a rarer one earns for the rest of its tokens only', () => {
  const bits = Uint32Array.of(10, 10, 10, 10);
  const spans = [
    { start: 0, end: 3, count: 1, holders: [1n] },
    { start: 2, end: 4, count: 1, holders: [2n] },
  ];
  expect(traceWeights(spans, spanWeights(spans, bits, TOTAL))).toEqual([
    { contributionId: 1n, weight: 30n },
    { contributionId: 2n, weight: 10n },
  ]);
  const withdrawn = spans.map((span, i) => (i === 0 ? { ...span, holders: [] } : span));
  expect(spanWeights(withdrawn, bits, TOTAL)).toEqual([0n, 20n]);
});
