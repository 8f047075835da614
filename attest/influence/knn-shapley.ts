/**
 * KNN-Shapley (Jia et al. 2019, theorem 1) in integers: what each training example adds to the accuracy of a
 * K-nearest-neighbour classifier on test examples. For one test example with label y, training examples in
 * the order of (squared distance, index) as α_1 … α_n, values in units of 2^-40:
 *
 * ```
 * s(α_n) = [y(α_n) = y] · floor(2^40 / max(n, K))
 * s(α_i) = s(α_{i+1}) + ([y(α_i) = y] − [y(α_{i+1}) = y]) · floor(2^40 · min(K, i) / (K · i))
 * ```
 *
 * The value of an example is the sum over test examples. |s| ≤ 2^40, so with at most 2^12 of them all sums
 * are exact.
 */
import { assert } from '../../core/errors.ts';
import { featuresOf, type TrainingSet } from './training-set.ts';

/** One, as a value for one test example. */
export const SHAPLEY_ONE: number = 2 ** 40;

/** Most test examples. */
export const SHAPLEY_TESTS_MAX: number = 2 ** 12;

/** Neighbours that vote. */
export const SHAPLEY_NEIGHBOURS = 5;

/** Room for the index behind the distance in a key to sort by. */
const INDEX_ROOM = 2 ** 20;

/**
 * Values of all training examples, summed over the test examples: units of 2^-40. O(n log n) for each test.
 */
export function knnShapley(
  train: TrainingSet,
  test: TrainingSet,
  neighbours: number = SHAPLEY_NEIGHBOURS,
): Float64Array {
  const { examples, features } = train.shape;
  assert(test.shape.examples <= SHAPLEY_TESTS_MAX, 'more test examples than sums stay exact with');
  assert(test.shape.features === features && neighbours >= 1, 'other features, or no neighbours');
  const gains = gainsOf(examples, neighbours);
  const values = new Float64Array(examples);
  const keys = new Float64Array(examples);
  for (let t = 0; t < test.shape.examples; t++) {
    writeKeys(train, featuresOf(test, t), keys);
    keys.sort();
    addValues(train.labels, { keys, gains, label: test.labels[t] ?? 0 }, values);
  }
  return values;
}

/** floor(2^40 · min(K, i) / (K · i)) at i; at 0 what the farthest example has. */
function gainsOf(examples: number, neighbours: number): Float64Array {
  const gains = new Float64Array(examples + 1);
  gains[0] = Math.floor(SHAPLEY_ONE / Math.max(examples, neighbours));
  for (let i = 1; i <= examples; i++)
    gains[i] = Math.floor((SHAPLEY_ONE * Math.min(neighbours, i)) / (neighbours * i));
  return gains;
}

/** Squared distance · 2^20 + index: exact below 2^47, and sorts by both. */
function writeKeys({ shape, features }: TrainingSet, from: Uint8Array, keys: Float64Array): void {
  const width = shape.features;
  for (let i = 0; i < shape.examples; i++) {
    const row = i * width;
    let distance = 0;
    for (let j = 0; j < width; j++) {
      const difference = (features[row + j] ?? 0) - (from[j] ?? 0);
      distance += difference * difference;
    }
    keys[i] = distance * INDEX_ROOM + i;
  }
}

function addValues(
  labels: Uint16Array,
  {
    keys,
    gains,
    label,
  }: { readonly keys: Float64Array; readonly gains: Float64Array; readonly label: number },
  values: Float64Array,
): void {
  const examples = keys.length;
  let value = 0;
  let after = 0;
  for (let i = examples; i >= 1; i--) {
    const index = (keys[i - 1] ?? 0) % INDEX_ROOM;
    const matches = labels[index] === label ? 1 : 0;
    value = i === examples ? matches * (gains[0] ?? 0) : value + (matches - after) * (gains[i] ?? 0);
    after = matches;
    values[index] = (values[index] ?? 0) + value;
  }
}

/** What a value in units of 2^-40 adds to the accuracy on so many test examples: for people. */
export function accuracyOf(value: bigint, tests: number): number {
  return Number(value) / SHAPLEY_ONE / tests;
}
