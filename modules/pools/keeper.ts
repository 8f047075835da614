import type { Context, ReadContext } from '../../framework/context.ts';
import { type Contribution, ContributionState } from '../../proto/gen/openledger/datanet/v1/datanet.ts';
import { PoolKind } from '../../proto/gen/openledger/pools/v1/pools.ts';
import type { DatanetHooks } from '../datanet/types.ts';
import { orderSlot } from './changes.ts';
import { accountOf, pay } from './credits.ts';
import type { PoolsCore } from './ports.ts';
import { poolKey, STORE_NAME } from './state.ts';
import type { PoolPayer, PoolPayment, PoolPlace, SlotOrder } from './types.ts';

/** Pools, as other modules see them. The rules are in the files beside, one for each concern. */
export class Pools implements PoolPayer, DatanetHooks {
  readonly poolsAccount: string = STORE_NAME;
  readonly #core: PoolsCore;

  constructor(core: PoolsCore) {
    this.#core = core;
  }

  accountOf(context: ReadContext, place: PoolPlace & { readonly denom: string }): string {
    return accountOf(this.#core, context, place);
  }

  pay(context: Context, payment: PoolPayment): void {
    pay(this.#core, context, payment);
  }

  /** A slot for it, as heavy as its bytes. One that a genesis of pools has brought is there already. */
  contributionAccepted(context: Context, contribution: Contribution): void {
    const { pool, slot } = this.#slotOf(contribution);
    if (this.#core.state.slots.has(context, [poolKey(pool), slot])) return;
    const isIn = contribution.state === ContributionState.CONTRIBUTION_STATE_ACCEPTED;
    this.#order(context, contribution, isIn ? contribution.byteLength : 0n);
  }

  /** What it has earned stays its contributor's; from the next epoch on it earns nothing more. */
  contributionWithdrawn(context: Context, contribution: Contribution): void {
    this.#order(context, contribution, 0n);
  }

  #order(context: Context, contribution: Contribution, weight: bigint): void {
    const owner = this.#core.addresses.toBytes(contribution.contributor);
    orderSlot(this.#core, context, { ...this.#slotOf(contribution), weight, owner });
  }

  #slotOf({ datanetId: subject, position: slot }: Contribution): Pick<SlotOrder, 'pool' | 'slot'> {
    return { pool: { kind: PoolKind.POOL_KIND_DATANET, subject }, slot };
  }
}
