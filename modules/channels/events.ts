import { toHex } from '../../core/bytes.ts';
import { type Event, event } from '../../framework/events.ts';
import type { ChannelConfig, Withdrawal } from '../../proto/gen/openledger/channels/v1/channels.ts';

/** A channel was opened. */
export function channelOpened(id: Uint8Array, config: ChannelConfig, deposit: bigint): Event {
  return event('open_channel', {
    channel_id: toHex(id),
    payer: config.payer,
    receiver: config.receiver,
    deposit: `${deposit}${config.denom}`,
    withdraw_delay: config.withdrawDelay.toString(),
  });
}

/** More was paid in. */
export function channelToppedUp(id: Uint8Array, sender: string, amount: string): Event {
  return event('top_up_channel', { channel_id: toHex(id), sender, amount });
}

/** Another key signs vouchers; those of the one before are good until then. */
export function keyRotated(
  id: Uint8Array,
  {
    keyVersion,
    untilTime,
    untilHeight,
  }: {
    readonly keyVersion: number;
    readonly untilTime: bigint;
    readonly untilHeight: bigint;
  },
): Event {
  return event('rotate_channel_key', {
    channel_id: toHex(id),
    key_version: keyVersion.toString(),
    previous_until_time: untilTime.toString(),
    previous_until_height: untilHeight.toString(),
  });
}

/** A voucher was claimed by. */
export function voucherClaimed(claim: {
  readonly channelId: Uint8Array;
  readonly lane: number;
  readonly paid: bigint;
  readonly claimed: bigint;
}): Event {
  return event('claim_voucher', {
    channel_id: toHex(claim.channelId),
    lane: claim.lane.toString(),
    paid: claim.paid.toString(),
    claimed: claim.claimed.toString(),
  });
}

/** The payer wants the rest back. */
export function withdrawalInitiated(id: Uint8Array, { time, height }: Withdrawal): Event {
  return event('initiate_channel_withdrawal', {
    channel_id: toHex(id),
    time: time.toString(),
    height: height.toString(),
  });
}

/** A channel is no more. */
export function channelClosed(
  id: Uint8Array,
  { payer, receiver, denom }: ChannelConfig,
  { paid, returned }: { readonly paid: bigint; readonly returned: bigint },
): Event {
  return event('close_channel', {
    channel_id: toHex(id),
    payer,
    receiver,
    paid: `${paid}${denom}`,
    returned: `${returned}${denom}`,
  });
}
