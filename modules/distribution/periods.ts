/**
 * Periods of a validator. One ends whenever somebody's stake in it changes, or is slashed; what a token has
 * earned up to its end is kept as long as something refers to it.
 */
import { assert } from '../../core/errors.ts';
import { Decimal } from '../../core/decimal.ts';
import type { Address } from '../../framework/address.ts';
import type { Context, ReadContext } from '../../framework/context.ts';
import {
  addDecCoins,
  type DecCoins,
  divideDecCoinsTruncate,
  NO_DEC_COINS,
  restOfDecCoins,
} from '../../framework/dec-coins.ts';
import type { Validator } from '../staking/types.ts';
import { addToCommunityPool } from './community-pool.ts';
import type { DistributionCore } from './ports.ts';
import { historicalKey, slashKey } from './state.ts';
import type { CurrentRewards } from './types.ts';

/** A period that has ended, or would end now. */
export interface EndedPeriod {
  readonly period: bigint;
  /** What a token has earned up to its end. */
  readonly cumulativeRatio: DecCoins;
}

/** Most that refer to one period: the next one, a delegation or a slash that ended it, and one of both. */
const REFERENCES_MAX = 3;

/** What a validator begins with: nothing, and period 1 after an empty period 0. */
export function initializeValidator(k: DistributionCore, context: Context, operator: Address): void {
  const first = { cumulativeRatio: NO_DEC_COINS, referenceCount: 1 };
  k.state.historical.set(context, [operator, 0n], first);
  k.state.current.set(context, operator, { rewards: NO_DEC_COINS, period: 1n });
  k.state.commissions.set(context, operator, NO_DEC_COINS);
  k.state.outstanding.set(context, operator, NO_DEC_COINS);
}

/** What a validator and its delegators have not withdrawn. */
export function outstandingOf(k: DistributionCore, context: ReadContext, operator: Address): DecCoins {
  return k.state.outstanding.get(context, operator) ?? NO_DEC_COINS;
}

/** What a token has earned up to the end of a period. @throws StateError (sdk 22) when that is not kept */
export function ratioAt(
  k: DistributionCore,
  context: ReadContext,
  { operator, period }: { readonly operator: Address; readonly period: bigint },
): DecCoins {
  return k.state.historical.require(context, [operator, period]).cumulativeRatio;
}

/** What a token of the validator earns in the period under way. Rounded down: no more is paid than is owed. */
function ratioOf({ rewards }: CurrentRewards, { tokens }: Validator): DecCoins {
  return tokens === 0n ? NO_DEC_COINS : divideDecCoinsTruncate(rewards, Decimal.ofInteger(tokens));
}

/** The period under way as if it ended now: for queries. */
export function periodIfEnded(k: DistributionCore, context: ReadContext, validator: Validator): EndedPeriod {
  const { operator } = validator;
  const current = k.state.current.require(context, operator);
  const before = ratioAt(k, context, { operator, period: current.period - 1n });
  return { period: current.period, cumulativeRatio: addDecCoins(before, ratioOf(current, validator)) };
}

/**
 * Ends the period under way and begins the next one. What a validator without tokens earned goes to the
 * community: nobody has a share in it. The order of reads and writes is the SDK's, and so is the gas.
 * @returns the period that ended
 */
export function endPeriod(k: DistributionCore, context: Context, validator: Validator): bigint {
  const { operator } = validator;
  const current = k.state.current.require(context, operator);
  const { period, rewards } = current;
  if (validator.tokens === 0n) {
    const outstanding = restOfDecCoins(outstandingOf(k, context, operator), rewards);
    addToCommunityPool(k, context, rewards);
    k.state.outstanding.set(context, operator, outstanding);
  }
  const ratio = ratioOf(current, validator);
  const before = ratioAt(k, context, { operator, period: period - 1n });
  dropReference(k, context, { operator, period: period - 1n });
  const cumulativeRatio = addDecCoins(before, ratio);
  k.state.historical.set(context, [operator, period], { cumulativeRatio, referenceCount: 1 });
  k.state.current.set(context, operator, { rewards: NO_DEC_COINS, period: period + 1n });
  return period;
}

/** Notes that something needs a period. */
export function addReference(
  k: DistributionCore,
  context: Context,
  at: { readonly operator: Address; readonly period: bigint },
): void {
  const key = [at.operator, at.period] as const;
  const held = k.state.historical.require(context, key);
  assert(held.referenceCount < REFERENCES_MAX, 'a period is referred to more often than it can be');
  k.state.historical.set(context, key, { ...held, referenceCount: held.referenceCount + 1 });
}

/** Notes that something no longer needs a period; the last one takes it along. */
export function dropReference(
  k: DistributionCore,
  context: Context,
  at: { readonly operator: Address; readonly period: bigint },
): void {
  const key = [at.operator, at.period] as const;
  const held = k.state.historical.require(context, key);
  assert(held.referenceCount > 0, 'a period that nothing refers to was kept');
  if (held.referenceCount === 1) k.state.historical.remove(context, key);
  else k.state.historical.set(context, key, { ...held, referenceCount: held.referenceCount - 1 });
}

/** Ends a period because part of the tokens is about to be taken, and notes which part. */
export function recordSlash(
  k: DistributionCore,
  context: Context,
  { validator, fraction }: { readonly validator: Validator; readonly fraction: Decimal },
): void {
  assert(fraction.sign >= 0 && !fraction.greaterThan(Decimal.ONE), 'a slash fraction is not within 0 and 1');
  const { operator } = validator;
  const period = endPeriod(k, context, validator);
  addReference(k, context, { operator, period });
  k.state.slashes.set(context, [operator, context.block.height, period], { period, fraction });
}

/** Forgets periods and slashes of a validator that is gone. */
export function forgetPeriods(k: DistributionCore, context: Context, operator: Address): void {
  // Collected first: removing writes what is walked over.
  const slashes = [...k.state.slashes.iterate(context, { prefix: slashKey.prefix(operator) })];
  for (const [key] of slashes) k.state.slashes.remove(context, key);
  const historical = [...k.state.historical.iterate(context, { prefix: historicalKey.prefix(operator) })];
  for (const [key] of historical) k.state.historical.remove(context, key);
  k.state.current.remove(context, operator);
}
