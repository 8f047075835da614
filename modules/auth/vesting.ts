/**
 * What of an account's coins is locked, as pure arithmetic (SDK v0.50 x/auth/vesting/types). With V what has
 * not vested at a time, DV and DF what is delegated of vesting and of free coins:
 *
 * | what | amount, for each denomination |
 * | --- | --- |
 * | locked | V − min(V, DV) |
 * | delegating D | DV grows by X = min(max(V − DV, 0), D), DF by D − X |
 * | taking D back | DF shrinks by X = min(DF, D), DV by min(DV, D − X) |
 *
 * Slashing changes neither DV nor DF, so that more may come back than is tracked, and less.
 */
import { Decimal } from '../../core/decimal.ts';
import {
  addCoins,
  amountOf,
  type Coin,
  type Coins,
  NO_COINS,
  normalizeCoins,
} from '../../framework/coins.ts';
import type { Vesting } from './types.ts';

/** What has vested at a time, in seconds since 1970. Nothing has at the moment of the start. */
export function vestedCoins(vesting: Vesting, seconds: bigint): Coins {
  const { kind, original, startTime, endTime } = vesting;
  if (kind === 'permanent') return NO_COINS;
  if (kind !== 'delayed' && seconds <= startTime) return NO_COINS;
  if (seconds >= endTime) return original;
  switch (kind) {
    case 'delayed':
      return NO_COINS;
    case 'continuous':
      return vestedOf(original, seconds - startTime, endTime - startTime);
    case 'periodic':
      return vestedPeriods(vesting, seconds);
  }
}

/** The part of the time that has passed is rounded to 18 places first, then each amount to a unit. */
function vestedOf(original: Coins, passed: bigint, whole: bigint): Coins {
  const part = Decimal.ofInteger(passed).divide(Decimal.ofInteger(whole));
  return normalizeCoins(
    original.map(({ denom, amount }) => ({
      denom,
      amount: Decimal.ofInteger(amount).multiply(part).round(),
    })),
  );
}

function vestedPeriods({ periods, startTime }: Vesting, seconds: bigint): Coins {
  let vested = NO_COINS;
  let start = startTime;
  for (const { length, amount } of periods) {
    if (seconds - start < length) break;
    vested = addCoins(vested, amount);
    start += length;
  }
  return vested;
}

/** What may not be spent at a time: what has not vested, but for what of it is delegated. */
export function lockedCoins(vesting: Vesting, seconds: bigint): Coins {
  const unvested = vestingCoins(vesting, seconds);
  return less(unvested, (denom) => amountOf(vesting.delegatedVesting, denom));
}

function vestingCoins(vesting: Vesting, seconds: bigint): Coins {
  const vested = vestedCoins(vesting, seconds);
  return less(vesting.original, (denom) => amountOf(vested, denom));
}

/** Each amount less another, down to zero. */
function less(coins: Coins, other: (denom: string) => bigint): Coins {
  return coins.flatMap(({ denom, amount }): Coins => {
    const rest = amount - other(denom);
    return rest > 0n ? [{ denom, amount: rest }] : NO_COINS;
  });
}

/** The account after it delegated. */
export function afterDelegation(vesting: Vesting, coins: Coins, seconds: bigint): Vesting {
  const unvested = vestingCoins(vesting, seconds);
  let { delegatedVesting, delegatedFree } = vesting;
  for (const { denom, amount } of coins) {
    const open = larger(amountOf(unvested, denom) - amountOf(delegatedVesting, denom), 0n);
    const locked = smaller(open, amount);
    delegatedVesting = changed(delegatedVesting, denom, locked);
    delegatedFree = changed(delegatedFree, denom, amount - locked);
  }
  return { ...vesting, delegatedVesting, delegatedFree };
}

/** The account after it got back what it had delegated: what was free is free first. */
export function afterUndelegation(vesting: Vesting, coins: Coins): Vesting {
  let { delegatedVesting, delegatedFree } = vesting;
  for (const { denom, amount } of coins) {
    const free = smaller(amountOf(delegatedFree, denom), amount);
    const locked = smaller(amountOf(delegatedVesting, denom), amount - free);
    delegatedFree = changed(delegatedFree, denom, -free);
    delegatedVesting = changed(delegatedVesting, denom, -locked);
  }
  return { ...vesting, delegatedVesting, delegatedFree };
}

function changed(coins: Coins, denom: string, by: bigint): Coins {
  const change: Coin = { denom, amount: by };
  return by === 0n ? coins : normalizeCoins([...coins, change]);
}

function smaller(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

function larger(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}
