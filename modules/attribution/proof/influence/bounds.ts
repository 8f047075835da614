/**
 * Sizes of a model and scales of its numbers. A model is a softmax head, or a linearised adapter: a head that
 * adds to the logits of a frozen base model, which each example and each query bring as *offsets*. With these
 * bounds every sum that a verifier forms is below 2^53, where the numbers of JavaScript are exact integers:
 *
 * | sum | bound |
 * | --- | --- |
 * | logit: weights · features + 2^4 · offset | 2^27 · 255 · 2^10 + 2^4 · 2^31 < 2^45 |
 * | gradient coordinate: Σ residual · feature | 2^15 · 255 · 2^20 < 2^43 |
 * | response: solution · features | \|v\| ≤ solutionMax · 255 · F < 2^36, by definition of `solutionMax` |
 * | mean response · 2^15: Σ_l p_l v_l | (2^15 + K / 2) · 2^36 < 2^52 |
 * | curvature before its shift: p · (v − mean) | 2^15 · (2 + 2^-7) · 2^36 < 2^52.1 |
 * | curvature coordinate: Σ curvature · feature | 2^52.1 / 2^r · 255 n < 2^53, r = `curvatureShift` |
 * | score: Σ_k residual_k v_k | (2^16 + K / 2) · 2^36 < 2^52.1, for residuals of a softmax |
 * | sum of weights: Σ floor(score / 2^q) | 2^52.1, with q = `weightShift` ≥ log2(n) |
 *
 * What multiplies such a sum once more (the checks of bounds) is done in bigint.
 */
import { DecodeError } from '../../../../core/errors.ts';

/** Most features of an example, the constant one included. */
export const FEATURES_MAX: number = 2 ** 10;

/** Most classes of a head. */
export const CLASSES_MAX: number = 2 ** 8;

/** Most examples of a training set. */
export const EXAMPLES_MAX: number = 2 ** 20;

/** Largest feature; the last feature of every example has this value and stands for the constant. */
export const FEATURE_MAX = 255;

/** A feature x stands for x / 2^8. */
export const FEATURE_BITS = 8;

/** A weight w stands for w / 2^20. */
export const WEIGHT_BITS = 20;

/** Largest absolute value of a weight. */
export const WEIGHT_MAX: number = 2 ** 27 - 1;

/**
 * An offset b stands for b / 2^24, which is what the exponential resolves (fixed-point.ts). Any integer of 32
 * bits is one: logits of the base model from −128 to below 128.
 */
export const OFFSET_BITS = 24;

/** A residual d stands for d / 2^15; it fits 16 bits. */
export const RESIDUAL_BITS = 15;

/** One, as a probability. */
export const PROBABILITY_ONE: number = 2 ** RESIDUAL_BITS;

/** Residuals of a query, which are no part of sums, are in units of 2^-24. */
export const QUERY_BITS = 24;

/** λ is given in units of 2^-24. */
export const LAMBDA_BITS = 24;

/** Bounds of gradients and of residuals of solutions are given in units of 2^-32. */
export const BOUND_BITS = 32;

/** A solution s stands for s / 2^e; the largest e. */
export const SOLUTION_BITS_MAX = 40;

const RESPONSE_MAX: number = 2 ** 36 - 1;

/** A head, or an adapter of a base model. */
export type ModelKind = 'head' | 'adapter';

/** Sizes of a model and its training set. */
export interface Shape {
  readonly kind: ModelKind;
  /** Features of an example with the constant one: F. */
  readonly features: number;
  /** K. */
  readonly classes: number;
  /** n. */
  readonly examples: number;
}

/**
 * Checks that sizes are within the limits that this file's table rests on.
 * @throws DecodeError otherwise
 */
export function checkShape({ features, classes, examples }: Omit<Shape, 'kind'>): void {
  between('features', features, { least: 2, most: FEATURES_MAX });
  between('classes', classes, { least: 2, most: CLASSES_MAX });
  between('examples', examples, { least: 1, most: EXAMPLES_MAX });
}

function between(
  what: string,
  value: number,
  { least, most }: { readonly least: number; readonly most: number },
): void {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return;
  throw new DecodeError(`a head of ${value} ${what}; from ${least} to ${most} can be`, { value });
}

/** Offsets that an example or a query brings: K for an adapter, none for a head. */
export function offsetCount({ kind, classes }: Pick<Shape, 'kind' | 'classes'>): number {
  return kind === 'adapter' ? classes : 0;
}

/** Coordinates of the weights, of a gradient and of a solution: K · F, class by class. */
export function coordinates({ features, classes }: Pick<Shape, 'features' | 'classes'>): number {
  return features * classes;
}

/** Largest absolute value of a coordinate of a solution. */
export function solutionMax({ features }: Pick<Shape, 'features'>): number {
  return Math.floor(RESPONSE_MAX / (FEATURE_MAX * features));
}

/** Bits by which curvatures are shifted right, so that their sums stay exact: 2^r ≥ 255 n. */
export function curvatureShift({ examples }: Pick<Shape, 'examples'>): number {
  return bitsFor(FEATURE_MAX * examples);
}

/** Bits by which positive scores are shifted right to be weights: 2^q ≥ n. */
export function weightShift({ examples }: Pick<Shape, 'examples'>): number {
  return bitsFor(examples);
}

/** Least b with 2^b ≥ value. */
function bitsFor(value: number): number {
  let bits = 0;
  while (2 ** bits < value) bits++;
  return bits;
}
