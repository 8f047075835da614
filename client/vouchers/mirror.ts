/** What a party knows of a channel from the chain. */
import type { ChannelRecord, LaneRecord } from '../../proto/gen/openledger/channels/v1/channels.ts';

/** A channel as the chain shows it at some time. */
export interface ChannelMirror {
  readonly record: ChannelRecord;
  readonly lanes: readonly LaneRecord[];
  /** When it was asked for, by the party's own clock, in seconds. */
  readonly asOf: number;
  /** Time of the block that it was the state after, in seconds since 1970. */
  readonly blockTime: bigint;
}

/** What was claimed on a lane. */
export function claimedOn({ lanes }: ChannelMirror, lane: number): bigint {
  return BigInt(lanes.find((one) => one.lane === lane)?.claimed ?? '0');
}
