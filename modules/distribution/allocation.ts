/** From what a block collected to what each validator and its delegators have earned. */
import { Decimal } from '../../core/decimal.ts';
import { moduleAddress } from '../../framework/address.ts';
import type { Coins } from '../../framework/coins.ts';
import type { Context, VoteInfo } from '../../framework/context.ts';
import {
  addDecCoins,
  type DecCoins,
  decCoinsOf,
  decCoinsToString,
  multiplyDecCoins,
  multiplyDecCoinsTruncate,
  NO_DEC_COINS,
  restOfDecCoins,
} from '../../framework/dec-coins.ts';
import type { Validator } from '../staking/types.ts';
import { addToCommunityPool } from './community-pool.ts';
import { commissionAllocated, rewardsAllocated } from './events.ts';
import { DEFAULT_PARAMS } from './params.ts';
import { outstandingOf } from './periods.ts';
import type { DistributionCore } from './ports.ts';
import { STORE_NAME } from './state.ts';

/**
 * Largest amount of a denomination that is spread over stakes at a time: 2^128. More of it, which only a
 * genesis document can make, goes to the community, so that no sum of rewards per token leaves 256 bits.
 */
export const SPREAD_MAX: bigint = 1n << 128n;

/** Begins a block: what the last one collected is allocated by the votes for it. */
export function beginBlock(k: DistributionCore, context: Context): void {
  const { height, lastCommit, proposerAddress } = context.block;
  if (height > 1n) allocateTokens(k, context, lastCommit);
  k.state.previousProposer.set(context, proposerAddress);
}

/**
 * Everything in the fee collector: the community's tax, then to each validator of the last commit, whether it
 * signed or not, by its power; what rounding leaves, and the part of a validator that is gone, to the
 * community.
 */
export function allocateTokens(k: DistributionCore, context: Context, votes: readonly VoteInfo[]): void {
  const collected = k.bank.balances(context, moduleAddress(k.feeCollector));
  k.bank.sendBetweenModules(context, { from: k.feeCollector, to: STORE_NAME, coins: collected });
  const totalPower = votes.reduce((sum, { power }) => sum + power, 0n);
  const fees = decCoinsOf(collected);
  const shared = totalPower === 0n ? NO_DEC_COINS : sharedFees(k, context, collected);
  let remaining = fees;
  for (const { validatorAddress, power } of votes) {
    const validator = k.staking.validatorByKey(context, validatorAddress);
    if (validator === undefined) continue;
    const fraction = Decimal.ofInteger(power).divideTruncate(Decimal.ofInteger(totalPower));
    const reward = multiplyDecCoinsTruncate(shared, fraction);
    allocateToValidator(k, context, { validator, coins: reward });
    remaining = restOfDecCoins(remaining, reward);
  }
  addToCommunityPool(k, context, remaining);
}

/** What is left for validators after the community's tax. */
function sharedFees(k: DistributionCore, context: Context, collected: Coins): DecCoins {
  const { communityTax } = k.state.params.get(context) ?? DEFAULT_PARAMS;
  const spread = decCoinsOf(collected.filter(({ amount }) => amount <= SPREAD_MAX));
  return multiplyDecCoinsTruncate(spread, Decimal.ONE.subtract(communityTax));
}

/** Divides what a validator has earned between its commission and its delegators. */
export function allocateToValidator(
  k: DistributionCore,
  context: Context,
  { validator, coins }: { readonly validator: Validator; readonly coins: DecCoins },
): void {
  const { operator } = validator;
  const operatorText = k.addresses.validators.toText(operator);
  const commission = multiplyDecCoins(coins, validator.commission.rate);
  const shared = restOfDecCoins(coins, commission);
  context.emit(commissionAllocated(decCoinsToString(commission), operatorText));
  const accumulated = k.state.commissions.get(context, operator) ?? NO_DEC_COINS;
  k.state.commissions.set(context, operator, addDecCoins(accumulated, commission));
  const current = k.state.current.require(context, operator);
  k.state.current.set(context, operator, { ...current, rewards: addDecCoins(current.rewards, shared) });
  context.emit(rewardsAllocated(decCoinsToString(coins), operatorText));
  const outstanding = outstandingOf(k, context, operator);
  k.state.outstanding.set(context, operator, addDecCoins(outstanding, coins));
}
