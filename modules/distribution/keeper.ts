import type { Address } from '../../framework/address.ts';
import type { Coins } from '../../framework/coins.ts';
import type { Context, ReadContext } from '../../framework/context.ts';
import type { DecCoins } from '../../framework/dec-coins.ts';
import { communityPool, fundCommunityPool } from './community-pool.ts';
import { withdrawAddressOf } from './delegations.ts';
import type { DistributionCore } from './ports.ts';
import { STORE_NAME } from './state.ts';
import type { CommunityPool, WithdrawAddresses } from './types.ts';
import { beginAnew, payEverybody } from './zero-height.ts';

/** Distribution, as other modules see it. The rules are in the files beside, one for each concern. */
export class Distribution implements CommunityPool, WithdrawAddresses {
  readonly communityPoolAccount: string = STORE_NAME;
  readonly #core: DistributionCore;

  constructor(core: DistributionCore) {
    this.#core = core;
  }

  communityPool(context: ReadContext): DecCoins {
    return communityPool(this.#core, context);
  }

  fundCommunityPool(context: Context, gift: { readonly from: Address; readonly coins: Coins }): void {
    fundCommunityPool(this.#core, context, gift);
  }

  withdrawAddress(context: ReadContext, owner: Address): Address {
    return withdrawAddressOf(this.#core, context, owner);
  }

  /** Pays all commissions and rewards: before an export for height 0. */
  payEverybody(context: Context): void {
    payEverybody(this.#core, context);
  }

  /** Begins validators and delegations anew at the context's height. After `payEverybody`. */
  beginAnew(context: Context): void {
    beginAnew(this.#core, context);
  }
}
