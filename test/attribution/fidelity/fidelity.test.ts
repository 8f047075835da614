import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadDigits, randomFrom } from './digits.ts';
import { measure } from './measure.ts';
import { measureMislabels } from './mislabels.ts';
import { areaUnderCurve, pearson, spearman } from './statistics.ts';
import { documentOf, type Result } from './table.ts';

const DOCS = join(import.meta.dirname, '..', '..', '..', 'docs', 'attribution');

test('integer influence tells what retraining does, on a few digits', () => {
  const digits = loadDigits([0, 1, 7]);
  const sizes = { side: 7, lambda: 1e-2, seed: 1, train: 300, test: 60 };
  const row = measure(digits, { ...sizes, queries: 10, subsets: 12, removals: 12 });
  expect(row.accuracy).toBeGreaterThan(0.9);
  expect(row.lds).toBeGreaterThan(0.95);
  expect(row.loo).toBeGreaterThan(0.99);
  expect(row.pearson).toBeGreaterThan(0.99999);
  expect(row.gradient).toBeLessThan(2e-6);
  const flipped = measureMislabels(digits, { ...sizes, flips: 0.1 });
  expect(flipped.knnShapley).toBeGreaterThan(0.95);
  expect(flipped.selfInfluence).toBeGreaterThan(0.9);
});

test('correlations and areas', () => {
  const random = randomFrom(3);
  const values = Array.from({ length: 50 }, () => random());
  expect(
    pearson(
      values,
      values.map((value) => 3 - 2 * value),
    ),
  ).toBeCloseTo(-1, 12);
  expect(
    spearman(
      values,
      values.map((value) => Math.exp(9 * value)),
    ),
  ).toBeCloseTo(1, 12);
  expect(spearman([1, 2, 2, 3], [1, 2, 2, 3])).toBeCloseTo(1, 12);
  expect(pearson([1, 1, 1], [1, 2, 3])).toBe(0);
  expect(areaUnderCurve([1, 2, 3, 4], (i) => i > 1)).toBe(1);
  expect(areaUnderCurve([1, 1, 1, 1], (i) => i > 1)).toBe(0.5);
});

test('the page is that of the results beside it', () => {
  const lines = readFileSync(join(DOCS, 'influence-fidelity.jsonl'), 'utf8').split('\n');
  const results = lines.filter((line) => line !== '').map((line): Result => JSON.parse(line));
  expect(results.length).toBeGreaterThan(20);
  expect(readFileSync(join(DOCS, 'influence-fidelity.md'), 'utf8')).toBe(documentOf(results));
});
