/** Division without a remainder that is lost. */
import { assert } from './errors.ts';

/**
 * Divides an amount in proportion to weights by the method of largest remainders: the parts are integers,
 * add up to the amount, and each differs from its exact share by less than one. Equal remainders: the
 * earlier weight wins.
 * @param weights not negative, with a positive sum
 */
export function apportion(amount: bigint, weights: readonly bigint[]): readonly bigint[] {
  const whole = weights.reduce((sum, weight) => sum + weight, 0n);
  assert(whole > 0n && amount >= 0n, 'nothing to apportion by');
  const parts = weights.map((weight) => (amount * weight) / whole);
  const left = amount - parts.reduce((sum, part) => sum + part, 0n);
  const byRemainder = weights
    .map((weight, index) => ({ index, remainder: (amount * weight) % whole }))
    .sort((a, b) => (a.remainder === b.remainder ? a.index - b.index : a.remainder > b.remainder ? -1 : 1));
  const favoured = new Set(byRemainder.slice(0, Number(left)).map(({ index }) => index));
  return parts.map((part, index) => (favoured.has(index) ? part + 1n : part));
}
