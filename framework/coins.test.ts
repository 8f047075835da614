import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  AMOUNT_MAX,
  addCoins,
  amountOf,
  type Coins,
  coinsCover,
  coinsFromString,
  coinsToString,
  equalCoins,
  normalizeCoins,
  parseCoins,
  problemOfCoins,
  subtractCoins,
} from './coins.ts';

const coin = fc.record({
  denom: fc.constantFrom('uatom', 'uopen', 'uusd', 'ibc/ABC'),
  amount: fc.bigInt({ min: 0n, max: 1n << 100n }),
});
const coins: fc.Arbitrary<Coins> = fc.array(coin, { maxLength: 6 }).map(normalizeCoins);

describe('coins', () => {
  it('stay sorted, unique and positive under addition and subtraction', () => {
    fc.assert(
      fc.property(coins, coins, (a, b) => {
        expect(problemOfCoins(addCoins(a, b))).toBeUndefined();
        expect(problemOfCoins(subtractCoins(a, b) ?? [])).toBeUndefined();
      }),
    );
  });

  it('add up by denomination, in any order, and subtraction takes addition back', () => {
    fc.assert(
      fc.property(coins, coins, (a, b) => {
        const sum = addCoins(a, b);
        for (const { denom, amount } of sum) expect(amount).toBe(amountOf(a, denom) + amountOf(b, denom));
        expect(addCoins(b, a)).toEqual(sum);
        expect(subtractCoins(sum, b)).toEqual(a);
      }),
    );
  });

  it('cannot be subtracted where they are not covered', () => {
    fc.assert(
      fc.property(coins, coins, (a, b) => {
        expect(subtractCoins(a, b) === undefined).toBe(!coinsCover(a, b));
        expect(equalCoins(a, b)).toBe(coinsCover(a, b) && coinsCover(b, a) && a.length === b.length);
      }),
    );
  });

  it('survive being written and read', () => {
    fc.assert(
      fc.property(coins, (a) => {
        expect(coinsFromString(coinsToString(a))).toEqual(a);
      }),
    );
  });

  it('never leave 256 bits', () => {
    const most = [{ denom: 'uopen', amount: AMOUNT_MAX }];
    expect(() => addCoins(most, [{ denom: 'uopen', amount: 1n }])).toThrow('exceeds 256 bits');
  });

  it.each([
    [
      'unsorted',
      [
        { denom: 'b00', amount: '1' },
        { denom: 'a00', amount: '1' },
      ],
    ],
    [
      'twice the same',
      [
        { denom: 'a00', amount: '1' },
        { denom: 'a00', amount: '1' },
      ],
    ],
    ['zero', [{ denom: 'a00', amount: '0' }]],
    ['negative', [{ denom: 'a00', amount: '-1' }]],
    ['a short denomination', [{ denom: 'a', amount: '1' }]],
    ['an odd denomination', [{ denom: 'a b c', amount: '1' }]],
    ['no number', [{ denom: 'a00', amount: 'x' }]],
    ['an empty number', [{ denom: 'a00', amount: '' }]],
    ['more than 256 bits', [{ denom: 'a00', amount: (AMOUNT_MAX + 1n).toString() }]],
    ['a number without end', [{ denom: 'a00', amount: '9'.repeat(1000) }]],
  ])('from outside are refused when %s', (_, wire) => {
    expect(() => parseCoins(wire)).toThrow(/invalid coins$/);
  });

  it.each(['uopen', '1 2uopen', '-1uopen', '1.5uopen', '1u'])('refuse the text %j', (text) => {
    expect(() => coinsFromString(text)).toThrow('invalid');
  });
});
