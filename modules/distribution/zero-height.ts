/** What distribution does before its state is exported for a chain that begins at height 0. */
import type { Context } from '../../framework/context.ts';
import { NO_DEC_COINS } from '../../framework/dec-coins.ts';
import type { DelegationPair } from '../staking/types.ts';
import { withdrawCommission } from './commission.ts';
import { addToCommunityPool } from './community-pool.ts';
import { beginDelegation, requireValidator, withdrawRewards } from './delegations.ts';
import { endPeriod, initializeValidator, outstandingOf } from './periods.ts';
import type { DistributionCore } from './ports.ts';

/** Pays every validator its commission and every delegator its rewards. */
export function payEverybody(k: DistributionCore, context: Context): void {
  for (const { operator } of [...k.staking.validators(context)])
    if ((k.state.commissions.get(context, operator) ?? NO_DEC_COINS).length > 0)
      withdrawCommission(k, context, operator);
  for (const pair of pairsOf(k, context))
    if (k.state.startingInfos.has(context, [pair.validator, pair.delegator]))
      withdrawRewards(k, context, pair);
}

/**
 * Begins all validators and delegations anew, at the height of the context; what could not be paid in whole
 * coins goes to the community. After `payEverybody`.
 */
export function beginAnew(k: DistributionCore, context: Context): void {
  const { state } = k;
  for (const [key] of [...state.slashes.iterate(context)]) state.slashes.remove(context, key);
  for (const [key] of [...state.historical.iterate(context)]) state.historical.remove(context, key);
  for (const { operator } of [...k.staking.validators(context)]) {
    addToCommunityPool(k, context, outstandingOf(k, context, operator));
    initializeValidator(k, context, operator);
  }
  for (const pair of pairsOf(k, context)) {
    endPeriod(k, context, requireValidator(k, context, pair.validator));
    beginDelegation(k, context, pair);
  }
}

/** Collected first: what is done with them writes. */
function pairsOf(k: DistributionCore, context: Context): readonly DelegationPair[] {
  return [...k.staking.delegations(context)].map(({ delegator, validator }) => ({ delegator, validator }));
}
