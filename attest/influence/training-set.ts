/** What a model is trained on: examples by contribution, and the same without zeros for fast passes. */
import { assert } from '../../core/errors.ts';
import {
  checkShape,
  FEATURE_MAX,
  offsetCount,
  type Shape,
} from '../../modules/attribution/proof/influence/bounds.ts';
import type { ModelInput, Numbers } from '../../modules/attribution/proof/influence/fixed-point.ts';

/** Examples of a model, in the order of contribution ids. */
export interface TrainingSet {
  readonly shape: Shape;
  /** Row i from i · F on: the features of example i, the last one 255. */
  readonly features: Uint8Array;
  /** Row i from i · K on: the offsets of example i, in units of 2^-24. Empty for a head. */
  readonly offsets: Int32Array;
  /** n classes. */
  readonly labels: Uint16Array;
  /** n ids that do not fall. */
  readonly contributions: readonly bigint[];
}

/** The features that are not 0: those of row i from `starts[i]` to `starts[i + 1]`. */
export interface SparseRows {
  readonly starts: Uint32Array;
  /** Which feature. */
  readonly columns: Uint16Array;
  readonly values: Float64Array;
}

/** One example to be trained on. */
export interface Example {
  /** F − 1 features; the constant one is added. */
  readonly features: ArrayLike<number>;
  /** Of an adapter, K of them: logits of the base model, integers of 32 bits in units of 2^-24. */
  readonly offsets?: Numbers;
  readonly label: number;
  readonly contributionId: bigint;
}

/**
 * Puts examples in the order of their contributions. Examples of one contribution keep theirs. With offsets
 * they are those of an adapter; all have them, or none.
 */
export function trainingSet(examples: readonly Example[], classes: number): TrainingSet {
  const ordered = examples
    .map((example, place) => ({ example, place }))
    .sort((a, b) => compare(a.example.contributionId, b.example.contributionId) || a.place - b.place)
    .map(({ example }) => example);
  const width = (ordered[0]?.features.length ?? 0) + 1;
  const kind = ordered[0]?.offsets === undefined ? 'head' : 'adapter';
  const shape: Shape = { kind, features: width, classes, examples: ordered.length };
  checkShape(shape);
  const features = new Uint8Array(width * ordered.length);
  const brings = offsetCount(shape);
  const offsets = new Int32Array(brings * ordered.length);
  for (const [i, example] of ordered.entries()) {
    assert(example.features.length === width - 1, 'examples of several widths', { i });
    assert((example.offsets?.length ?? 0) === brings, 'an example has other offsets than its model', { i });
    offsets.set(example.offsets ?? [], i * brings);
    features.set(example.features, i * width);
    features[(i + 1) * width - 1] = FEATURE_MAX;
  }
  const labels = Uint16Array.from(ordered, ({ label }) => label);
  const contributions = ordered.map(({ contributionId }) => contributionId);
  return { shape, features, offsets, labels, contributions };
}

