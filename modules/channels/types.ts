import type { ReadContext } from '../../framework/context.ts';
import type { Channel, ChannelBalance } from '../../proto/gen/openledger/channels/v1/channels.ts';

/** Looks channels up. */
export interface ChannelView {
  /** @param id 32 bytes */
  channel(context: ReadContext, id: Uint8Array): Channel | undefined;
  /** Undefined where there is no channel. */
  balance(context: ReadContext, id: Uint8Array): ChannelBalance | undefined;
}
