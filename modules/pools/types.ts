import type { Address } from '../../framework/address.ts';
import type { Coin } from '../../framework/coins.ts';
import type { Context, ReadContext } from '../../framework/context.ts';
import type { PoolId } from '../../proto/gen/openledger/pools/v1/pools.ts';
import type { Place } from './tree.ts';

/** Where money goes in a pool. */
export interface PoolPlace {
  readonly pool: PoolId;
  /** Default: the root, which is everybody. */
  readonly place?: Place;
}

/** Money for whoever is below a node. */
export interface PoolPayment extends PoolPlace {
  readonly from: Address;
  readonly coin: Coin;
  /** Receipt of payments that it comes from. */
  readonly receiptId: bigint;
}

/** Pays into pools: what payments needs. */
export interface PoolPayer {
  /** Name of the module account that holds the money of all pools. */
  readonly poolsAccount: string;
  /**
   * Name of the module account that `pay` would move money to: this module's, or the residual party's when the
   * pool is closed, has no weight there, or has been paid in as many other denominations as it takes.
   */
  accountOf(context: ReadContext, place: PoolPlace & { readonly denom: string }): string;
  /** @throws StateError (sdk 5) when the payer has too little */
  pay(context: Context, payment: PoolPayment): void;
}

/** A weight and an owner that a slot is to have from the next epoch on. */
export interface SlotOrder {
  readonly pool: PoolId;
  readonly slot: bigint;
  /** At most `SLOT_WEIGHT_MAX`. */
  readonly weight: bigint;
  readonly owner: Address;
}
