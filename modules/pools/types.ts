import type { Address } from '../../framework/address.ts';
import type { Context, ReadContext } from '../../framework/context.ts';
import type { PoolId } from '../../proto/gen/openledger/pools/v1/pools.ts';

/**
 * Who shares in money: the contributor at a position of a Datanet's log, those at its first so many positions,
 * which is what a snapshot is a prefix of, or a model's lineage.
 */
export type PoolPlace =
  | { readonly datanetId: bigint; readonly position: bigint }
  | { readonly datanetId: bigint; readonly positions: bigint }
  | { readonly modelId: bigint };

/** What money is for: a receipt of payments, or a row of an epoch; entitlements count on behind listed rows. */
export type PoolSource =
  | { readonly receiptId: bigint }
  | { readonly epochId: bigint; readonly epochRow: number };

/** Money for a place: what is for a position is its contributor's whole, the rest is divided by weight. */
export interface PoolRow {
  readonly place: PoolPlace;
  readonly amount: bigint;
  readonly source: PoolSource;
}

/** Money of one payer for any number of places. */
export interface PoolPayment {
  readonly from: Address;
  readonly denom: string;
  readonly rows: readonly PoolRow[];
}

/** Pays into pools: what payments needs. */
export interface PoolPayer {
  /** Name of the module account that holds the money of all pools. */
  readonly poolsAccount: string;
  /**
   * Name of the module account that holds what is paid to a place: this module's, or the residual party's when
   * nobody there has weight, or the pool is closed or has been paid in as many other denominations as it
   * takes. What is paid to a position is never the residual party's.
   */
  accountOf(context: ReadContext, place: PoolPlace, denom: string): string;
  /**
   * Credits each row; one transfer for all that pools hold.
   * @throws StateError (sdk 5) when the payer has too little
   */
  pay(context: Context, payment: PoolPayment): void;
  /** The same for what the chain owes: owners get theirs past send restrictions (see `BankTransfer`). */
  readonly owed: PoolPayer;
}

/** A slot of a pool that never changes. */
export interface FixedSlot {
  readonly owner: Address;
  /** At most `SLOT_WEIGHT_MAX`. */
  readonly weight: bigint;
}

/** A weight and an owner that a slot is to have from the next epoch on. */
export interface SlotOrder {
  readonly pool: PoolId;
  readonly slot: bigint;
  /** At most `SLOT_WEIGHT_MAX`. */
  readonly weight: bigint;
  readonly owner: Address;
}
