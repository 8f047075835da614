import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { toHex } from '../../../../core/bytes.ts';
import { sha256 } from '../../../../core/hash.ts';
import {
  checkShape,
  curvatureShift,
  EXAMPLES_MAX,
  FEATURE_MAX,
  FEATURES_MAX,
  PROBABILITY_ONE,
  solutionMax,
  WEIGHT_MAX,
  weightShift,
} from './bounds.ts';
import { curvature, dot, EXP_ONE, exponentialTables, expOfMinus, softmaxResidual } from './fixed-point.ts';

describe('exponentials', () => {
  test('the tables are those of the specification', () => {
    const tables = exponentialTables();
    const bytes = new Uint8Array(4 * tables.length);
    const view = new DataView(bytes.buffer);
    for (const [i, value] of tables.entries()) view.setUint32(4 * i, value);
    expect(toHex(sha256(bytes))).toBe('d557c1ba7119663a368343923c4511f318e977f64079d9d29017727f6a3f12b5');
    for (const [block, bits] of [8, 16, 24].entries())
      for (let i = 0; i < 256; i++)
        expect(tables[256 * block + i]).toBe(Math.floor(2 ** 26 * 2 ** (-i / 2 ** bits)));
  });

  test('are within 2^-24 of the real ones, and fall', () => {
    let last = EXP_ONE;
    for (let d = 0; d < 33 * 2 ** 24; d += 254_321) {
      const e = expOfMinus(d);
      expect(Math.abs(e / EXP_ONE - Math.exp(-d / 2 ** 24))).toBeLessThan(2 ** -24);
      expect(e).toBeLessThanOrEqual(last);
      last = e;
    }
    expect(expOfMinus(0)).toBe(EXP_ONE);
    expect(expOfMinus(32 * 2 ** 24)).toBe(0);
  });
});

const logitsOf = (least: number): fc.Arbitrary<number[]> =>
  fc.array(fc.integer({ min: -(2 ** 45), max: 2 ** 45 }), { minLength: least, maxLength: 12 });

test('residuals are those of a softmax to 2^-15, and fit 16 bits', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        logitsOf(2),
        fc.array(fc.integer({ min: -(2 ** 31), max: 2 ** 31 }), { minLength: 2, maxLength: 12 }),
      ),
      fc.nat(),
      (logits, pick) => {
        const label = pick % logits.length;
        const out: number[] = [];
        softmaxResidual(logits, label, out);
        const most = Math.max(...logits);
        const real = logits.map((z) => Math.exp((z - most) / 2 ** 28));
        const sum = real.reduce((a, b) => a + b, 0);
        for (const [k, e] of real.entries()) {
          const value = out[k] ?? 0;
          expect(Number.isInteger(value) && value >= -32_768 && value <= 32_767).toBe(true);
          expect(Math.abs(value / 2 ** 15 - (e / sum - (k === label ? 1 : 0)))).toBeLessThanOrEqual(2 ** -15);
        }
      },
    ),
  );
});

test('the largest sums stay below 2^53', () => {
  const most = 2 ** 53;
  for (const features of [2, 197, FEATURES_MAX]) {
    for (const examples of [1, 5_000, EXAMPLES_MAX]) {
      const shape = { features, classes: 256, examples };
      checkShape(shape);
      const response = solutionMax(shape) * FEATURE_MAX * features;
      expect(WEIGHT_MAX * FEATURE_MAX * features).toBeLessThan(2 ** 45);
      expect((PROBABILITY_ONE + 128) * response).toBeLessThan(most);
      // One class with all probability and the largest response, the others against it.
      const product = PROBABILITY_ONE * (2 + 2 ** -7) * response + 2 ** (curvatureShift(shape) - 1);
      expect(product).toBeLessThan(most);
      expect((product / 2 ** curvatureShift(shape) + 1) * FEATURE_MAX * examples).toBeLessThan(most);
      const score = (2 * PROBABILITY_ONE + 128) * response;
      expect(score).toBeLessThan(most);
      expect((score / 2 ** weightShift(shape)) * examples).toBeLessThan(most);
      expect(PROBABILITY_ONE * FEATURE_MAX * examples).toBeLessThan(most);
    }
  }
  expect(() => checkShape({ features: FEATURES_MAX + 1, classes: 2, examples: 1 })).toThrow('features');
  expect(() => checkShape({ features: 2, classes: 1, examples: 1 })).toThrow('classes');
  expect(() => checkShape({ features: 2, classes: 2, examples: EXAMPLES_MAX + 1 })).toThrow('examples');
});

test('curvature is (diag(p) − p pᵀ) v, rounded', () => {
  const values = fc.array(fc.integer({ min: -(2 ** 35), max: 2 ** 35 }), { minLength: 3, maxLength: 3 });
  fc.assert(
    fc.property(
      values,
      fc.array(fc.integer({ min: -(2 ** 29), max: 2 ** 29 }), { minLength: 3, maxLength: 3 }),
      (v, z) => {
        const residual: number[] = [];
        softmaxResidual(z, 1, residual);
        const out: number[] = [];
        curvature({ residual, label: 1, response: v }, 20, out);
        const p = residual.map((d, k) => (d + (k === 1 ? PROBABILITY_ONE : 0)) / PROBABILITY_ONE);
        const mean = dot(p, v);
        for (const [k, u] of out.entries()) {
          const real = (PROBABILITY_ONE * (p[k] ?? 0) * ((v[k] ?? 0) - mean)) / 2 ** 20;
          expect(Math.abs(u - real)).toBeLessThanOrEqual(0.6);
        }
      },
    ),
  );
});
