/**
 * Amounts of several denominations with 18 places: the SDK's `DecCoins` (`types/dec_coin.go`), with its
 * rounding. Sorted by denom, no duplicates, no zeros; every function here that returns `DecCoins` keeps that,
 * and those that take them rely on it.
 */
import { Decimal } from '../core/decimal.ts';
import { assert } from '../core/errors.ts';
import { type Coin, type Coins, isDenom, type WireCoin } from './coins.ts';
import type { JsonReader, JsonValue } from './json.ts';
import { decimalFromJson } from './json-fields.ts';

/** An amount of one denomination, in its base unit. */
export interface DecCoin {
  readonly denom: string;
  readonly amount: Decimal;
}

/** Sorted by denom, unique, each amount positive. */
export type DecCoins = readonly DecCoin[];

/** Nothing. */
export const NO_DEC_COINS: DecCoins = [];

/** Whole coins as decimal ones. */
export function decCoinsOf(coins: Coins): DecCoins {
  return coins.map(({ denom, amount }) => ({ denom, amount: Decimal.ofInteger(amount) }));
}

/** The sum. @throws LedgerError `decimal.overflow` from 2^256 on */
export function addDecCoins(a: DecCoins, b: DecCoins): DecCoins {
  return merge(a, b, (x, y) => x.add(y));
}

/** The difference; undefined when one of the denominations would fall below zero. */
export function subtractDecCoins(a: DecCoins, b: DecCoins): DecCoins | undefined {
  const difference = merge(a, b, (x, y) => x.subtract(y));
  return difference.some(({ amount }) => amount.sign < 0) ? undefined : difference;
}

/** The difference of what is known to be enough. @throws AssertionError when it is not */
export function restOfDecCoins(a: DecCoins, b: DecCoins): DecCoins {
  const rest = subtractDecCoins(a, b);
  assert(rest !== undefined, 'decimal coins fall below zero');
  return rest;
}

/** Each amount times a number, to the nearest. */
export function multiplyDecCoins(coins: DecCoins, factor: Decimal): DecCoins {
  return each(coins, (amount) => amount.multiply(factor));
}

/** Each amount times a number, towards zero. */
export function multiplyDecCoinsTruncate(coins: DecCoins, factor: Decimal): DecCoins {
  return each(coins, (amount) => amount.multiplyTruncate(factor));
}

/** Each amount by a number that is not zero, towards zero. */
export function divideDecCoinsTruncate(coins: DecCoins, by: Decimal): DecCoins {
  return each(coins, (amount) => amount.divideTruncate(by));
}

/** The smaller amount of each denomination. */
export function intersectDecCoins(a: DecCoins, b: DecCoins): DecCoins {
  return nonZero(
    a.map(({ denom, amount }) => ({ denom, amount: Decimal.min(amount, decAmountOf(b, denom)) })),
  );
}

/** The whole coins, and what is left of each. */
export function truncateDecCoins(coins: DecCoins): { readonly whole: Coins; readonly change: DecCoins } {
  const parts = coins.map(({ denom, amount }) => ({ denom, amount, whole: amount.truncate() }));
  return {
    whole: parts.flatMap(({ denom, whole }): Coin[] => (whole === 0n ? [] : [{ denom, amount: whole }])),
    change: nonZero(
      parts.map(({ denom, amount, whole }) => ({ denom, amount: amount.subtract(Decimal.ofInteger(whole)) })),
    ),
  };
}

/** How much of a denomination. */
export function decAmountOf(coins: DecCoins, denom: string): Decimal {
  for (const coin of coins) if (coin.denom === denom) return coin.amount;
  return Decimal.ZERO;
}

/** True when both are the same. */
export function equalDecCoins(a: DecCoins, b: DecCoins): boolean {
  return a.length === b.length && a.every(({ denom, amount }) => decAmountOf(b, denom).equals(amount));
}

/** `1.500000000000000000uopen,…`; empty for none. */
export function decCoinsToString(coins: DecCoins): string {
  return coins.map(({ denom, amount }) => `${amount}${denom}`).join(',');
}

/** Coins on the wire and in state (`cosmos.base.v1beta1.DecCoin`): amounts are integers of 10^-18. */
export function decCoinsToWire(coins: DecCoins): readonly WireCoin[] {
  return coins.map(({ denom, amount }) => ({ denom, amount: amount.toWire() }));
}

/** Coins from state. */
export function decCoinsOfWire(coins: readonly WireCoin[]): DecCoins {
  return coins.map(({ denom, amount }) => ({ denom, amount: Decimal.ofWire(amount) }));
}

/** Coins in a genesis document: amounts with their point. */
export function decCoinsToJson(coins: DecCoins): JsonValue {
  return coins.map(({ denom, amount }) => ({ denom, amount: amount.toString() }));
}

/** Coins from a genesis document. @throws JsonError unless sorted, unique, positive and well named */
export function decCoinsFromJson(json: JsonReader): DecCoins {
  let previous = '';
  return json.elements().map((element) => {
    element.onlyMembers('denom', 'amount');
    const denom = element.member('denom').text();
    if (!isDenom(denom)) element.member('denom').fail(`invalid denom: ${denom}`);
    if (denom <= previous) element.member('denom').fail(`${denom} is not sorted, or there twice`);
    previous = denom;
    const amount = decimalFromJson(element.member('amount'));
    if (amount.sign <= 0) element.member('amount').fail('is not positive');
    return { denom, amount };
  });
}

function each(coins: DecCoins, change: (amount: Decimal) => Decimal): DecCoins {
  return nonZero(coins.map(({ denom, amount }) => ({ denom, amount: change(amount) })));
}

function nonZero(coins: DecCoins): DecCoins {
  return coins.filter(({ amount }) => amount.sign !== 0);
}

function merge(a: DecCoins, b: DecCoins, combine: (x: Decimal, y: Decimal) => Decimal): DecCoins {
  const merged: DecCoin[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    const left = a[i];
    const right = b[j];
    const takesLeft = left !== undefined && (right === undefined || left.denom <= right.denom);
    const takesRight = right !== undefined && (left === undefined || right.denom <= left.denom);
    const denom = takesLeft ? left.denom : (right?.denom ?? '');
    const amount = combine(takesLeft ? left.amount : Decimal.ZERO, takesRight ? right.amount : Decimal.ZERO);
    if (amount.sign !== 0) merged.push({ denom, amount });
    if (takesLeft) i++;
    if (takesRight) j++;
  }
  return merged;
}
