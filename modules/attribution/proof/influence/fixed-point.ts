/**
 * Softmax, residuals and curvature in integers, exactly as specified here: the chain, provers and trainers
 * call these functions. Products and sums are below 2^53 (bounds.ts), so that multiplication, addition,
 * `Math.floor` and division by a power of two are exact, and floor(a / b) is too.
 *
 * exp(−d), d in units of 2^-24, in units of 2^-26:
 *
 * ```
 * t = floor(d · L / 2^22)        L = floor(2^22 · log2 e) = 6051101; t is d · log2 e in units of 2^-24
 * t = 2^24 n + 2^16 i + 2^8 j + k
 * e = floor(floor(floor(A[i] · B[j] / 2^26) · C[k] / 2^26) / 2^n)
 * A[i] = floor(2^26 · 2^(−i / 2^8)), B[j] = floor(2^26 · 2^(−j / 2^16)), C[k] = floor(2^26 · 2^(−k / 2^24))
 * ```
 *
 * It is 0 for d ≥ 32. The error is below 2^-24.
 */
import { FEATURE_BITS, OFFSET_BITS, PROBABILITY_ONE, QUERY_BITS, WEIGHT_BITS } from './bounds.ts';

/** Logits are in units of 2^-28: weights (2^-20) times features (2^-8). */
export const LOGIT_BITS: number = WEIGHT_BITS + FEATURE_BITS;

/** exp(0) in the units of `expOfMinus`. */
export const EXP_ONE: number = 2 ** 26;

const LOG2_E = 6051101;
const LOG2_E_ONE = 2 ** 22;
const EXPONENT_BITS = 24;
const ZERO_FROM = 32 * 2 ** EXPONENT_BITS;
const LOGITS_PER_EXPONENT = 2 ** (LOGIT_BITS - EXPONENT_BITS);

/** What an offset counts in logits. */
export const LOGITS_PER_OFFSET: number = 2 ** (LOGIT_BITS - OFFSET_BITS);

const STEPS = 256;
const RESIDUAL_MAX = PROBABILITY_ONE - 1;
const QUERY_ONE = 2 ** QUERY_BITS;

/** Bits with which the tables are made: every entry is the floor of the true value. */
const PRECISION = 128n;

const TABLE_A = powersOfHalf(8);
const TABLE_B = powersOfHalf(16);
const TABLE_C = powersOfHalf(24);

/** floor(2^26 · 2^(−i / 2^roots)) for i below 256: square roots of a half, then powers. */
function powersOfHalf(roots: number): Float64Array {
  let root = 1n << (PRECISION - 1n);
  for (let i = 0; i < roots; i++) root = integerSquareRoot(root << PRECISION);
  const table = new Float64Array(STEPS);
  let power = 1n << PRECISION;
  for (let i = 0; i < STEPS; i++) {
    table[i] = Number((power * BigInt(EXP_ONE)) >> PRECISION);
    power = (power * root) >> PRECISION;
  }
  return table;
}

function integerSquareRoot(value: bigint): bigint {
  let root = 1n << BigInt((value.toString(2).length >> 1) + 1);
  for (;;) {
    const next = (root + value / root) >> 1n;
    if (next >= root) return root;
    root = next;
  }
}

/** The three tables, one after the other: what the vector in the test is the digest of. */
export function exponentialTables(): readonly number[] {
  return [...TABLE_A, ...TABLE_B, ...TABLE_C];
}

/** exp(−d) in units of 2^-26, for an integer d ≥ 0 in units of 2^-24. */
export function expOfMinus(d: number): number {
  if (d >= ZERO_FROM) return 0;
  const t = Math.floor((d * LOG2_E) / LOG2_E_ONE);
  const halvings = Math.floor(t / 2 ** 24);
  const fraction = t - halvings * 2 ** 24;
  const a = TABLE_A[fraction >> 16] ?? 0;
  const b = TABLE_B[(fraction >> 8) & 255] ?? 0;
  const c = TABLE_C[fraction & 255] ?? 0;
  const e = Math.floor((Math.floor((a * b) / EXP_ONE) * c) / EXP_ONE);
  return Math.floor(e / 2 ** halvings);
}

/** Numbers by class or by feature: an array, or a typed array. */
export type Numbers = ArrayLike<number>;

