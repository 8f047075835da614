import type { AddressCodec } from '../../framework/address.ts';
import { StateError } from '../../framework/errors.ts';
import type { JsonReader } from '../../framework/json.ts';
import type { GenesisHandler } from '../../framework/module.ts';
import { messageFromJson, messageToJson } from '../../framework/proto-json.ts';
import type {
  ChannelRecord,
  ClosedChannel,
  LaneRecord,
} from '../../proto/gen/openledger/channels/v1/channels.ts';
import { GenesisState } from '../../proto/gen/openledger/channels/v1/genesis.ts';
import { compareBytes, toHex } from '../../core/bytes.ts';
import { channelErrors } from './errors.ts';
import { LANES } from './format/voucher.ts';
import type { Channels } from './keeper.ts';
import { DEFAULT_PARAMS, paramsFromJson } from './params.ts';
import type { ChannelState } from './state.ts';
import { keyOf, readAmount, validateConfig, validateId } from './wire.ts';

/** Genesis of channels: `openledger.channels.v1.GenesisState`. Indexes are rebuilt. */
export function channelGenesis(ports: {
  readonly channels: Channels;
  readonly state: ChannelState;
  readonly addresses: AddressCodec;
}): GenesisHandler {
  const { channels, state, addresses } = ports;
  return {
    defaults: () => messageToJson(GenesisState, GenesisState.create({ params: DEFAULT_PARAMS })),
    validate: (json) => void readGenesis(json, addresses),
    init(context, json) {
      const genesis = readGenesis(json, addresses);
      state.params.set(context, genesis.params);
      for (const { id, channel, balance } of genesis.channels)
        channels.insert(context, { id, channel }, balance);
      for (const { channelId, lane, claimed } of genesis.lanes)
        state.lanes.set(context, [channelId, lane], BigInt(claimed));
      for (const { openBefore, id } of genesis.closed) state.closed.add(context, [openBefore, id]);
      return [];
    },
    export: (context) =>
      messageToJson(GenesisState, {
        params: channels.params(context),
        channels: [...state.channels.iterate(context)].map(([id, channel]) =>
          channels.record(context, id, channel),
        ),
        lanes: [...state.lanes.iterate(context)].map(([[channelId, lane], claimed]) => ({
          channelId,
          lane,
          claimed: `${claimed}`,
        })),
        closed: [...state.closed.iterate(context)].map(([openBefore, id]) => ({ openBefore, id })),
      }),
  };
}

function readGenesis(json: JsonReader, addresses: AddressCodec): GenesisState {
  const params = paramsFromJson(json.member('params'));
  const genesis = { ...messageFromJson(GenesisState, json), params };
  const claimed = sumOfLanes(json.member('lanes'), genesis.lanes);
  const places = json.member('channels').elements();
  let previous: Uint8Array = new Uint8Array(0);
  for (const [i, record] of genesis.channels.entries()) {
    (places[i] ?? json).attempt(() => {
      if (compareBytes(previous, record.id) >= 0) throw wrong('ids must ascend');
      previous = record.id;
      validateRecord(record, addresses);
      const sum = claimed.get(toHex(record.id)) ?? 0n;
      if (sum !== BigInt(record.balance.claimed)) throw wrong(`its lanes have claimed ${sum}`);
    });
    claimed.delete(toHex(record.id));
  }
  for (const id of claimed.keys()) json.member('lanes').fail(`there is no channel ${id}`);
  for (const { id } of genesis.closed) json.member('closed').attempt(() => validateId(id, 'id'));
  requireClosed(json.member('closed'), genesis);
  return genesis;
}

function validateRecord({ id, channel, balance }: ChannelRecord, addresses: AddressCodec): void {
  validateId(id, 'id');
  addresses.toBytes(channel.config.payer);
  validateConfig(channel.config, addresses);
  keyOf(channel.payerAuthorizer);
  if (channel.previousKey !== undefined) keyOf(channel.previousKey.key);
  const deposited = readAmount(balance.deposited, 'deposited', channelErrors.invalidChannel);
  if (readAmount(balance.claimed, 'claimed', channelErrors.invalidChannel) > deposited)
    throw wrong('more was claimed than paid in');
}

function sumOfLanes(json: JsonReader, lanes: readonly LaneRecord[]): Map<string, bigint> {
  const sums = new Map<string, bigint>();
  const seen = new Set<string>();
  const places = json.elements();
  for (const [i, { channelId, lane, claimed }] of lanes.entries())
    (places[i] ?? json).attempt(() => {
      const id = toHex(channelId);
      if (seen.has(`${id} ${lane}`)) throw wrong(`lane ${lane} of channel ${id} comes twice`);
      seen.add(`${id} ${lane}`);
      if (lane >= LANES) throw wrong(`lane ${lane} is above ${LANES - 1}`);
      const amount = readAmount(claimed, 'claimed', channelErrors.invalidChannel);
      sums.set(id, (sums.get(id) ?? 0n) + amount);
    });
  return sums;
}

/** An id that is open cannot be closed for ever. */
function requireClosed(
  json: JsonReader,
  {
    channels,
    closed,
  }: { readonly channels: readonly ChannelRecord[]; readonly closed: readonly ClosedChannel[] },
): void {
  const open = new Set(channels.map(({ id }) => toHex(id)));
  for (const { id } of closed) if (open.has(toHex(id))) json.fail(`channel ${toHex(id)} is open`);
}

function wrong(problem: string): StateError {
  return new StateError(channelErrors.invalidChannel, problem);
}
