import { expect, test } from 'vitest';
import { type Example, inputOf, subsetOf, trainingSet } from './training-set.ts';

/** Example i has features, a label and offsets that say i. */
const exampleAt = (i: number, contributionId: bigint): Example => ({
  features: [i, 2 * i],
  offsets: [i, 7 - i, 10 * i],
  label: i % 3,
  contributionId,
});

const given = [exampleAt(0, 9n), exampleAt(1, 2n), exampleAt(2, 9n), exampleAt(3, 5n)];

test('examples come in the order of contributions, each with what is its own', () => {
  const set = trainingSet(given, 3);
  expect(set.shape).toEqual({ kind: 'adapter', features: 3, classes: 3, examples: 4 });
  expect(set.contributions).toEqual([2n, 5n, 9n, 9n]);
  for (const [at, i] of [1, 3, 0, 2].entries()) {
    const { features, offsets } = inputOf(set, at);
    expect(set.labels[at]).toBe(i % 3);
    expect(Array.from(features)).toEqual([i, 2 * i, 255]);
    expect(Array.from(offsets)).toEqual([i, 7 - i, 10 * i]);
  }
});

test('a subset takes offsets along', () => {
  const part = subsetOf(trainingSet(given, 3), [3, 0]);
  expect(part.shape.examples).toBe(2);
  expect(part.contributions).toEqual([9n, 2n]);
  expect(Array.from(part.offsets)).toEqual([2, 5, 20, 1, 6, 10]);
});

test('examples without offsets are those of a head, and mixed ones of nothing', () => {
  const bare = ({ offsets: _, ...rest }: Example): Example => rest;
  const head = trainingSet(given.map(bare), 3);
  expect([head.shape.kind, head.offsets.length, inputOf(head, 1).offsets.length]).toEqual(['head', 0, 0]);
  expect(() => trainingSet([...given, bare(exampleAt(4, 10n))], 3)).toThrow('other offsets');
  expect(() => trainingSet([...given, bare(exampleAt(4, 1n))], 3)).toThrow('other offsets');
  expect(() => trainingSet(given, 4)).toThrow('other offsets');
});