/** Σ a[i] · b[i] over the length of `b`. Exact while the sum of absolute values is below 2^53. */
export function dot(a: Numbers, b: Numbers): number {
  let sum = 0;
  for (let i = 0; i < b.length; i++) sum += (a[i] ?? 0) * (b[i] ?? 0);
  return sum;
}

/** What a model is given: an example or a query. */
export interface ModelInput {
  /** F bytes, the last one 255. */
  readonly features: Uint8Array;
  /** Logits of the base model: K integers in units of 2^-24; none for a head. */
  readonly offsets: Numbers;
}

/** Logit of class k in units of 2^-28, by the weights of that class. */
export function logitOf(weights: Numbers, { features, offsets }: ModelInput, k: number): number {
  return LOGITS_PER_OFFSET * (offsets[k] ?? 0) + dot(weights, features);
}

/**
 * Residuals of one example, probabilities minus the one-hot label, written to `out`: with the greatest logit
 * m, e_k = exp(−floor((m − z_k) / 2^4)), S = Σ e_k: p_k = floor((2^16 e_k + S) / 2 S) and δ_k = min(2^15 − 1,
 * p_k − 2^15 · [k = label]).
 * @param logits integers in units of 2^-28, K of them
 */
export function softmaxResidual(logits: Numbers, label: number, out: Float64Array | number[]): void {
  probabilities(logits, PROBABILITY_ONE, out);
  for (let k = 0; k < logits.length; k++)
    out[k] = Math.min(RESIDUAL_MAX, (out[k] ?? 0) - (k === label ? PROBABILITY_ONE : 0));
}

/**
 * The same of a query, in units of 2^-24 and not clamped: a head is mostly sure of its answer, and what is
 * left of the residual says which examples made it so.
 */
export function queryResidual(logits: Numbers, label: number): number[] {
  const out: number[] = [];
  probabilities(logits, QUERY_ONE, out);
  return out.map((p, k) => (k === label ? p - QUERY_ONE : p));
}

/** floor((2 one e_k + S) / 2 S), so that `one` stands for 1; one ≤ 2^26, so that products stay below 2^53. */
function probabilities(logits: Numbers, one: number, out: Float64Array | number[]): void {
  const classes = logits.length;
  let greatest = logits[0] ?? 0;
  for (let k = 1; k < classes; k++) greatest = Math.max(greatest, logits[k] ?? 0);
  let sum = 0;
  for (let k = 0; k < classes; k++) {
    const e = expOfMinus(Math.floor((greatest - (logits[k] ?? 0)) / LOGITS_PER_EXPONENT));
    out[k] = e;
    sum += e;
  }
  for (let k = 0; k < classes; k++) out[k] = Math.floor(((out[k] ?? 0) * 2 * one + sum) / (2 * sum));
}

/**
 * The curvature of one example along a solution, (diag(p) − p pᵀ) v, written to `out`: p_k = δ_k + 2^15 · [k
 * = label], v̄ = floor(Σ p_l v_l / 2^15), u_k = floor((p_k (v_k − v̄) + 2^(r−1)) / 2^r).
 * @param shift r ≥ 1
 */
export function curvature(
  example: { readonly residual: Numbers; readonly label: number; readonly response: Numbers },
  shift: number,
  out: Float64Array | number[],
): void {
  const { residual, label, response } = example;
  const classes = response.length;
  const unit = 2 ** shift;
  let sum = 0;
  for (let l = 0; l < classes; l++) sum += probability(residual, l, label) * (response[l] ?? 0);
  const mean = Math.floor(sum / PROBABILITY_ONE);
  for (let k = 0; k < classes; k++) {
    const product = probability(residual, k, label) * ((response[k] ?? 0) - mean);
    out[k] = Math.floor((product + unit / 2) / unit);
  }
}

/** p_k in units of 2^-15, from the residual. */
export function probability(residual: Numbers, k: number, label: number): number {
  return (residual[k] ?? 0) + (k === label ? PROBABILITY_ONE : 0);
}

/** What an example is paid for: its score if positive, shifted right. */
export function weightOfScore(score: number, shift: number): number {
  return score > 0 ? Math.floor(score / 2 ** shift) : 0;
}
