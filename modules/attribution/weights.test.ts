import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BYTE_WEIGHT, type CoveredSpan, coverageWeights } from './weights.ts';

const span = fc
  .record({
    owner: fc.bigInt({ min: 1n, max: 5n }),
    start: fc.nat({ max: 60 }),
    length: fc.integer({ min: 1, max: 40 }),
  })
  .map(({ owner, start, length }): CoveredSpan => ({ owner, start, end: start + length }));

test('weights add up to the distinct bytes covered, byte by byte shared equally', () => {
  fc.assert(
    fc.property(fc.array(span, { maxLength: 12 }), (spans) => {
      const expected = new Map<bigint, bigint>();
      let covered = 0n;
      for (let byte = 0; byte < 120; byte++) {
        const owners = new Set(spans.filter((s) => s.start <= byte && byte < s.end).map((s) => s.owner));
        if (owners.size > 0) covered++;
        for (const owner of owners)
          expected.set(owner, (expected.get(owner) ?? 0n) + BYTE_WEIGHT / BigInt(owners.size));
      }
      const weights = coverageWeights(spans) ?? [];
      expect(new Map(weights.map(({ owner, weight }) => [owner, weight]))).toEqual(expected);
      expect(weights.reduce((sum, { weight }) => sum + weight, 0n)).toBe(covered * BYTE_WEIGHT);
    }),
  );
});

test('one contribution quoted twice for the same bytes counts once', () => {
  const spans = [
    { owner: 1n, start: 0, end: 10 },
    { owner: 1n, start: 5, end: 15 },
  ];
  expect(coverageWeights(spans)).toEqual([{ owner: 1n, weight: 15n * BYTE_WEIGHT }]);
});

test('sixteen owners may share a byte, seventeen may not', () => {
  const owners = (count: number): CoveredSpan[] =>
    Array.from({ length: count }, (_, i) => ({ owner: BigInt(i), start: 0, end: 1 }));
  expect(coverageWeights(owners(16))?.[0]?.weight).toBe(BYTE_WEIGHT / 16n);
  expect(coverageWeights(owners(17))).toBeUndefined();
  expect(coverageWeights([])).toEqual([]);
});
