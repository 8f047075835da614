import { expect, test } from 'vitest';
import { toHex } from '../../core/bytes.ts';
import { certify, distanceToOptimum } from './certificate.ts';
import { hessianOf } from './hessian.ts';
import { factorise, solveInPlace } from './linear-algebra.ts';
import { influenceOf, queryOf } from './query.ts';
import { trainHead } from './train.ts';
import { inputOf, subsetOf, trainingSet } from './training-set.ts';
import { byClass } from './hessian.ts';

/** Two features that tell three classes apart, with some overlap; no randomness. */
const examples = Array.from({ length: 90 }, (_, i) => ({
  features: [((i * 37) % 97) + (i % 3 === 1 ? 90 : 0), ((i * 53) % 89) + (i % 3 === 2 ? 110 : 0)],
  label: i % 3,
  contributionId: BigInt(1 + Math.floor(i / 5)),
}));
const options = { datanetId: 1n, snapshotCount: 100n, extractor: new Uint8Array(32) };

test('the same bytes on every machine', () => {
  const { card } = certify(trainHead(trainingSet(examples, 3), { lambda: 2 ** 14 }), options);
  expect(toHex(card.roots.weights)).toBe('3b3b85adb61b1d4892f16b75003f017e92fb9d1ccc2e0ebb38fa7db1be7cd88a');
  expect(toHex(card.roots.sums)).toBe('d7dce7261ccc938a99794ac0d0c309ad1f7f076b5b6f6a87a579554d8acd10f3');
});

test('training ends at the optimum, from wherever it starts', () => {
  const set = trainingSet(examples, 3);
  const head = trainHead(set, { lambda: 2 ** 14, tolerance: 1e-7 });
  const start = head.weights.map((weight, c) => weight + 2 ** 20 * (c % 3));
  const other = trainHead(set, { lambda: 2 ** 14, tolerance: 1e-7, start });
  const { card } = certify(head, options);
  expect(card.gradientBound / 2 ** 32).toBeLessThan(2e-6);
  expect(distanceToOptimum(card)).toBeGreaterThan(0);
  for (const [c, weight] of head.weights.entries())
    expect(Math.abs(weight - (other.weights[c] ?? 0)) / 2 ** 20).toBeLessThan(0.01);
});

test('L D Lᵀ solves', () => {
  const size = 23;
  const matrix = new Float64Array(size * size);
  for (let i = 0; i < size; i++)
    for (let j = 0; j < size; j++) matrix[i * size + j] = 1 / (1 + Math.abs(i - j)) + (i === j ? 3 : 0);
  const full = matrix.slice();
  const x = Float64Array.from({ length: size }, (_, i) => i - 7);
  const b = Float64Array.from({ length: size }, (_, i) => {
    let sum = 0;
    for (let j = 0; j < size; j++) sum += (full[i * size + j] ?? 0) * (x[j] ?? 0);
    return sum;
  });
  solveInPlace(factorise(matrix, size), b);
  for (const [i, value] of b.entries()) expect(value).toBeCloseTo(x[i] ?? 0, 9);
});

test('a score tells what leaving the example out does to the loss', () => {
  const set = trainingSet(examples, 3);
  const head = trainHead(set, { lambda: 2 ** 16, tolerance: 1e-8 });
  const query = queryOf(head, inputOf(set, 4), 1);
  const influence = influenceOf({ head, factors: hessianOf(head) }, query);
  const loss = (weights: Float64Array): number => {
    const rows = byClass(set.shape, weights);
    const z = [0, 1, 2].map((k) => {
      let sum = 0;
      for (let j = 0; j < 3; j++) sum += (rows[k * 3 + j] ?? 0) * (query.features[j] ?? 0);
      return sum / 2 ** 28;
    });
    return Math.log(z.reduce((sum, value) => sum + Math.exp(value), 0)) - (z[1] ?? 0);
  };
  // With one example fewer the data weigh less beside the ridge: the same for whichever is left out.
  const rows = byClass(set.shape, head.weights);
  const ridge =
    rows.reduce((sum, weight, c) => sum + weight * (influence.solution[c] ?? 0), 0) /
    2 ** (20 + influence.solutionBits + 8);
  for (const out of [0, 4, 31, 77]) {
    const others = subsetOf(
      set,
      Array.from({ length: 90 }, (_, i) => i).filter((i) => i !== out),
    );
    const without = trainHead(others, { lambda: 2 ** 16, tolerance: 1e-8, start: head.weights });
    const actual = loss(without.weights) - loss(head.weights);
    const told = ((influence.scores[out] ?? 0) / 2 ** (23 + influence.solutionBits) + ridge) / 89;
    expect(Math.abs(actual - told)).toBeLessThan(0.15 * Math.abs(actual) + 1e-5);
  }
});
