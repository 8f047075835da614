import type { AddressCodec } from '../../framework/address.ts';
import type { ReadContext } from '../../framework/context.ts';
import { QueryError } from '../../framework/errors.ts';
import { paginate, paginateIndex } from '../../framework/pagination.ts';
import { queriedAddress, query, type QueryRoute, queryService } from '../../framework/query.ts';
import type { Contribution, Datanet, Snapshot } from '../../proto/gen/openledger/datanet/v1/datanet.ts';
import * as wire from '../../proto/gen/openledger/datanet/v1/query.ts';
import type { Datanets } from './keeper.ts';
import { allowListKey, type DatanetState } from './state.ts';

/** What the queries read. */
export interface DatanetQueryPorts {
  readonly datanets: Datanets;
  readonly state: DatanetState;
  readonly addresses: AddressCodec;
}

type Methods = Parameters<typeof queryService>[1];

/** `openledger.datanet.v1.Query`. */
export function datanetQueries(ports: DatanetQueryPorts): readonly QueryRoute[] {
  return queryService(wire.QueryService, {
    ...datanetMethods(ports),
    ...contributionMethods(ports),
    ...snapshotMethods(ports),
  });
}

function datanetMethods({ datanets, state, addresses }: DatanetQueryPorts): Methods {
  const answer = (context: ReadContext, id: bigint, found: Datanet | undefined) => ({
    datanet: found ?? notFound(`datanet ${id}`),
    totals: datanets.totals(context, id),
  });
  return {
    Params: query(wire.QueryParamsRequest, wire.QueryParamsResponse, (context) => ({
      params: datanets.params(context),
    })),
    Datanet: query(wire.QueryDatanetRequest, wire.QueryDatanetResponse, (context, { datanetId }) =>
      answer(context, datanetId, datanets.datanet(context, datanetId)),
    ),
    DatanetBySlug: query(
      wire.QueryDatanetBySlugRequest,
      wire.QueryDatanetBySlugResponse,
      (context, { slug }) => {
        const id = state.bySlug.find(context, slug) ?? notFound(`datanet '${slug}'`);
        return answer(context, id, datanets.datanet(context, id));
      },
    ),
    Datanets: query(wire.QueryDatanetsRequest, wire.QueryDatanetsResponse, (context, { pagination }) => {
      const transform = (_: bigint, datanet: Datanet) => datanet;
      const page = paginate(context, state.datanets.map, { request: pagination, transform });
      return { datanets: page.items, pagination: page.pagination };
    }),
    AllowList: query(wire.QueryAllowListRequest, wire.QueryAllowListResponse, (context, request) => {
      const page = paginate(context, state.allowList.map, {
        request: request.pagination,
        prefix: allowListKey.prefix(request.datanetId),
        transform: ([, address]) => addresses.toText(address),
      });
      return { addresses: page.items, pagination: page.pagination };
    }),
  };
}

function contributionMethods({ datanets, state, addresses }: DatanetQueryPorts): Methods {
  const read =
    (context: ReadContext) =>
    (id: bigint): Contribution =>
      state.contributions.require(context, id);
  return {
    Contribution: query(
      wire.QueryContributionRequest,
      wire.QueryContributionResponse,
      (context, { contributionId }) => ({
        contribution:
          datanets.contribution(context, contributionId) ?? notFound(`contribution ${contributionId}`),
      }),
    ),
    ContributionsByDatanet: query(
      wire.QueryContributionsByDatanetRequest,
      wire.QueryContributionsByDatanetResponse,
      (context, { datanetId, pagination: request }) => {
        const options = { request, of: datanetId, read: read(context) };
        const { items, pagination } = paginateIndex(context, state.byDatanet, options);
        return { contributions: items, pagination };
      },
    ),
    ContributionsByContributor: query(
      wire.QueryContributionsByContributorRequest,
      wire.QueryContributionsByContributorResponse,
      (context, { contributor, pagination: request }) => {
        const of = queriedAddress(addresses, contributor);
        const options = { request, of, read: read(context) };
        const { items, pagination } = paginateIndex(context, state.byContributor, options);
        return { contributions: items, pagination };
      },
    ),
  };
}

function snapshotMethods({ datanets, state }: DatanetQueryPorts): Methods {
  const require = (context: ReadContext, id: bigint): Snapshot =>
    datanets.snapshot(context, id) ?? notFound(`snapshot ${id}`);
  return {
    Snapshot: query(wire.QuerySnapshotRequest, wire.QuerySnapshotResponse, (context, { snapshotId }) => ({
      snapshot: require(context, snapshotId),
    })),
    SnapshotsByDatanet: query(
      wire.QuerySnapshotsByDatanetRequest,
      wire.QuerySnapshotsByDatanetResponse,
      (context, { datanetId, pagination: request }) => {
        const { entries, keyCodec } = state.snapshotsByDatanet;
        const { items, pagination } = paginate(context, entries, {
          request,
          prefix: keyCodec.prefix(datanetId),
          transform: ([, id]) => require(context, id),
        });
        return { snapshots: items, pagination };
      },
    ),
    SnapshotProof: query(
      wire.QuerySnapshotProofRequest,
      wire.QuerySnapshotProofResponse,
      (context, { snapshotId, contributionId }) => {
        const snapshot = require(context, snapshotId);
        const contribution =
          datanets.contribution(context, contributionId) ?? notFound(`contribution ${contributionId}`);
        const siblings =
          datanets.snapshotPath(context, snapshot, contribution) ??
          notFound(`contribution ${contributionId} in snapshot ${snapshotId}`);
        const { position, byteLength: weight } = contribution;
        return { position, count: snapshot.count, weight, siblings };
      },
    ),
  };
}

function notFound(what: string): never {
  throw new QueryError('NotFound', `there is no ${what}`);
}
