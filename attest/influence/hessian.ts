/** The Hessian of the training loss at a trained head, factorised: for solutions of queries. */
import {
  FEATURE_BITS,
  LAMBDA_BITS,
  PROBABILITY_ONE,
  type Shape,
} from '../../modules/attribution/proof/influence/bounds.ts';
import { type Factors, factorise } from './linear-algebra.ts';
import type { TrainedHead } from './train.ts';
import type { SparseRows } from './training-set.ts';

/**
 * H = Σ (diag(p_i) − p_i p_iᵀ) ⊗ x_i x_iᵀ / n + λ, laid out by class (coordinate k · F + j), as L D Lᵀ. The
 * probabilities are those of the committed residuals.
 */
export function hessianOf({ set, rows, pass, lambda }: TrainedHead): Factors {
  const { classes } = set.shape;
  const probabilities = pass.residuals.map((residual, at) => {
    const k = at % classes;
    const label = set.labels[(at - k) / classes] ?? 0;
    return (residual + (k === label ? PROBABILITY_ONE : 0)) / PROBABILITY_ONE;
  });
  return hessianAt({ shape: set.shape, rows, probabilities }, lambda / 2 ** LAMBDA_BITS);
}

/** Rows and what a head says about each: n · K probabilities, example by example. */
export interface Predictions {
  readonly shape: Shape;
  readonly rows: SparseRows;
  readonly probabilities: Float64Array;
}

/** The same from probabilities in float64 and λ itself. */
export function hessianAt(predictions: Predictions, lambda: number): Factors {
  const { shape } = predictions;
  const size = shape.features * shape.classes;
  const matrix = expand(shape, pairSums(predictions));
  for (let c = 0; c < size; c++) matrix[c * size + c] = (matrix[c * size + c] ?? 0) + lambda;
  return factorise(matrix, size);
}

/**
 * Σ p_k ([k = l] − p_l) x_a x_b / n for features a ≥ b and classes k ≥ l: for each pair of features the pairs
 * of classes, so that the inner loop goes through neighbours.
 */
function pairSums({ shape, rows, probabilities }: Predictions): Float64Array {
  const { features, classes, examples } = shape;
  const pairs = (classes * (classes + 1)) / 2;
  const sums = new Float64Array(((features * (features + 1)) / 2) * pairs);
  const factors = new Float64Array(pairs);
  const { starts, columns, values } = rows;
  for (let i = 0; i < examples; i++) {
    writeFactors(probabilities.subarray(i * classes, (i + 1) * classes), examples, factors);
    const end = starts[i + 1] ?? 0;
    for (let a = starts[i] ?? 0; a < end; a++) {
      const column = columns[a] ?? 0;
      const row = (column * (column + 1)) / 2;
      const value = values[a] ?? 0;
      for (let b = starts[i] ?? 0; b <= a; b++)
        addScaled(sums, (row + (columns[b] ?? 0)) * pairs, { factors, scale: value * (values[b] ?? 0) });
    }
  }
  return sums;
}

function addScaled(
  sums: Float64Array,
  at: number,
  { factors, scale }: { readonly factors: Float64Array; readonly scale: number },
): void {
  for (let m = 0; m < factors.length; m++) sums[at + m] = (sums[at + m] ?? 0) + scale * (factors[m] ?? 0);
}

function writeFactors(probabilities: Float64Array, examples: number, factors: Float64Array): void {
  const unit = examples * 2 ** (2 * FEATURE_BITS);
  let at = 0;
  for (let k = 0; k < probabilities.length; k++) {
    const p = (probabilities[k] ?? 0) / unit;
    for (let l = 0; l <= k; l++) factors[at++] = p * ((k === l ? 1 : 0) - (probabilities[l] ?? 0));
  }
}

/** The lower triangle, laid out by class, from sums over pairs. */
function expand({ features, classes }: Shape, sums: Float64Array): Float64Array {
  const size = features * classes;
  const pairs = (classes * (classes + 1)) / 2;
  const matrix = new Float64Array(size * size);
  for (let k = 0; k < classes; k++) {
    for (let l = 0; l <= k; l++) {
      const pair = (k * (k + 1)) / 2 + l;
      for (let a = 0; a < features; a++) {
        for (let b = 0; b <= a; b++) {
          const value = sums[((a * (a + 1)) / 2 + b) * pairs + pair] ?? 0;
          matrix[(k * features + a) * size + l * features + b] = value;
          matrix[(k * features + b) * size + l * features + a] = value;
        }
      }
    }
  }
  return matrix;
}

/** From the layout by feature to that by class, which is that of committed coordinates. */
export function byClass({ features, classes }: Shape, byFeature: Float64Array): Float64Array {
  const out = new Float64Array(byFeature.length);
  for (let j = 0; j < features; j++)
    for (let k = 0; k < classes; k++) out[k * features + j] = byFeature[j * classes + k] ?? 0;
  return out;
}

/** The opposite of `byClass`. */
export function byFeature({ features, classes }: Shape, byClasses: Float64Array): Float64Array {
  const out = new Float64Array(byClasses.length);
  for (let k = 0; k < classes; k++)
    for (let j = 0; j < features; j++) out[j * classes + k] = byClasses[k * features + j] ?? 0;
  return out;
}
