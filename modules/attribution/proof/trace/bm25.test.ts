import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compareDocuments, passageScore, PASSAGE_TOKENS_MAX, termScore, usualPassageTokens } from './bm25.ts';
import { TRACE_RULES } from './rules.ts';

const passage = fc
  .record({
    length: fc.integer({ min: 1, max: PASSAGE_TOKENS_MAX }),
    usual: fc.integer({ min: 1, max: 4096 }),
  })
  .chain(({ length, usual }) =>
    fc.record({
      length: fc.constant(length),
      usual: fc.constant(usual),
      idf: fc.integer({ min: 0, max: 2 ** 22 }),
      frequency: fc.integer({ min: 1, max: length }),
    }),
  );

test('the formula of BM25 with k1 = 1.2 and b = 0.75, rounded down', () => {
  fc.assert(
    fc.property(passage, ({ length, usual, idf, frequency: tf }) => {
      const real = (idf * tf * 2.2) / (tf + 1.2 * (1 - 0.75 + (0.75 * length) / usual));
      const score = termScore({ idf, frequency: tf }, { length, usual });
      expect(score).toBeLessThanOrEqual(real + 1e-6);
      expect(score).toBeGreaterThan(real - 1 - 1e-6);
      const exact =
        (BigInt(idf) * BigInt(tf) * 44n * BigInt(usual)) /
        (20n * BigInt(usual) * BigInt(tf) + 6n * BigInt(usual + 3 * length));
      expect(BigInt(score)).toBe(exact);
    }),
    { numRuns: 1_000 },
  );
});

test('vectors', () => {
  const usual = usualPassageTokens(TRACE_RULES);
  expect(usual).toBe(92);
  expect(termScore({ idf: 655_360, frequency: 1 }, { length: 92, usual })).toBe(655_360);
  expect(termScore({ idf: 655_360, frequency: 3 }, { length: 120, usual })).toBe(966_799);
  const terms = [
    { idf: 10, frequency: 1 },
    { idf: 655_360, frequency: 1 },
  ];
  expect(passageScore(terms, { length: 92, usual })).toBe(655_370);
  expect(passageScore([], { length: 92, usual })).toBe(0);
});

test('what would not be exact is our own mistake', () => {
  expect(() => termScore({ idf: 1, frequency: 2 }, { length: 1, usual: 90 })).toThrow('out of bounds');
  expect(() => termScore({ idf: 1, frequency: 1 }, { length: 5_000, usual: 90 })).toThrow('out of bounds');
  expect(() => termScore({ idf: 1, frequency: 1 }, { length: 1, usual: 0 })).toThrow('usual');
});

test('documents stand by score, equal ones by who came first', () => {
  const documents = [
    { score: 1, contributionId: 1n },
    { score: 5, contributionId: 9n },
    { score: 5, contributionId: 2n },
  ];
  expect(documents.sort(compareDocuments).map(({ contributionId }) => contributionId)).toEqual([2n, 9n, 1n]);
});
