import type { AddressCodec } from '../../framework/address.ts';
import { QueryError } from '../../framework/errors.ts';
import { paginate, paginateIndex } from '../../framework/pagination.ts';
import { queriedAddress, query, type QueryRoute, queryService } from '../../framework/query.ts';
import type { Model } from '../../proto/gen/openledger/models/v1/models.ts';
import * as wire from '../../proto/gen/openledger/models/v1/query.ts';
import type { Models } from './keeper.ts';
import { type ModelState, snapshotModelKey } from './state.ts';

/** What the queries read. */
export interface ModelQueryPorts {
  readonly models: Models;
  readonly state: ModelState;
  readonly addresses: AddressCodec;
}

/** `openledger.models.v1.Query`. */
export function modelQueries({ models, state, addresses }: ModelQueryPorts): readonly QueryRoute[] {
  return queryService(wire.QueryService, {
    Params: query(wire.QueryParamsRequest, wire.QueryParamsResponse, (context) => ({
      params: models.params(context),
    })),
    Model: query(wire.QueryModelRequest, wire.QueryModelResponse, (context, { modelId }) => {
      const model = models.model(context, modelId);
      if (model === undefined) throw new QueryError('NotFound', `there is no model ${modelId}`);
      return { model };
    }),
    Models: query(wire.QueryModelsRequest, wire.QueryModelsResponse, (context, { pagination: request }) => {
      const transform = (_: bigint, model: Model): Model => model;
      const { items, pagination } = paginate(context, state.models.map, { request, transform });
      return { models: items, pagination };
    }),
    ModelsByOwner: query(
      wire.QueryModelsByOwnerRequest,
      wire.QueryModelsByOwnerResponse,
      (context, { owner, pagination: request }) => {
        const { items, pagination } = paginateIndex(context, state.byOwner, {
          request,
          of: queriedAddress(addresses, owner),
          read: (id) => state.models.require(context, id),
        });
        return { models: items, pagination };
      },
    ),
    ModelsBySnapshot: query(
      wire.QueryModelsBySnapshotRequest,
      wire.QueryModelsBySnapshotResponse,
      (context, { snapshotId, pagination: request }) => {
        const index = { entries: state.bySnapshot.map, keyCodec: snapshotModelKey };
        const { items, pagination } = paginateIndex(context, index, {
          request,
          of: snapshotId,
          read: (id) => state.models.require(context, id),
        });
        return { models: items, pagination };
      },
    ),
  });
}
