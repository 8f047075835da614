/**
 * Minimises a strongly convex function by its gradient alone: L-BFGS (Nocedal 1980) over a preconditioner,
 * with a line search on the slope, which needs no values of the function (they would need logarithms).
 * Float64 with the four operations only: the same steps on every machine, if the gradient is.
 */
import { inner, largest, plus } from './linear-algebra.ts';

/** What to minimise, and how far. */
export interface Minimisation {
  readonly gradient: (at: Float64Array) => Float64Array;
  /** Applies an approximate inverse of the Hessian, in place. */
  readonly precondition: (vector: Float64Array) => void;
  /** Stops when no coordinate of the gradient is larger. */
  readonly tolerance: number;
  readonly iterationsMax: number;
}

/** Where it ended: the best point seen. */
export interface Minimum {
  readonly at: Float64Array;
  /** Largest coordinate of the gradient there. */
  readonly gradient: number;
  /** Gradients computed. */
  readonly evaluations: number;
}

interface Pair {
  readonly step: Float64Array;
  readonly change: Float64Array;
  readonly product: number;
}

const MEMORY = 12;
const SEARCHES_MAX = 8;
/** A step is good when the slope at its end is at most this part of that at its start. */
const SLOPE_PART = 0.5;
/** Iterations without a smaller gradient after which there is nothing left but rounding. */
const PATIENCE = 50;

/** Minimises from a starting point. */
export function minimise(problem: Minimisation, start: Float64Array): Minimum {
  const pairs: Pair[] = [];
  let at = start;
  let gradient = problem.gradient(at);
  let evaluations = 1;
  let best: Minimum = { at, gradient: largest(gradient), evaluations };
  let since = 0;
  for (let i = 0; i < problem.iterationsMax && best.gradient > problem.tolerance && since < PATIENCE; i++) {
    const direction = descent(problem, pairs, gradient);
    const found = search(problem, { at, gradient, direction });
    evaluations += found.evaluations;
    const step = plus(found.at, -1, at);
    const change = plus(found.gradient, -1, gradient);
    const product = inner(step, change);
    if (product > 0) pairs.push({ step, change, product });
    if (pairs.length > MEMORY) pairs.shift();
    ({ at, gradient } = found);
    const size = largest(gradient);
    since = size < best.gradient ? 0 : since + 1;
    if (size < best.gradient) best = { at, gradient: size, evaluations };
  }
  return { ...best, evaluations };
}

/** −H⁻¹ g by the two loops of L-BFGS. */
function descent(problem: Minimisation, pairs: readonly Pair[], gradient: Float64Array): Float64Array {
  let vector = gradient;
  const factors: number[] = [];
  for (const { step, change, product } of pairs.toReversed()) {
    const factor = inner(step, vector) / product;
    factors.unshift(factor);
    vector = plus(vector, -factor, change);
  }
  vector = vector.slice();
  problem.precondition(vector);
  for (const [i, { step, change, product }] of pairs.entries()) {
    const factor = (factors[i] ?? 0) - inner(change, vector) / product;
    vector = plus(vector, factor, step);
  }
  return vector.map((value) => -value);
}

interface Point {
  readonly at: Float64Array;
  readonly gradient: Float64Array;
}

/** Goes along a direction until the slope is small; the slope of a convex function rises along the way. */
function search(
  problem: Minimisation,
  { at, gradient, direction }: Point & { readonly direction: Float64Array },
): Point & { readonly evaluations: number } {
  const first = inner(gradient, direction);
  let low = { t: 0, slope: first };
  let high: typeof low | undefined;
  let t = 1;
  for (let evaluations = 1; ; evaluations++) {
    const there = plus(at, t, direction);
    const found = problem.gradient(there);
    const slope = inner(found, direction);
    const good = Math.abs(slope) <= SLOPE_PART * Math.abs(first);
    if (good || evaluations === SEARCHES_MAX) return { at: there, gradient: found, evaluations };
    if (slope < 0) low = { t, slope };
    else high = { t, slope };
    t = high === undefined ? 2 * t : between(low, high);
  }
}

/** Where a line through two slopes is 0, but not too close to either. */
function between(
  low: { readonly t: number; readonly slope: number },
  high: { readonly t: number; readonly slope: number },
): number {
  const part = low.slope / (low.slope - high.slope);
  return low.t + Math.min(0.9, Math.max(0.1, part)) * (high.t - low.t);
}
