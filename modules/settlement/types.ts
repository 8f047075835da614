import type { Address } from '../../framework/address.ts';
import type { Context } from '../../framework/context.ts';

/** What was claimed of a lane: the interval of what it was charged in all, from `from` to `to`. */
export interface ClaimedInterval {
  /** 32 bytes. */
  readonly channelId: Uint8Array;
  readonly lane: number;
  readonly from: bigint;
  readonly to: bigint;
}

/** What a gateway claimed in one denomination. */
export interface Revenue {
  readonly gateway: Address;
  readonly denom: string;
  readonly lanes: readonly ClaimedInterval[];
}

/** Keeps what gateways have claimed until it is settled: what channels need. */
export interface RevenueRouter {
  /** Name of the module account that the money has to be sent to. */
  readonly routerAccount: string;
  /**
   * Notes money that was sent to the account.
   * @throws StateError (settlement 18) when a lane or a round would exceed 64 bits
   */
  collect(context: Context, revenue: Revenue): void;
}
