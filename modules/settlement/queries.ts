import { QueryError } from '../../framework/errors.ts';
import { paginate, paginateIndex } from '../../framework/pagination.ts';
import { queriedAddress, query, type QueryRoute, queryService } from '../../framework/query.ts';
import * as wire from '../../proto/gen/openledger/settlement/v1/query.ts';
import type { Epoch, LaneRecord } from '../../proto/gen/openledger/settlement/v1/settlement.ts';
import { paramsOf, type SettlementCore } from './core.ts';
import { gatewayRoundKey, laneKey, pieceKey } from './state.ts';

/** `openledger.settlement.v1.Query`. */
export function settlementQueries(k: SettlementCore): readonly QueryRoute[] {
  const { state, addresses } = k;
  return queryService(wire.QueryService, {
    Params: query(wire.QueryParamsRequest, wire.QueryParamsResponse, (context) => ({
      params: paramsOf(k, context),
    })),
    Gateway: query(wire.QueryGatewayRequest, wire.QueryGatewayResponse, (context, { address }) => ({
      gateway:
        state.gateways.get(context, queriedAddress(addresses, address)) ?? notFound(`gateway ${address}`),
    })),
    Epoch: query(wire.QueryEpochRequest, wire.QueryEpochResponse, (context, { epochId }) => ({
      epoch: state.epochs.get(context, epochId) ?? notFound(`epoch ${epochId}`),
    })),
    Epochs: query(wire.QueryEpochsRequest, wire.QueryEpochsResponse, (context, { pagination: request }) => {
      const transform = (_: bigint, epoch: Epoch): Epoch => epoch;
      const { items, pagination } = paginate(context, state.epochs, { request, transform });
      return { epochs: items, pagination };
    }),
    Lanes: query(
      wire.QueryLanesRequest,
      wire.QueryLanesResponse,
      (context, { roundId, pagination: request }) => {
        const prefix = laneKey.prefix(roundId);
        const transform = (_: unknown, lane: LaneRecord): LaneRecord => lane;
        const { items, pagination } = paginate(context, state.lanes, { request, prefix, transform });
        return { lanes: items, pagination };
      },
    ),
    Terms: query(wire.QueryTermsRequest, wire.QueryTermsResponse, (context, { gateway, modelId }) => {
      queriedAddress(addresses, gateway);
      const { price, split, datanets, statedBps } =
        k.models.terms(context, { modelId, gateway }) ?? notFound(`model ${modelId}`);
      return { price, split, datanets, statedBps };
    }),
    Rounds: query(
      wire.QueryRoundsRequest,
      wire.QueryRoundsResponse,
      (context, { gateway, pagination: request }) => {
        const index = { entries: state.roundsOf.map, keyCodec: gatewayRoundKey };
        const { items, pagination } = paginateIndex(context, index, {
          request,
          of: queriedAddress(addresses, gateway),
          read: (id) => state.rounds.require(context, id),
        });
        return { rounds: items, pagination };
      },
    ),
    Request: query(wire.QueryRequestRequest, wire.QueryRequestResponse, (context, { requestId }) => ({
      request: state.requests.get(context, requestId) ?? notFound(`open request ${requestId}`),
    })),
    Requests: query(
      wire.QueryRequestsRequest,
      wire.QueryRequestsResponse,
      (context, { epochId, pagination: request }) => {
        const prefix = pieceKey.prefix(epochId);
        const { items, pagination } = paginate(context, state.requestsByPiece, {
          request,
          prefix,
          transform: (_: unknown, id: bigint) => state.requests.require(context, id),
        });
        return { requests: items, pagination };
      },
    ),
  });
}

function notFound(what: string): never {
  throw new QueryError('NotFound', `there is no ${what}`);
}
