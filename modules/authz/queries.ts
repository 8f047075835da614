import { equalBytes } from '../../core/bytes.ts';
import type { AddressCodec } from '../../framework/address.ts';
import type { ReadContext } from '../../framework/context.ts';
import { StateError, sdkErrors } from '../../framework/errors.ts';
import { paginate } from '../../framework/pagination.ts';
import { queriedAddress, query, type QueryRoute, queryService } from '../../framework/query.ts';
import * as wire from '../../proto/gen/cosmos/authz/v1beta1/query.ts';
import type { Grant } from '../../proto/gen/cosmos/authz/v1beta1/authz.ts';
import type { Grants } from './keeper.ts';
import { type AuthzState, grantKey } from './state.ts';
import type { GrantPlace } from './types.ts';

/** What the queries answer from. */
export interface AuthzQueryPorts {
  readonly grants: Grants;
  readonly state: AuthzState;
  readonly addresses: AddressCodec;
}

/** `cosmos.authz.v1beta1.Query`. */
export function authzQueries({ grants, state, addresses }: AuthzQueryPorts): readonly QueryRoute[] {
  return queryService(wire.QueryService, {
    Grants: query(wire.QueryGrantsRequest, wire.QueryGrantsResponse, (context, request) => {
      const granter = queriedAddress(addresses, request.granter);
      const grantee = queriedAddress(addresses, request.grantee);
      if (request.msgTypeUrl !== '') {
        const place = { granter, grantee, typeUrl: request.msgTypeUrl };
        return { grants: [requireGrant(grants, context, place)], pagination: undefined };
      }
      const { items, pagination } = paginate(context, state.grants, {
        request: request.pagination,
        prefix: grantKey.prefix2(granter, grantee),
        transform: (_, grant) => grant,
      });
      return { grants: items, pagination };
    }),
    GranterGrants: query(
      wire.QueryGranterGrantsRequest,
      wire.QueryGranterGrantsResponse,
      (context, request) => {
        const { items, pagination } = paginate(context, state.grants, {
          request: request.pagination,
          prefix: grantKey.prefix(queriedAddress(addresses, request.granter)),
          transform: ([, grantee], grant) => ({
            granter: request.granter,
            grantee: addresses.toText(grantee),
            ...grant,
          }),
        });
        return { grants: items, pagination };
      },
    ),
    GranteeGrants: query(
      wire.QueryGranteeGrantsRequest,
      wire.QueryGranteeGrantsResponse,
      (context, request) => {
        const wanted = queriedAddress(addresses, request.grantee);
        const { items, pagination } = paginate(context, state.grants, {
          request: request.pagination,
          include: ([, grantee]) => equalBytes(grantee, wanted),
          transform: ([granter], grant) => ({
            granter: addresses.toText(granter),
            grantee: request.grantee,
            ...grant,
          }),
        });
        return { grants: items, pagination };
      },
    ),
  });
}

/** The error of the SDK, which is no gRPC status there. */
function requireGrant(grants: Grants, context: ReadContext, place: GrantPlace): Grant {
  const grant = grants.find(context, place);
  if (grant === undefined)
    throw new StateError(
      sdkErrors.unknownRequest,
      `authorization not found for ${place.typeUrl} type: authorization not found`,
    );
  return grant;
}
