/** What validators keep of their delegators' rewards. */
import type { Address } from '../../framework/address.ts';
import { type Coins, coinsToString } from '../../framework/coins.ts';
import type { Context } from '../../framework/context.ts';
import {
  decCoinsOf,
  intersectDecCoins,
  NO_DEC_COINS,
  restOfDecCoins,
  truncateDecCoins,
} from '../../framework/dec-coins.ts';
import { StateError } from '../../framework/errors.ts';
import { addToCommunityPool, payOut } from './community-pool.ts';
import { withdrawAddressOf } from './delegations.ts';
import { distributionErrors } from './errors.ts';
import { commissionWithdrawn } from './events.ts';
import { forgetPeriods, outstandingOf } from './periods.ts';
import type { DistributionCore } from './ports.ts';

/**
 * Pays the whole coins of a validator's commission; the rest stays for later.
 * @throws StateError (distribution 7) when there is none
 */
export function withdrawCommission(k: DistributionCore, context: Context, operator: Address): Coins {
  const commission = k.state.commissions.get(context, operator) ?? NO_DEC_COINS;
  if (commission.length === 0) throw new StateError(distributionErrors.noValidatorCommission);
  const { whole, change } = truncateDecCoins(commission);
  k.state.commissions.set(context, operator, change);
  const outstanding = outstandingOf(k, context, operator);
  k.state.outstanding.set(context, operator, restOfDecCoins(outstanding, decCoinsOf(whole)));
  if (whole.length > 0) payOut(k, context, { to: withdrawAddressOf(k, context, operator), coins: whole });
  context.emit(commissionWithdrawn(coinsToString(whole)));
  return whole;
}

/**
 * Settles with a validator that is gone: its commission is paid, the dust of its delegators, who have all
 * been paid, goes to the community. Never more than is there: this runs at the end of blocks.
 */
export function forgetValidator(k: DistributionCore, context: Context, operator: Address): void {
  let rest = outstandingOf(k, context, operator);
  const accumulated = k.state.commissions.get(context, operator) ?? NO_DEC_COINS;
  const commission = intersectDecCoins(accumulated, rest);
  if (commission.length > 0) {
    rest = restOfDecCoins(rest, commission);
    const { whole, change } = truncateDecCoins(commission);
    addToCommunityPool(k, context, change);
    if (whole.length > 0) payOut(k, context, { to: withdrawAddressOf(k, context, operator), coins: whole });
  }
  addToCommunityPool(k, context, rest);
  k.state.outstanding.remove(context, operator);
  k.state.commissions.remove(context, operator);
  forgetPeriods(k, context, operator);
}
