import type { Context, ReadContext } from '../../framework/context.ts';
import { type Contribution, ContributionState } from '../../proto/gen/openledger/datanet/v1/datanet.ts';
import type { Model } from '../../proto/gen/openledger/models/v1/models.ts';
import type { DatanetHooks } from '../datanet/types.ts';
import type { Earner, ModelHooks } from '../models/types.ts';
import { createPool, orderSlot } from './changes.ts';
import { accountOf, pay } from './credits.ts';
import { creditSource, datanetPool, modelPool, nodeOf } from './places.ts';
import type { PoolsCore } from './ports.ts';
import { poolKey, STORE_NAME } from './state.ts';
import type { PoolPayer, PoolPayment, PoolPlace, SlotOrder } from './types.ts';

/** Pools, as other modules see them. The rules are in the files beside, one for each concern. */
export class Pools implements PoolPayer, DatanetHooks, ModelHooks {
  readonly poolsAccount: string = STORE_NAME;
  readonly #core: PoolsCore;

  constructor(core: PoolsCore) {
    this.#core = core;
  }

  get owed(): Pools {
    return new Pools({ ...this.#core, bank: this.#core.bank.owed });
  }

  accountOf(context: ReadContext, place: PoolPlace, denom: string): string {
    return accountOf(this.#core, context, { ...nodeOf(place), denom });
  }

  pay(context: Context, { from, denom, rows }: PoolPayment): void {
    const nodes = rows.map(({ place, amount, source }) => ({
      ...nodeOf(place),
      amount,
      source: creditSource(source),
    }));
    pay(this.#core, context, { from, denom, rows: nodes });
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

  /** A pool that divides the model's part as its lineage says, for good. A genesis may have brought it. */
  modelRegistered(context: Context, model: Model, earners: readonly Earner[]): void {
    const id = modelPool(model.id);
    if (this.#core.state.pools.has(context, poolKey(id))) return;
    const slots = earners.map(({ owner, bps }) => ({
      owner: this.#core.addresses.toBytes(owner),
      weight: BigInt(bps),
    }));
    createPool(this.#core, context, { id, slots });
  }

  #order(context: Context, contribution: Contribution, weight: bigint): void {
    const owner = this.#core.addresses.toBytes(contribution.contributor);
    orderSlot(this.#core, context, { ...this.#slotOf(contribution), weight, owner });
  }

  #slotOf({ datanetId, position: slot }: Contribution): Pick<SlotOrder, 'pool' | 'slot'> {
    return { pool: datanetPool(datanetId), slot };
  }
}
