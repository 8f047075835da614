import { toHex } from '../../core/bytes.ts';
import type { AddressCodec } from '../../framework/address.ts';
import type { ReadContext } from '../../framework/context.ts';
import { QueryError } from '../../framework/errors.ts';
import { paginate, paginateIndex } from '../../framework/pagination.ts';
import { queriedAddress, query, type QueryRoute, queryService } from '../../framework/query.ts';
import type { ChannelRecord } from '../../proto/gen/openledger/channels/v1/channels.ts';
import * as wire from '../../proto/gen/openledger/channels/v1/query.ts';
import type { Channels } from './keeper.ts';
import { type ChannelState, laneKey } from './state.ts';

/** What the queries read. */
export interface ChannelQueryPorts {
  readonly channels: Channels;
  readonly state: ChannelState;
  readonly addresses: AddressCodec;
}

/** `openledger.channels.v1.Query`. */
export function channelQueries({ channels, state, addresses }: ChannelQueryPorts): readonly QueryRoute[] {
  const read =
    (context: ReadContext) =>
    (id: Uint8Array): ChannelRecord =>
      channels.record(context, id, state.channels.require(context, id));
  return queryService(wire.QueryService, {
    Params: query(wire.QueryParamsRequest, wire.QueryParamsResponse, (context) => ({
      params: channels.params(context),
    })),
    Channel: query(wire.QueryChannelRequest, wire.QueryChannelResponse, (context, { channelId }) => {
      const channel = channels.channel(context, channelId);
      if (channel === undefined) throw new QueryError('NotFound', `there is no channel ${toHex(channelId)}`);
      return { channel: channels.record(context, channelId, channel) };
    }),
    Lanes: query(
      wire.QueryLanesRequest,
      wire.QueryLanesResponse,
      (context, { channelId, pagination: request }) => {
        const prefix = laneKey.prefix(channelId);
        const { items, pagination } = paginate(context, state.lanes, {
          request,
          prefix,
          transform: ([id, lane], claimed) => ({ channelId: id, lane, claimed: `${claimed}` }),
        });
        return { lanes: items, pagination };
      },
    ),
    ChannelsByPayer: query(
      wire.QueryChannelsByPayerRequest,
      wire.QueryChannelsByPayerResponse,
      (context, { payer, pagination: request }) => {
        const of = queriedAddress(addresses, payer);
        const options = { request, of, read: read(context) };
        const { items, pagination } = paginateIndex(context, state.byPayer, options);
        return { channels: items, pagination };
      },
    ),
    ChannelsByReceiver: query(
      wire.QueryChannelsByReceiverRequest,
      wire.QueryChannelsByReceiverResponse,
      (context, { receiver, pagination: request }) => {
        const of = queriedAddress(addresses, receiver);
        const options = { request, of, read: read(context) };
        const { items, pagination } = paginateIndex(context, state.byReceiver, options);
        return { channels: items, pagination };
      },
    ),
  });
}
