import type { Address, AddressCodec } from '../../framework/address.ts';
import { type Item, type KeySet, Schema, type StateMap } from '../../framework/collections.ts';
import { IndexedMap, MultiIndex } from '../../framework/indexed-map.ts';
import {
  bytesKey,
  type Pair,
  type PairKeyCodec,
  pairKey,
  uint32Key,
  uint64Key,
} from '../../framework/keys.ts';
import { integerValue, memoized } from '../../framework/values.ts';
import { Channel, ChannelBalance, Params } from '../../proto/gen/openledger/channels/v1/channels.ts';

/** Store of channels, and the name of its module account. */
export const STORE_NAME = 'channels';

/** Key of a lane: channel, number. */
export const laneKey: PairKeyCodec<Uint8Array, number> = pairKey(bytesKey, uint32Key);

/** Key of a closed channel: the time up to which it could be opened, id. */
export const closedKey: PairKeyCodec<bigint, Uint8Array> = pairKey(uint64Key, bytesKey);

/** Collections of channels; the README tabulates them. */
export interface ChannelState {
  readonly params: Item<Params>;
  /** By id. */
  readonly channels: IndexedMap<Uint8Array, Channel>;
  readonly byPayer: MultiIndex<Address, Uint8Array, Channel>;
  readonly byReceiver: MultiIndex<Address, Uint8Array, Channel>;
  /** By id. Apart from the channel, which is five times as long: a claim changes only this. */
  readonly balances: StateMap<Uint8Array, ChannelBalance>;
  /** What was claimed on a lane. */
  readonly lanes: StateMap<Pair<Uint8Array, number>, bigint>;
  readonly closed: KeySet<Pair<bigint, Uint8Array>>;
}

/** Declares the collections. */
export function channelState(addresses: AddressCodec): ChannelState {
  const schema = new Schema(STORE_NAME);
  const index = (prefix: number, name: string, of: (channel: Channel) => string) =>
    new MultiIndex<Address, Uint8Array, Channel>(schema, {
      prefix: Uint8Array.of(prefix),
      name,
      indexKey: bytesKey,
      primaryKey: bytesKey,
      of: (_, channel) => addresses.toBytes(of(channel)),
    });
  const byPayer = index(2, 'channels_by_payer', ({ config }) => config.payer);
  const byReceiver = index(3, 'channels_by_receiver', ({ config }) => config.receiver);
  return {
    params: schema.item({ prefix: Uint8Array.of(0), name: 'params', value: memoized(Params) }),
    channels: new IndexedMap(schema, {
      prefix: Uint8Array.of(1),
      name: 'channels',
      key: bytesKey,
      value: Channel,
      indexes: [byPayer, byReceiver],
    }),
    byPayer,
    byReceiver,
    balances: schema.map({
      prefix: Uint8Array.of(4),
      name: 'balances',
      key: bytesKey,
      value: ChannelBalance,
    }),
    lanes: schema.map({ prefix: Uint8Array.of(5), name: 'lanes', key: laneKey, value: integerValue }),
    closed: schema.keySet({ prefix: Uint8Array.of(6), name: 'closed', key: closedKey }),
  };
}
