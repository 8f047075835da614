import type { Address } from '../../framework/address.ts';
import type { Coins } from '../../framework/coins.ts';
import type { Context, ReadContext } from '../../framework/context.ts';
import type { Channel, ChannelBalance } from '../../proto/gen/openledger/channels/v1/channels.ts';

/** Looks channels up. */
export interface ChannelView {
  /** @param id 32 bytes */
  channel(context: ReadContext, id: Uint8Array): Channel | undefined;
  /** Undefined where there is no channel. */
  balance(context: ReadContext, id: Uint8Array): ChannelBalance | undefined;
}

/** Takes what gateways have claimed: implemented by settlement. */
export interface RevenueRouter {
  /** Moves the coins out of the module's account and notes them under the gateway's name. */
  collect(
    context: Context,
    revenue: { readonly gateway: Address; readonly module: string; readonly coins: Coins },
  ): void;
}
