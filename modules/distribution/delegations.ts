/**
 * What delegations have earned: stake × (what a token earned up to now − what it had earned when the stake
 * began), slash by slash, since each makes the stake smaller. After x/distribution `keeper/delegation.go`.
 */
import { assert } from '../../core/errors.ts';
import { Decimal } from '../../core/decimal.ts';
import type { Address } from '../../framework/address.ts';
import { type Coins, coinsToString } from '../../framework/coins.ts';
import type { Context, ReadContext } from '../../framework/context.ts';
import {
  addDecCoins,
  type DecCoins,
  intersectDecCoins,
  multiplyDecCoinsTruncate,
  NO_DEC_COINS,
  restOfDecCoins,
  truncateDecCoins,
} from '../../framework/dec-coins.ts';
import { StateError } from '../../framework/errors.ts';
import type { Delegation, DelegationPair, Validator } from '../staking/types.ts';
import { addToCommunityPool, payOut } from './community-pool.ts';
import { distributionErrors } from './errors.ts';
import { rewardsWithdrawn } from './events.ts';
import { addReference, dropReference, endPeriod, outstandingOf, periodIfEnded, ratioAt } from './periods.ts';
import type { DistributionCore } from './ports.ts';

/**
 * A stake that was reckoned slash by slash may be this much larger than the one reckoned at once: three units
 * of the last place.
 */
const STAKE_ERROR_MAX = Decimal.ofUnits(3n);

/** A delegation with its validator. */
export interface Stake {
  readonly validator: Validator;
  readonly delegation: Delegation;
}

/** The two of a pair. @throws StateError (staking 3, 19) when one of them is not there */
export function stakeOf(k: DistributionCore, context: ReadContext, pair: DelegationPair): Stake {
  const validator = requireValidator(k, context, pair.validator);
  const delegation = k.staking.delegation(context, pair);
  if (delegation === undefined) throw new StateError(distributionErrors.noDelegation);
  return { validator, delegation };
}

/** @throws StateError (staking 3) */
export function requireValidator(k: DistributionCore, context: ReadContext, operator: Address): Validator {
  const validator = k.staking.validator(context, operator);
  if (validator === undefined) throw new StateError(distributionErrors.noValidator);
  return validator;
}

/** Where rewards of an account go: to itself unless it said otherwise. */
export function withdrawAddressOf(k: DistributionCore, context: ReadContext, delegator: Address): Address {
  return k.state.withdrawAddresses.get(context, delegator) ?? delegator;
}

/** Begins a delegation, or begins it again after a withdrawal: a period has just ended. */
export function beginDelegation(k: DistributionCore, context: Context, pair: DelegationPair): void {
  const operator = pair.validator;
  const previousPeriod = k.state.current.require(context, operator).period - 1n;
  addReference(k, context, { operator, period: previousPeriod });
  const { validator, delegation } = stakeOf(k, context, pair);
  // Rounded down: no more is paid than is owed.
  const stake = delegation.shares.multiplyInteger(validator.tokens).divideTruncate(validator.shares);
  const { height } = context.block;
  k.state.startingInfos.set(context, [operator, pair.delegator], { previousPeriod, stake, height });
}

interface Span {
  readonly from: DecCoins;
  readonly to: DecCoins;
  readonly stake: Decimal;
}

function earned({ from, to, stake }: Span): DecCoins {
  assert(stake.sign >= 0, 'a stake is negative');
  return multiplyDecCoinsTruncate(restOfDecCoins(to, from), stake);
}

/**
 * What a delegation has earned up to the end of a period.
 * @param ratioOfEnd what a token had earned at that end
 */
