import { expect, test } from 'vitest';
import { bondOf, isBond, leastRequestBond, splitBond } from './bonds.ts';

test('a bond is a positive whole number of a denomination', () => {
  expect(isBond({ denom: 'uopen', amount: '1' })).toBe(true);
  for (const amount of ['0', '', '-1', '01', '1.5', '1e3', '9'.repeat(78)])
    expect(isBond({ denom: 'uopen', amount }), amount).toBe(false);
  expect(isBond({ denom: '1', amount: '1' })).toBe(false);
});

test('a bond has to be as much as it must, of the right denomination', () => {
  const least = { denom: 'uopen', amount: 7n };
  expect(bondOf({ denom: 'uopen', amount: '7' }, least)).toEqual({ denom: 'uopen', amount: 7n });
  expect(bondOf({ denom: 'uopen', amount: '6' }, least)).toContain('must be at least 7uopen');
  expect(bondOf({ denom: 'other', amount: '7' }, least)).toContain('7other');
});

test('nothing of a bond is lost or made when it is split, and the part is rounded down', () => {
  for (const amount of [0n, 1n, 9_999n, 10_001n, 10n ** 60n])
    for (const bps of [0, 1, 3_333, 9_000, 10_000]) {
      const { part, rest } = splitBond({ denom: 'uopen', amount }, bps);
      expect(part.amount + rest.amount).toBe(amount);
      expect(part.amount).toBe((amount * BigInt(bps)) / 10_000n);
    }
});

test('n open requests cost as n²', () => {
  const sum = Array.from({ length: 64 }, (_, open) => leastRequestBond(10n, open)).reduce(
    (a, b) => a + b,
    0n,
  );
  expect(sum).toBe((10n * 64n * 65n) / 2n);
});
