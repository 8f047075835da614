import fc from 'fast-check';
import { expect, test } from 'vitest';
import { accuracyOf, knnShapley, SHAPLEY_ONE } from './knn-shapley.ts';
import { valueSums } from './value-sums.ts';
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

test('are added up by contribution, contributor and Datanet, exactly', () => {
  const sourceOf = (id: bigint) =>
    id === 3n ? undefined : { contributor: id === 1n ? 'a' : 'b', datanetId: 7n };
  fc.assert(
    fc.property(examples(3, 20), examples(1, 4), (some, tests) => {
      const train = trainingSet(some, 3);
      const values = knnShapley(train, trainingSet(tests, 3));
      const report = valueSums(values, train.contributions, sourceOf);
      const sumOf = (holds: (id: bigint) => boolean): bigint =>
        train.contributions.reduce((sum, id, i) => (holds(id) ? sum + BigInt(values[i] ?? 0) : sum), 0n);
      for (const { name, value } of report.contributions) expect(value).toBe(sumOf((id) => `${id}` === name));
      for (const { name, value } of report.contributors)
        expect(value).toBe(sumOf((id) => sourceOf(id)?.contributor === name));
      for (const { value } of report.datanets) expect(value).toBe(sumOf((id) => id !== 3n));
      expect(report.contributions).toHaveLength(new Set(train.contributions).size);
      for (const list of [report.contributions, report.contributors, report.datanets])
        for (const [i, { value }] of list.entries())
          expect(value <= (list[i - 1]?.value ?? value)).toBe(true);
    }),
  );
});

test('are added up beyond what floating point holds', () => {
  const values = Float64Array.of(2 ** 53 - 1, 2 ** 53 - 1, 1);
  const { contributions } = valueSums(values, [1n, 1n, 1n], () => undefined);
  expect(contributions).toEqual([{ name: '1', value: 2n ** 54n - 1n }]);
  expect(accuracyOf(2n ** 40n, 4)).toBe(0.25);
});
