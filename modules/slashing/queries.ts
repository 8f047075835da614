import { QueryError, toStateError } from '../../framework/errors.ts';
import { paginate } from '../../framework/pagination.ts';
import { query, type QueryRoute, queryService } from '../../framework/query.ts';
import * as wire from '../../proto/gen/cosmos/slashing/v1beta1/query.ts';
import { paramsOf } from './liveness.ts';
import { paramsToWire } from './params.ts';
import type { SlashingCore } from './ports.ts';

/** `cosmos.slashing.v1beta1.Query`. */
export function slashingQueries(k: SlashingCore): readonly QueryRoute[] {
  const { state, addresses } = k;
  return queryService(wire.QueryService, {
    Params: query(wire.QueryParamsRequest, wire.QueryParamsResponse, (context) => ({
      params: paramsToWire(paramsOf(k, context)),
    })),
    SigningInfo: query(
      wire.QuerySigningInfoRequest,
      wire.QuerySigningInfoResponse,
      (context, { consAddress }) => {
        if (consAddress === '') throw new QueryError('InvalidArgument', 'invalid request');
        const info = state.signingInfos.get(context, consensusAddressOf(addresses.consensus, consAddress));
        if (info === undefined)
          throw new QueryError('NotFound', `SigningInfo not found for validator ${consAddress}`);
        return { valSigningInfo: info };
      },
    ),
    SigningInfos: query(wire.QuerySigningInfosRequest, wire.QuerySigningInfosResponse, (context, request) => {
      const { items, pagination } = paginate(context, state.signingInfos, {
        request: request.pagination,
        transform: (_, info) => info,
      });
      return { info: items, pagination };
    }),
  });
}

function consensusAddressOf(codec: { toBytes(text: string): Uint8Array }, text: string): Uint8Array {
  try {
    return codec.toBytes(text);
  } catch (error) {
    throw new QueryError('InvalidArgument', toStateError(error).message);
  }
}
