import fc from 'fast-check';
import { expect, test } from 'vitest';
import { apportion } from './apportion.ts';

const amount = fc.bigInt({ min: 0n, max: 1n << 120n });

test('largest remainders: integers that add up, each less than one from its exact share', () => {
  const weights = fc
    .array(fc.bigInt({ min: 0n, max: 1n << 64n }), { minLength: 1, maxLength: 64 })
    .filter((list) => list.some((weight) => weight > 0n));
  fc.assert(
    fc.property(amount, weights, (total, list) => {
      const whole = list.reduce((sum, weight) => sum + weight, 0n);
      const parts = apportion(total, list);
      expect(parts.reduce((sum, part) => sum + part, 0n)).toBe(total);
      for (const [i, part] of parts.entries()) {
        const distance = part * whole - total * (list[i] ?? 0n);
        expect(distance < whole && distance > -whole).toBe(true);
      }
    }),
  );
  expect(apportion(10n, [1n, 1n, 1n])).toEqual([4n, 3n, 3n]);
  expect(apportion(1n, [1n, 2n])).toEqual([0n, 1n]);
  expect(() => apportion(1n, [0n])).toThrow('nothing');
});
