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
  for (let i = 0; i < size; i++) {
    const row = i * size;
    let s0 = 0;
    let s1 = 0;
    let k = 0;
    for (; k + 1 < i; k += 2) {
      s0 += (values[row + k] ?? 0) * (b[k] ?? 0);
      s1 += (values[row + k + 1] ?? 0) * (b[k + 1] ?? 0);
    }
    if (k < i) s0 += (values[row + k] ?? 0) * (b[k] ?? 0);
    b[i] = (b[i] ?? 0) - (s0 + s1);
  }
  for (let i = 0; i < size; i++) b[i] = (b[i] ?? 0) / (values[i * size + i] ?? 1);
  for (let i = size - 1; i > 0; i--) {
    const row = i * size;
    const x = b[i] ?? 0;
    for (let k = 0; k < i; k++) b[k] = (b[k] ?? 0) - x * (values[row + k] ?? 0);
  }
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