function earnedUpTo(
  k: DistributionCore,
  context: ReadContext,
  { validator, delegation }: Stake,
  end: { readonly period: bigint; readonly ratioOfEnd: () => DecCoins },
): DecCoins {
  const { operator } = validator;
  const start = k.state.startingInfos.get(context, [operator, delegation.delegator]);
  const { height } = context.block;
  if (start === undefined || start.height === height) return NO_DEC_COINS;
  let { previousPeriod: from, stake } = start;
  let sum = NO_DEC_COINS;
  const range = { start: [operator, start.height, 0n], end: [operator, height + 1n, 0n] } as const;
  if (height > start.height)
    for (const [, { period, fraction }] of k.state.slashes.iterate(context, range)) {
      if (period <= from) continue;
      const span = spanOf(k, context, { operator, from, to: period });
      sum = addDecCoins(sum, earned({ ...span, stake }));
      stake = stake.multiplyTruncate(Decimal.ONE.subtract(fraction));
      from = period;
    }
  stake = boundedStake(stake, k.staking.tokensOf(validator, delegation.shares));
  const last = { from: ratioAt(k, context, { operator, period: from }), to: end.ratioOfEnd(), stake };
  return addDecCoins(sum, earned(last));
}

function spanOf(
  k: DistributionCore,
  context: ReadContext,
  { operator, from, to }: { readonly operator: Address; readonly from: bigint; readonly to: bigint },
): { readonly from: DecCoins; readonly to: DecCoins } {
  return {
    from: ratioAt(k, context, { operator, period: from }),
    to: ratioAt(k, context, { operator, period: to }),
  };
}

/** The stake reckoned slash by slash, but not more than there is. */
function boundedStake(stake: Decimal, current: Decimal): Decimal {
  if (!stake.greaterThan(current)) return stake;
  const isRounding = !stake.greaterThan(current.add(STAKE_ERROR_MAX));
  assert(isRounding, `a delegation's stake is ${stake} by its slashes, but ${current} by its shares`);
  return current;
}

/** What a delegation could withdraw now: for queries. */
export function pendingRewards(k: DistributionCore, context: ReadContext, stake: Stake): DecCoins {
  const { period, cumulativeRatio } = periodIfEnded(k, context, stake.validator);
  return earnedUpTo(k, context, stake, { period, ratioOfEnd: () => cumulativeRatio });
}

/**
 * Ends the validator's period, pays what a delegation has earned and forgets where it began: `beginDelegation`
 * must follow unless it is over. Parts of coins go to the community.
 * @returns coins paid; none are told as zero of the staked denomination, as the SDK does
 * @throws StateError (distribution 5) when it has no beginning
 */
export function endDelegation(k: DistributionCore, context: Context, stake: Stake): Coins {
  const { validator, delegation } = stake;
  const { operator } = validator;
  const { delegator } = delegation;
  if (!k.state.startingInfos.has(context, [operator, delegator]))
    throw new StateError(distributionErrors.emptyDelegationInfo);
  const period = endPeriod(k, context, validator);
  const ratioOfEnd = (): DecCoins => ratioAt(k, context, { operator, period });
  const owed = earnedUpTo(k, context, stake, { period, ratioOfEnd });
  const outstanding = outstandingOf(k, context, operator);
  // The very last places may be rounded to more than there is.
  const rewards = intersectDecCoins(owed, outstanding);
  const { whole, change } = truncateDecCoins(rewards);
  if (whole.length > 0) payOut(k, context, { to: withdrawAddressOf(k, context, delegator), coins: whole });
  k.state.outstanding.set(context, operator, restOfDecCoins(outstanding, rewards));
  addToCommunityPool(k, context, change);
  const start = k.state.startingInfos.require(context, [operator, delegator]);
  dropReference(k, context, { operator, period: start.previousPeriod });
  k.state.startingInfos.remove(context, [operator, delegator]);
  const { bondDenom } = k.staking.params(context);
  const paid = whole.length > 0 ? whole : [{ denom: bondDenom, amount: 0n }];
  context.emit(
    rewardsWithdrawn({
      amount: coinsToString(paid),
      validator: k.addresses.validators.toText(operator),
      delegator: k.addresses.accounts.toText(delegator),
    }),
  );
  return paid;
}

/** Pays what a delegation has earned. @throws StateError (staking 3, 19) when there is no such delegation */
export function withdrawRewards(k: DistributionCore, context: Context, pair: DelegationPair): Coins {
  const paid = endDelegation(k, context, stakeOf(k, context, pair));
  beginDelegation(k, context, pair);
  return paid;
}
