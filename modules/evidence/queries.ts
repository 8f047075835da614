import { fromHex } from '../../core/bytes.ts';
import { messageOf } from '../../core/errors.ts';
import { QueryError } from '../../framework/errors.ts';
import { paginate } from '../../framework/pagination.ts';
import { query, type QueryRoute, queryService } from '../../framework/query.ts';
import * as wire from '../../proto/gen/cosmos/evidence/v1beta1/query.ts';
import type { EvidenceState } from './state.ts';

/** `cosmos.evidence.v1beta1.Query`. */
export function evidenceQueries(state: EvidenceState): readonly QueryRoute[] {
  return queryService(wire.QueryService, {
    Evidence: query(wire.QueryEvidenceRequest, wire.QueryEvidenceResponse, (context, { hash }) => {
      if (hash === '') throw new QueryError('InvalidArgument', 'invalid request; hash is empty');
      const evidence = state.evidence.get(context, hashOf(hash));
      if (evidence === undefined) throw new QueryError('NotFound', `evidence ${hash} not found`);
      return { evidence };
    }),
    AllEvidence: query(wire.QueryAllEvidenceRequest, wire.QueryAllEvidenceResponse, (context, request) => {
      const { items, pagination } = paginate(context, state.evidence, {
        request: request.pagination,
        transform: (_, evidence) => evidence,
      });
      return { evidence: items, pagination };
    }),
  });
}

function hashOf(text: string): Uint8Array {
  try {
    return fromHex(text);
  } catch (error) {
    throw new QueryError('Unknown', `invalid evidence hash: ${messageOf(error)}`);
  }
}
