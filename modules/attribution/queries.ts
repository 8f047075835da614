import type { ReadContext } from '../../framework/context.ts';
import { QueryError } from '../../framework/errors.ts';
import { paginate } from '../../framework/pagination.ts';
import { query, type QueryRoute, queryService } from '../../framework/query.ts';
import type { Index, ModelCard, Shard } from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import * as wire from '../../proto/gen/openledger/attribution/v1/query.ts';
import type { AttributionCore } from './core.ts';
import { shardsOf } from './indexes.ts';
import { standingOf, standingOfIndex } from './standing.ts';
import { contributionClaimKey } from './state.ts';
import { currentParams, findParams } from './versions.ts';

type Methods = Parameters<typeof queryService>[1];

/** `openledger.attribution.v1.Query`. */
export function attributionQueries(k: AttributionCore): readonly QueryRoute[] {
  return queryService(wire.QueryService, {
    ...claimMethods(k),
    ...indexMethods(k),
    ...cardMethods(k),
  });
}

function claimMethods({ state }: AttributionCore): Methods {
  return {
    Params: query(wire.QueryParamsRequest, wire.QueryParamsResponse, (context) => ({
      params: currentParams(state, context),
    })),
    ParamsOfVersion: query(
      wire.QueryParamsOfVersionRequest,
      wire.QueryParamsOfVersionResponse,
      (context, { version }) => ({
        params: findParams(state, context, version) ?? notFound(`version ${version} of the parameters`),
      }),
    ),
    Claim: query(wire.QueryClaimRequest, wire.QueryClaimResponse, (context, { claimId }) => ({
      claim: state.claims.get(context, claimId) ?? notFound(`claim ${claimId}`),
    })),
    ClaimsByContribution: query(
      wire.QueryClaimsByContributionRequest,
      wire.QueryClaimsByContributionResponse,
      (context, { contributionId, pagination: request }) => {
        const { items, pagination } = paginate(context, state.byContribution.map, {
          request,
          prefix: contributionClaimKey.prefix(contributionId),
          transform: ([, id]) => state.claims.require(context, id),
        });
        return { claims: items, pagination };
      },
    ),
    OpenClaims: query(
      wire.QueryOpenClaimsRequest,
      wire.QueryOpenClaimsResponse,
      (context, { pagination: request }) => {
        const { items, pagination } = paginate(context, state.openClaims.map, {
          request,
          transform: ([, id]) => state.claims.require(context, id),
        });
        return { claims: items, pagination };
      },
    ),
  };
}

function indexMethods(k: AttributionCore): Methods {
  const { state } = k;
  return {
    Shard: query(wire.QueryShardRequest, wire.QueryShardResponse, (context, { shardId }) => {
      const shard = state.shards.get(context, shardId) ?? notFound(`shard ${shardId}`);
      return { shard: shardStatus(context, shard) };
    }),
    Shards: query(wire.QueryShardsRequest, wire.QueryShardsResponse, (context, { pagination: request }) => {
      const transform = (_: bigint, shard: Shard): wire.ShardStatus => shardStatus(context, shard);
      const { items, pagination } = paginate(context, state.shards, { request, transform });
      return { shards: items, pagination };
    }),
    Index: query(wire.QueryIndexRequest, wire.QueryIndexResponse, (context, { indexId }) => {
      const index = state.indexes.get(context, indexId) ?? notFound(`index ${indexId}`);
      const shards = shardsOf(k, context, index).map((shard) => shardStatus(context, shard));
      return { index: indexStatus(k, context, index), shards };
    }),
    Indexes: query(
      wire.QueryIndexesRequest,
      wire.QueryIndexesResponse,
      (context, { pagination: request }) => {
        const transform = (_: bigint, index: Index): wire.IndexStatus => indexStatus(k, context, index);
        const { items, pagination } = paginate(context, state.indexes.map, { request, transform });
        return { indexes: items, pagination };
      },
    ),
    IndexesBySnapshot: query(
      wire.QueryIndexesBySnapshotRequest,
      wire.QueryIndexesBySnapshotResponse,
      (context, { snapshotId, pagination: request }) => {
        const { entries, keyCodec } = state.bySnapshot;
        const prefix = keyCodec.prefix(snapshotId);
        const { items, pagination } = paginate(context, entries, {
          request,
          prefix,
          transform: ([, id]) => indexStatus(k, context, state.indexes.require(context, id)),
        });
        return { indexes: items, pagination };
      },
    ),
    Requests: query(
      wire.QueryRequestsRequest,
      wire.QueryRequestsResponse,
      (context, { pagination: request }) => {
        const transform = (_: bigint, asked: wire.QueryRequestsResponse['requests'][number]) => asked;
        const { items, pagination } = paginate(context, state.requests, { request, transform });
        return { requests: items, pagination };
      },
    ),
  };
}

function cardMethods({ state }: AttributionCore): Methods {
  return {
    ModelCard: query(wire.QueryModelCardRequest, wire.QueryModelCardResponse, (context, { cardId }) => {
      const card = state.cards.get(context, cardId) ?? notFound(`model card ${cardId}`);
      return { card: cardStatus(context, card) };
    }),
    ModelCards: query(
      wire.QueryModelCardsRequest,
      wire.QueryModelCardsResponse,
      (context, { pagination: request }) => {
        const transform = (_: bigint, card: ModelCard): wire.ModelCardStatus => cardStatus(context, card);
        const { items, pagination } = paginate(context, state.cards.map, { request, transform });
        return { cards: items, pagination };
      },
    ),
    ModelCardsByModel: query(
      wire.QueryModelCardsByModelRequest,
      wire.QueryModelCardsByModelResponse,
      (context, { modelId, pagination: request }) => {
        const { entries, keyCodec } = state.byModel;
        const prefix = keyCodec.prefix(modelId);
        const { items, pagination } = paginate(context, entries, {
          request,
          prefix,
          transform: ([, id]) => cardStatus(context, state.cards.require(context, id)),
        });
        return { cards: items, pagination };
      },
    ),
  };
}

function cardStatus({ block }: ReadContext, card: ModelCard): wire.ModelCardStatus {
  return { card, state: standingOf(card, block.height) };
}

function shardStatus({ block }: ReadContext, shard: Shard): wire.ShardStatus {
  return { shard, state: standingOf(shard, block.height) };
}

function indexStatus(k: AttributionCore, context: ReadContext, index: Index): wire.IndexStatus {
  return { index, state: standingOfIndex(index, shardsOf(k, context, index), context.block.height) };
}

function notFound(what: string): never {
  throw new QueryError('NotFound', `there is no ${what}`);
}
