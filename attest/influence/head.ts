/** One pass of a model over its training set, in the integers that are committed to. */
import {
  PROBABILITY_ONE,
  WEIGHT_BITS,
  LAMBDA_BITS,
} from '../../modules/attribution/proof/influence/bounds.ts';
import { LOGITS_PER_OFFSET, softmaxResidual } from '../../modules/attribution/proof/influence/fixed-point.ts';
import { products, type SparseRows, type TrainingSet, weightedSum } from './training-set.ts';

/** Logits and residuals of all examples: n · K integers each, example by example. */
export interface HeadPass {
  readonly logits: Float64Array;
  readonly residuals: Float64Array;
}

/** What an integer gradient coordinate counts: 2^-23. */
const GRADIENT_ONE = PROBABILITY_ONE * 2 ** 8;

/** Passes all examples through a model. `weights` are integers, K for feature 0, then for feature 1… */
export function passOf(set: TrainingSet, rows: SparseRows, weights: Float64Array): HeadPass {
  const { classes, examples } = set.shape;
  const logits = products(rows, weights, classes);
  for (let at = 0; at < set.offsets.length; at++)
    logits[at] = (logits[at] ?? 0) + LOGITS_PER_OFFSET * (set.offsets[at] ?? 0);
  const residuals = new Float64Array(examples * classes);
  const out: number[] = [];
  for (let i = 0; i < examples; i++) {
    softmaxResidual(logits.subarray(i * classes, (i + 1) * classes), set.labels[i] ?? 0, out);
    residuals.set(out, i * classes);
  }
  return { logits, residuals };
}

/** G = Σ residual_i ⊗ x_i in integers, laid out by feature. */
export function gradientSum(set: TrainingSet, rows: SparseRows, { residuals }: HeadPass): Float64Array {
  return weightedSum(rows, residuals, { shape: set.shape, first: 0, end: set.shape.examples });
}

/** G / n + λ W as float64. */
export function realGradient(
  {
    sum,
    weights,
    examples,
  }: { readonly sum: Float64Array; readonly weights: Float64Array; readonly examples: number },
  lambda: number,
): Float64Array {
  const out = new Float64Array(sum.length);
  const ridge = lambda / 2 ** (LAMBDA_BITS + WEIGHT_BITS);
  for (let c = 0; c < sum.length; c++)
    out[c] = (sum[c] ?? 0) / (GRADIENT_ONE * examples) + ridge * (weights[c] ?? 0);
  return out;
}

/** Rounds weights to the integers that stand for them. */
export function roundWeights(weights: Float64Array): Float64Array {
  return weights.map((weight) => Math.round(weight * 2 ** WEIGHT_BITS));
}