function compare(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The features of one example, as a view. */
export function featuresOf({ shape, features }: TrainingSet, i: number): Uint8Array {
  return features.subarray(i * shape.features, (i + 1) * shape.features);
}

/** What the model is given of one example, as views. */
export function inputOf(set: TrainingSet, i: number): ModelInput {
  const brings = offsetCount(set.shape);
  return { features: featuresOf(set, i), offsets: set.offsets.subarray(i * brings, (i + 1) * brings) };
}

/** The examples at these places, in this order. */
export function subsetOf(set: TrainingSet, places: ArrayLike<number>): TrainingSet {
  const width = set.shape.features;
  const features = new Uint8Array(width * places.length);
  const brings = offsetCount(set.shape);
  const offsets = new Int32Array(brings * places.length);
  const labels = new Uint16Array(places.length);
  const contributions: bigint[] = [];
  for (let i = 0; i < places.length; i++) {
    const place = places[i] ?? 0;
    const input = inputOf(set, place);
    features.set(input.features, i * width);
    offsets.set(input.offsets, i * brings);
    labels[i] = set.labels[place] ?? 0;
    contributions.push(set.contributions[place] ?? 0n);
  }
  return { shape: { ...set.shape, examples: places.length }, features, offsets, labels, contributions };
}

/** Features without the zeros. */
export function sparseRows({ shape, features }: TrainingSet): SparseRows {
  const starts = new Uint32Array(shape.examples + 1);
  const columns = new Uint16Array(features.length);
  const values = new Float64Array(features.length);
  let at = 0;
  for (let i = 0; i < shape.examples; i++) {
    const row = i * shape.features;
    for (let j = 0; j < shape.features; j++) {
      const value = features[row + j] ?? 0;
      if (value === 0) continue;
      columns[at] = j;
      values[at] = value;
      at++;
    }
    starts[i + 1] = at;
  }
  return { starts, columns: columns.slice(0, at), values: values.slice(0, at) };
}

/**
 * Products of every row with each of K vectors: n · K numbers, example by example. `vectors` is laid out by
 * feature: K numbers for feature 0, then for feature 1…
 */
export function products(rows: SparseRows, vectors: Float64Array, classes: number): Float64Array {
  const examples = rows.starts.length - 1;
  const out = new Float64Array(examples * classes);
  const whole = classes - (classes % CLASSES_TOGETHER);
  for (let k = 0; k < whole; k += CLASSES_TOGETHER) productsOfFive(rows, vectors, { k, classes, out });
  for (let k = whole; k < classes; k++) productsOfOne(rows, vectors, { k, classes, out });
  return out;
}

const CLASSES_TOGETHER = 5;

interface ClassOut {
  readonly k: number;
  readonly classes: number;
  readonly out: Float64Array;
}

/** Products of every row with five neighbouring vectors: sums that need no memory. */
function productsOfFive(
  { starts, columns, values }: SparseRows,
  vectors: Float64Array,
  { k, classes, out }: ClassOut,
): void {
  for (let i = 0; i + 1 < starts.length; i++) {
    const end = starts[i + 1] ?? 0;
    let a = 0;
    let b = 0;
    let c = 0;
    let d = 0;
    let e = 0;
    for (let at = starts[i] ?? 0; at < end; at++) {
      const value = values[at] ?? 0;
      const from = (columns[at] ?? 0) * classes + k;
      a += value * (vectors[from] ?? 0);
      b += value * (vectors[from + 1] ?? 0);
      c += value * (vectors[from + 2] ?? 0);
      d += value * (vectors[from + 3] ?? 0);
      e += value * (vectors[from + 4] ?? 0);
    }
    const to = i * classes + k;
    out[to] = a;
    out[to + 1] = b;
    out[to + 2] = c;
    out[to + 3] = d;
    out[to + 4] = e;
  }
}

function productsOfOne(
  { starts, columns, values }: SparseRows,
  vectors: Float64Array,
  { k, classes, out }: ClassOut,
): void {
  for (let i = 0; i + 1 < starts.length; i++) {
    const end = starts[i + 1] ?? 0;
    let sum = 0;
    for (let at = starts[i] ?? 0; at < end; at++)
      sum += (values[at] ?? 0) * (vectors[(columns[at] ?? 0) * classes + k] ?? 0);
    out[i * classes + k] = sum;
  }
}

/**
 * Σ factor_i ⊗ x_i over examples `first` to `end` (exclusive): K · F numbers laid out by feature, as
 * `vectors` of `products`. `factors` holds n · K numbers, example by example.
 */
export function weightedSum(
  rows: SparseRows,
  factors: Float64Array,
  { shape, first, end }: { readonly shape: Shape; readonly first: number; readonly end: number },
): Float64Array {
  const { classes } = shape;
  const out = new Float64Array(shape.features * classes);
  const { starts, columns, values } = rows;
  for (let i = first; i < end; i++) {
    const from = i * classes;
    const stop = starts[i + 1] ?? 0;
    for (let at = starts[i] ?? 0; at < stop; at++) {
      const value = values[at] ?? 0;
      const to = (columns[at] ?? 0) * classes;
      for (let k = 0; k < classes; k++) out[to + k] = (out[to + k] ?? 0) + value * (factors[from + k] ?? 0);
    }
  }
  return out;
}
