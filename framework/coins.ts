/**
 * Amounts of several denominations. `Coins` is the SDK's: sorted by denom, no duplicates, no zeros; every
 * function here that returns `Coins` keeps that, and those that take `Coins` rely on it. Coins from outside
 * pass `parseCoins` first.
 */
import { StateError, sdkErrors } from './errors.ts';

/** An amount of one denomination, in its base unit. */
export interface Coin {
  readonly denom: string;
  readonly amount: bigint;
}

/** Sorted by denom, unique, each amount positive. */
export type Coins = readonly Coin[];

/** A coin on the wire (`cosmos.base.v1beta1.Coin`): the amount is decimal text. */
export interface WireCoin {
  readonly denom: string;
  readonly amount: string;
}

/** Nothing. */
export const NO_COINS: Coins = [];

/** Largest amount: the SDK's `math.Int` holds 256 bits. */
export const AMOUNT_MAX: bigint = (1n << 256n) - 1n;

const DENOM_PATTERN = /^[a-zA-Z][a-zA-Z0-9/:._-]{2,127}$/;
const AMOUNT_PATTERN = /^-?[0-9]{1,78}$/;
const COIN_PATTERN = /^([0-9]{1,78})\s*([a-zA-Z][a-zA-Z0-9/:._-]{2,127})$/;

/** True for a denomination as the SDK defines it. */
export function isDenom(text: string): boolean {
  if (text === lastDenom) return true;
  if (!DENOM_PATTERN.test(text)) return false;
  lastDenom = text;
  return true;
}

/** The denomination found good last: nearly always the one that is asked for next. */
let lastDenom = '';

/** @throws StateError (sdk 10) when the denomination is malformed */
export function validateDenom(denom: string): void {
  if (!isDenom(denom)) throw new StateError(sdkErrors.invalidCoins, `invalid denom: ${denom}`);
}

/**
 * The number that decimal text spells. A sign and leading zeros are read, as Go's `big.Int` reads them.
 * @throws StateError (sdk 10) when it is no integer of at most 256 bits
 */
export function parseAmount(text: string): bigint {
  if (!AMOUNT_PATTERN.test(text)) throw new StateError(sdkErrors.invalidCoins, `invalid amount: ${text}`);
  const amount = BigInt(text);
  if (amount > AMOUNT_MAX || amount < -AMOUNT_MAX)
    throw new StateError(sdkErrors.invalidCoins, `amount exceeds 256 bits: ${text}`);
  return amount;
}

/** The coin that a wire coin is; its amount may be negative or zero: see `parseCoins`. */
export function parseCoin(wire: WireCoin): Coin {
  return { denom: wire.denom, amount: parseAmount(wire.amount) };
}

/**
 * Coins from outside.
 * @throws StateError (sdk 10) unless they are sorted, unique, positive and well named
 */
export function parseCoins(wire: readonly WireCoin[]): Coins {
  const coins = wire.map(parseCoin);
  const problem = problemOfCoins(coins);
  if (problem !== undefined) throw new StateError(sdkErrors.invalidCoins, coinsToString(coins), { problem });
  return coins;
}

/** Why these are not valid `Coins`, in the SDK's words; undefined when they are. */
export function problemOfCoins(coins: readonly Coin[]): string | undefined {
  let previous: string | undefined;
  for (const coin of coins) {
    if (!isDenom(coin.denom)) return `invalid denom: ${coin.denom}`;
    if (previous !== undefined && coin.denom < previous) return `denomination ${coin.denom} is not sorted`;
    if (coin.denom === previous) return `duplicate denomination ${coin.denom}`;
    if (coin.amount <= 0n) return `coin ${coinToString(coin)} amount is not positive`;
    previous = coin.denom;
  }
  return undefined;
}

/** Any list of coins as `Coins`: sorted, amounts of one denom added, zeros dropped. */
export function normalizeCoins(coins: readonly Coin[]): Coins {
  return coins.reduce<Coins>((sum, coin) => addCoins(sum, [coin]), NO_COINS);
}

/** `coins` on the wire. */
export function coinsToWire(coins: readonly Coin[]): readonly WireCoin[] {
  return coins.map(coinToWire);
}

/** `coin` on the wire. */
export function coinToWire(coin: Coin): WireCoin {
  return { denom: coin.denom, amount: coin.amount.toString() };
}

/** `12uopen`. */
export function coinToString(coin: Coin): string {
  return `${coin.amount}${coin.denom}`;
}

/** `12uopen,3uusd`; empty for none. */
export function coinsToString(coins: readonly Coin[]): string {
  const [only] = coins;
  return only !== undefined && coins.length === 1 ? coinToString(only) : coins.map(coinToString).join(',');
}

/**
 * Coins of text such as `12uopen,3uusd`, in any order.
 * @throws StateError (sdk 10) when it is malformed
 */
export function coinsFromString(text: string): Coins {
  if (text.trim() === '') return NO_COINS;
  return normalizeCoins(
    text.split(',').map((part) => {
      const match = COIN_PATTERN.exec(part.trim());
      if (match === null)
        throw new StateError(sdkErrors.invalidCoins, `invalid decimal coin expression: ${part}`);
      return { denom: match[2] ?? '', amount: parseAmount(match[1] ?? '') };
    }),
  );
}

/** How much of a denomination. */
export function amountOf(coins: Coins, denom: string): bigint {
  for (const coin of coins) if (coin.denom === denom) return coin.amount;
  return 0n;
}

/** The sum. @throws StateError (sdk 10) when an amount leaves 256 bits */
export function addCoins(a: Coins, b: Coins): Coins {
  return merge(a, b, (x, y) => x + y);
}

/** The difference; undefined when some denomination would go below zero. */
export function subtractCoins(a: Coins, b: Coins): Coins | undefined {
  const difference = merge(a, b, (x, y) => x - y);
  return difference.some((coin) => coin.amount < 0n) ? undefined : difference;
}

/** True when `a` holds at least `b` of each denomination. */
export function coinsCover(a: Coins, b: Coins): boolean {
  return b.every((coin) => amountOf(a, coin.denom) >= coin.amount);
}

/** True when both are the same. */
export function equalCoins(a: Coins, b: Coins): boolean {
  return a.length === b.length && coinsCover(a, b) && coinsCover(b, a);
}

function merge(a: Coins, b: Coins, combine: (x: bigint, y: bigint) => bigint): Coins {
  const merged: Coin[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    const left = a[i];
    const right = b[j];
    const takesLeft = left !== undefined && (right === undefined || left.denom <= right.denom);
    const takesRight = right !== undefined && (left === undefined || right.denom <= left.denom);
    const denom = takesLeft ? left.denom : (right?.denom ?? '');
    const amount = combine(takesLeft ? left.amount : 0n, takesRight ? right.amount : 0n);
    if (amount > AMOUNT_MAX)
      throw new StateError(sdkErrors.invalidCoins, `amount of ${denom} exceeds 256 bits`);
    if (amount !== 0n) merged.push({ denom, amount });
    if (takesLeft) i++;
    if (takesRight) j++;
  }
  return merged;
}
