import { QueryError } from '../../framework/errors.ts';
import { paginate } from '../../framework/pagination.ts';
import { query, type QueryRoute, queryService } from '../../framework/query.ts';
import * as wire from '../../proto/gen/openledger/attribution/v1/query.ts';
import type { Attribution } from './keeper.ts';
import { type AttributionState, contributionClaimKey } from './state.ts';

/** `openledger.attribution.v1.Query`. */
export function attributionQueries(attribution: Attribution, state: AttributionState): readonly QueryRoute[] {
  return queryService(wire.QueryService, {
    Params: query(wire.QueryParamsRequest, wire.QueryParamsResponse, (context) => ({
      params: attribution.params(context),
    })),
    Claim: query(wire.QueryClaimRequest, wire.QueryClaimResponse, (context, { claimId }) => {
      const claim = attribution.claim(context, claimId);
      if (claim === undefined) throw new QueryError('NotFound', `there is no claim ${claimId}`);
      return { claim };
    }),
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
  });
}
