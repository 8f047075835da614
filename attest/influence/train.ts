/**
 * Trains a softmax head, or a linearised adapter from its base model on, to its certified optimum. Each
 * gradient is that of the integer weights and integer residuals which would be committed; float64 chooses the
 * next weights by operations that are the same on every machine. So the weights are the same bytes
 * everywhere, and what they are worth is shown by their gradient alone.
 */
import { FEATURE_BITS, LAMBDA_BITS, WEIGHT_BITS } from '../../modules/attribution/proof/influence/bounds.ts';
import { type Factors, factorise, solveInPlace } from './linear-algebra.ts';
import { gradientSum, type HeadPass, passOf, realGradient, roundWeights } from './head.ts';
import { minimise } from './minimise.ts';
import { type SparseRows, sparseRows, type TrainingSet } from './training-set.ts';

/**
 * A trained head or adapter. Weights, sums and gradients are laid out by feature: K numbers for feature 0,
 * and so on.
 */
export interface TrainedHead {
  readonly set: TrainingSet;
  readonly rows: SparseRows;
  /** λ in units of 2^-24. */
  readonly lambda: number;
  /** Integers in units of 2^-20. */
  readonly weights: Float64Array;
  readonly pass: HeadPass;
  /** Σ residual ⊗ features. */
  readonly sum: Float64Array;
}

/** How to train. */
export interface TrainingOptions {
  /** λ in units of 2^-24. */
  readonly lambda: number;
  /** Stops when no coordinate of the gradient is larger. */
  readonly tolerance?: number;
  readonly iterationsMax?: number;
  /** Integer weights to start from. */
  readonly start?: Float64Array;
}

const TOLERANCE = 1e-6;
const ITERATIONS_MAX = 600;

/** Trains a head or an adapter. */
export function trainHead(set: TrainingSet, options: TrainingOptions): TrainedHead {
  const rows = sparseRows(set);
  const { lambda, tolerance = TOLERANCE, iterationsMax = ITERATIONS_MAX } = options;
  const { features, classes, examples } = set.shape;
  const preconditioner = boundOfHessian(set, rows, lambda);
  const gradient = (at: Float64Array): Float64Array => {
    const weights = roundWeights(at);
    const sum = gradientSum(set, rows, passOf(set, rows, weights));
    return realGradient({ sum, weights, examples }, lambda);
  };
  const precondition = (vector: Float64Array): void => solveByClass(preconditioner, vector, classes);
  const start = options.start?.map((weight) => weight / 2 ** WEIGHT_BITS);
  const { at } = minimise(
    { gradient, precondition, tolerance, iterationsMax },
    start ?? new Float64Array(features * classes),
  );
  return headOf(set, rows, { lambda, weights: roundWeights(at) });
}

/** What follows from weights. */
export function headOf(
  set: TrainingSet,
  rows: SparseRows,
  { lambda, weights }: { readonly lambda: number; readonly weights: Float64Array },
): TrainedHead {
  const pass = passOf(set, rows, weights);
  return { set, rows, lambda, weights, pass, sum: gradientSum(set, rows, pass) };
}

/**
 * ½ · XᵀX / n + λ, which bounds each class's part of the Hessian from above wherever the weights are
 * (Böhning 1992): F × F.
 */
function boundOfHessian({ shape }: TrainingSet, rows: SparseRows, lambda: number): Factors {
  const { features, examples } = shape;
  const matrix = new Float64Array(features * features);
  const { starts, columns, values } = rows;
  const unit = 2 * examples * 2 ** (2 * FEATURE_BITS);
  for (let i = 0; i < examples; i++) {
    const first = starts[i] ?? 0;
    const end = starts[i + 1] ?? 0;
    for (let a = first; a < end; a++) {
      const row = (columns[a] ?? 0) * features;
      const value = (values[a] ?? 0) / unit;
      for (let b = first; b <= a; b++) {
        const cell = row + (columns[b] ?? 0);
        matrix[cell] = (matrix[cell] ?? 0) + value * (values[b] ?? 0);
      }
    }
  }
  for (let j = 0; j < features; j++) {
    const cell = j * features + j;
    matrix[cell] = (matrix[cell] ?? 0) + lambda / 2 ** LAMBDA_BITS;
  }
  return factorise(matrix, features);
}

/** Solves for each class's part of a vector that is laid out by feature. */
function solveByClass(factors: Factors, vector: Float64Array, classes: number): void {
  const part = new Float64Array(factors.size);
  for (let k = 0; k < classes; k++) {
    for (let j = 0; j < factors.size; j++) part[j] = vector[j * classes + k] ?? 0;
    solveInPlace(factors, part);
    for (let j = 0; j < factors.size; j++) vector[j * classes + k] = part[j] ?? 0;
  }
}
