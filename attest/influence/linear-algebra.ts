/**
 * Symmetric positive definite systems in float64, with the four operations that IEEE 754 and ECMAScript fix
 * to the last bit (no square roots) in an order that the code fixes: the same bytes on every machine.
 */
import { assert } from '../../core/errors.ts';

/** L D Lᵀ of a matrix: rows of L below the diagonal, D on it; what is above the diagonal means nothing. */
export interface Factors {
  readonly size: number;
  readonly values: Float64Array;
}

const BLOCK = 4;

/**
 * Factorises in place; reads the lower triangle, row by row.
 * @throws AssertionError when the matrix is not positive definite
 */
export function factorise(values: Float64Array, size: number): Factors {
  // Row i of L · D, while row i is worked on.
  const scaled = new Float64Array(size);
  for (let i = 0; i < size; i++) {
    const row = i * size;
    for (let j = 0; j < i; j += BLOCK)
      eliminateBlock(values, scaled, { size, row, j, end: Math.min(i, j + BLOCK) });
    let pivot = values[row + i] ?? 0;
    for (let k = 0; k < i; k++) {
      const l = (scaled[k] ?? 0) / (values[k * size + k] ?? 1);
      pivot -= l * (scaled[k] ?? 0);
      values[row + k] = l;
    }
    assert(pivot > 0, 'the matrix is not positive definite', { i });
    values[row + i] = pivot;
  }
  return { size, values };
}

/** scaled[j…] = A[i][j…] − Σ_{k<j} scaled[k] L[j…][k], for up to 4 neighbouring j: 4 sums for each load. */
function eliminateBlock(
  values: Float64Array,
  scaled: Float64Array,
  {
    size,
    row,
    j,
    end,
  }: { readonly size: number; readonly row: number; readonly j: number; readonly end: number },
): void {
  const r0 = j * size;
  const r1 = r0 + size;
  const r2 = r1 + size;
  const r3 = r2 + size;
  let s0 = 0;
  let s1 = 0;
  let s2 = 0;
  let s3 = 0;
  for (let k = 0; k < j; k++) {
    const u = scaled[k] ?? 0;
    s0 += u * (values[r0 + k] ?? 0);
    s1 += u * (values[r1 + k] ?? 0);
    s2 += u * (values[r2 + k] ?? 0);
    s3 += u * (values[r3 + k] ?? 0);
  }
  const sums = [s0, s1, s2, s3];
  for (let column = j; column < end; column++) {
    let sum = sums[column - j] ?? 0;
    for (let k = j; k < column; k++) sum += (scaled[k] ?? 0) * (values[column * size + k] ?? 0);
    scaled[column] = (values[row + column] ?? 0) - sum;
  }
}

/** Solves A x = b, writing x over b. */
export function solveInPlace({ size, values }: Factors, b: Float64Array): void {
  for (let i = 0; i < size; i++) b[i] = (b[i] ?? 0) - rowTimes(values.subarray(i * size, i * size + i), b);
  for (let i = 0; i < size; i++) b[i] = (b[i] ?? 0) / (values[i * size + i] ?? 1);
  let end = size;
  for (; end >= BLOCK; end -= BLOCK) subtractBlock(values, b, { size, first: end - BLOCK });
  for (let i = end - 1; i > 0; i--) subtractRow(values, b, { row: i * size, i, first: 0 });
}

/**
 * The inverse, row by row: for many right-hand sides with few numbers that are not 0, of each of which it
 * costs one row instead of both passes over all factors.
 */
export function inverseOf(factors: Factors): Float64Array {
  const { size } = factors;
  const inverse = new Float64Array(size * size);
  for (let c = 0; c < size; c++) {
    const row = inverse.subarray(c * size, (c + 1) * size);
    row[c] = 1;
    solveInPlace(factors, row);
  }
  return inverse;
}

/** The inverse times a vector: a sum of its rows, four at a time. */
export function timesInverse(inverse: Float64Array, b: Float64Array): Float64Array {
  const size = b.length;
  const out = new Float64Array(size);
  const used = Array.from(b.keys()).filter((c) => b[c] !== 0);
  for (let at = 0; at < used.length; at += BLOCK) {
    const [c0 = 0, c1 = 0, c2 = 0, c3 = 0] = used.slice(at, at + BLOCK);
    const left = used.length - at;
    const x0 = b[c0] ?? 0;
    const x1 = left > 1 ? (b[c1] ?? 0) : 0;
    const x2 = left > 2 ? (b[c2] ?? 0) : 0;
    const x3 = left > 3 ? (b[c3] ?? 0) : 0;
    for (let k = 0; k < size; k++)
      out[k] =
        (out[k] ?? 0) +
        (x0 * (inverse[c0 * size + k] ?? 0) +
          x1 * (inverse[c1 * size + k] ?? 0) +
          (x2 * (inverse[c2 * size + k] ?? 0) + x3 * (inverse[c3 * size + k] ?? 0)));
  }
  return out;
}

/** Σ row_k b_k, in four sums. */
function rowTimes(row: Float64Array, b: Float64Array): number {
  let s0 = 0;
  let s1 = 0;
  let s2 = 0;
  let s3 = 0;
  let k = 0;
  for (; k + 3 < row.length; k += 4) {
    s0 += (row[k] ?? 0) * (b[k] ?? 0);
    s1 += (row[k + 1] ?? 0) * (b[k + 1] ?? 0);
    s2 += (row[k + 2] ?? 0) * (b[k + 2] ?? 0);
    s3 += (row[k + 3] ?? 0) * (b[k + 3] ?? 0);
  }
  for (; k < row.length; k++) s0 += (row[k] ?? 0) * (b[k] ?? 0);
  return s0 + s1 + (s2 + s3);
}

/** b_k −= b_i L_ik for k from `first` to i. */
function subtractRow(
  values: Float64Array,
  b: Float64Array,
  { row, i, first }: { readonly row: number; readonly i: number; readonly first: number },
): void {
  const x = b[i] ?? 0;
  for (let k = first; k < i; k++) b[k] = (b[k] ?? 0) - x * (values[row + k] ?? 0);
}

/** The same for four neighbouring rows at once, from the last: one pass over b instead of four. */
function subtractBlock(
  values: Float64Array,
  b: Float64Array,
  { size, first }: { readonly size: number; readonly first: number },
): void {
  for (let i = first + BLOCK - 1; i > first; i--) subtractRow(values, b, { row: i * size, i, first });
  const r0 = first * size;
  const r1 = r0 + size;
  const r2 = r1 + size;
  const r3 = r2 + size;
  const x0 = b[first] ?? 0;
  const x1 = b[first + 1] ?? 0;
  const x2 = b[first + 2] ?? 0;
  const x3 = b[first + 3] ?? 0;
  for (let k = 0; k < first; k++)
    b[k] =
      (b[k] ?? 0) -
      (x0 * (values[r0 + k] ?? 0) +
        x1 * (values[r1 + k] ?? 0) +
        (x2 * (values[r2 + k] ?? 0) + x3 * (values[r3 + k] ?? 0)));
}

/** Σ a_i b_i. */
export function inner(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] ?? 0) * (b[i] ?? 0);
  return sum;
}

/** a + t b, as a new array. */
export function plus(a: Float64Array, t: number, b: Float64Array): Float64Array {
  const out = new Float64Array(a.length);
  for (let i = 0; i < a.length; i++) out[i] = (a[i] ?? 0) + t * (b[i] ?? 0);
  return out;
}

/** Largest absolute value. */
export function largest(a: Float64Array): number {
  let most = 0;
  for (const value of a) most = Math.max(most, Math.abs(value));
  return most;
}
