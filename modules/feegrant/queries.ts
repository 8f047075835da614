import { equalBytes } from '../../core/bytes.ts';
import type { AddressCodec } from '../../framework/address.ts';
import { QueryError } from '../../framework/errors.ts';
import { paginate } from '../../framework/pagination.ts';
import { queriedAddress, query, type QueryRoute, queryService } from '../../framework/query.ts';
import * as wire from '../../proto/gen/cosmos/feegrant/v1beta1/query.ts';
import type { FeeGrants } from './keeper.ts';
import { type FeegrantState, grantKey } from './state.ts';

/** What the queries answer from. */
export interface FeegrantQueryPorts {
  readonly keeper: FeeGrants;
  readonly state: FeegrantState;
  readonly addresses: AddressCodec;
}

/** `cosmos.feegrant.v1beta1.Query`. */
export function feegrantQueries({ keeper, state, addresses }: FeegrantQueryPorts): readonly QueryRoute[] {
  return queryService(wire.QueryService, {
    Allowance: query(wire.QueryAllowanceRequest, wire.QueryAllowanceResponse, (context, request) => {
      const granter = queriedAddress(addresses, request.granter);
      const grantee = queriedAddress(addresses, request.grantee);
      const allowance = keeper.find(context, { granter, grantee });
      // The SDK answers so, not `NotFound`.
      if (allowance === undefined) throw new QueryError('Internal', 'fee-grant not found: not found');
      return { allowance };
    }),
    Allowances: query(wire.QueryAllowancesRequest, wire.QueryAllowancesResponse, (context, request) => {
      const { items, pagination } = paginate(context, state.grants, {
        request: request.pagination,
        prefix: grantKey.prefix(queriedAddress(addresses, request.grantee)),
        transform: (_, grant) => grant,
      });
      return { allowances: items, pagination };
    }),
    AllowancesByGranter: query(
      wire.QueryAllowancesByGranterRequest,
      wire.QueryAllowancesByGranterResponse,
      (context, request) => {
        const wanted = queriedAddress(addresses, request.granter);
        const { items, pagination } = paginate(context, state.grants, {
          request: request.pagination,
          include: ([, granter]) => equalBytes(granter, wanted),
          transform: (_, grant) => grant,
        });
        return { allowances: items, pagination };
      },
    ),
  });
}
