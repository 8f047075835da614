/** What belongs to the community. Its coins lie in distribution's account, beside what is owed to stakers. */
import type { Address } from '../../framework/address.ts';
import type { Coins } from '../../framework/coins.ts';
import type { Context, ReadContext } from '../../framework/context.ts';
import {
  addDecCoins,
  type DecCoins,
  decCoinsOf,
  NO_DEC_COINS,
  subtractDecCoins,
} from '../../framework/dec-coins.ts';
import { StateError } from '../../framework/errors.ts';
import { moduleAddress } from '../../framework/address.ts';
import { distributionErrors } from './errors.ts';
import type { DistributionCore } from './ports.ts';
import { STORE_NAME } from './state.ts';

const ACCOUNT = moduleAddress(STORE_NAME);

/** What is in the pool. */
export function communityPool(k: DistributionCore, context: ReadContext): DecCoins {
  return k.state.feePool.get(context) ?? NO_DEC_COINS;
}

/** Adds coins that are in the account already. */
export function addToCommunityPool(k: DistributionCore, context: Context, coins: DecCoins): void {
  k.state.feePool.set(context, addDecCoins(communityPool(k, context), coins));
}

/** Takes coins from somebody. @throws StateError (sdk 5) when there are too few */
export function fundCommunityPool(
  k: DistributionCore,
  context: Context,
  { from, coins }: { readonly from: Address; readonly coins: Coins },
): void {
  k.bank.sendToModule(context, { from, module: STORE_NAME, coins });
  addToCommunityPool(k, context, decCoinsOf(coins));
}

/** Pays from the pool. @throws StateError (distribution 9) when there is too little in it */
export function spendCommunityPool(
  k: DistributionCore,
  context: Context,
  { to, coins }: { readonly to: Address; readonly coins: Coins },
): void {
  const rest = subtractDecCoins(communityPool(k, context), decCoinsOf(coins));
  if (rest === undefined) throw new StateError(distributionErrors.badDistribution);
  payOut(k, context, { to, coins });
  k.state.feePool.set(context, rest);
}

/**
 * Pays coins of distribution's account. Rewards reach their owner also where others must not send to: hooks
 * at the ends of blocks pay them, and must not fail.
 */
export function payOut(
  k: DistributionCore,
  context: Context,
  { to, coins }: { readonly to: Address; readonly coins: Coins },
): void {
  k.bank.send(context, { from: ACCOUNT, to, coins });
}
