import fc from 'fast-check';
import { expect, test } from 'vitest';
import { byContribution, knnShapley, SHAPLEY_ONE } from './knn-shapley.ts';
import { type Example, type TrainingSet, trainingSet } from './training-set.ts';

const NEIGHBOURS = 2;

const examples = (least: number, most: number): fc.Arbitrary<Example[]> =>
  fc.array(
    fc.record({
      features: fc.array(fc.integer({ min: 0, max: 6 }), { minLength: 2, maxLength: 2 }),
      label: fc.integer({ min: 0, max: 2 }),
      contributionId: fc.bigInt(1n, 3n),
    }),
    { minLength: least, maxLength: most },
  );

/** Share of the K nearest of a subset that have the label: the game whose Shapley values these are. */
function utility(train: TrainingSet, query: TrainingSet, members: readonly number[]): number {
  const width = train.shape.features;
  const distance = (i: number): number => {
    let sum = 0;
    for (let j = 0; j < width; j++)
      sum += ((train.features[i * width + j] ?? 0) - (query.features[j] ?? 0)) ** 2;
    return sum;
  };
  const nearest = members.toSorted((a, b) => distance(a) - distance(b) || a - b).slice(0, NEIGHBOURS);
  return nearest.filter((i) => train.labels[i] === query.labels[0]).length / NEIGHBOURS;
}

test('are the Shapley values by definition, over all orders of up to six examples', () => {
  fc.assert(
    fc.property(examples(1, 6), examples(1, 1), (some, one) => {
      const train = trainingSet(some, 3);
      const query = trainingSet(one, 3);
      const values = knnShapley(train, query, NEIGHBOURS);
      const orders = permutations(some.map((_, i) => i));
      for (const i of some.keys()) {
        let sum = 0;
        for (const order of orders) {
          const before = order.slice(0, order.indexOf(i));
          sum += utility(train, query, [...before, i]) - utility(train, query, before);
        }
        expect((values[i] ?? 0) / SHAPLEY_ONE).toBeCloseTo(sum / orders.length, 9);
      }
    }),
    { numRuns: 20 },
  );
});

function permutations(items: readonly number[]): number[][] {
  if (items.length === 0) return [[]];
  return items.flatMap((item) =>
    permutations(items.filter((other) => other !== item)).map((rest) => [item, ...rest]),
  );
}

test('are added up by contribution', () => {
  fc.assert(
    fc.property(examples(3, 20), examples(1, 4), (some, tests) => {
      const train = trainingSet(some, 3);
      const values = knnShapley(train, trainingSet(tests, 3));
      const sums = byContribution(train, values);
      const total = (all: Iterable<number>): number => [...all].reduce((a, b) => a + b, 0);
      expect(total(sums.values())).toBe(total(values));
      expect([...sums.keys()]).toEqual([...sums.keys()].toSorted((a, b) => (a < b ? -1 : 1)));
    }),
  );
});
