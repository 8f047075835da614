import { utf8 } from '../../core/bytes.ts';
import type { ReadContext } from '../../framework/context.ts';
import { query, type QueryRoute, queryService } from '../../framework/query.ts';
import * as wire from '../../proto/gen/cosmos/mint/v1beta1/query.ts';
import { INITIAL_MINTER } from './minter.ts';
import { DEFAULT_PARAMS } from './params.ts';
import type { MintCore } from './ports.ts';
import type { Minter } from './types.ts';
import { paramsToWire } from './wire.ts';

/** `cosmos.mint.v1beta1.Query`. Decimals travel as the text of their units, in bytes. */
export function mintQueries({ state }: MintCore): readonly QueryRoute[] {
  const minterAt = (context: ReadContext): Minter => state.minter.get(context) ?? INITIAL_MINTER;
  return queryService(wire.QueryService, {
    Params: query(wire.QueryParamsRequest, wire.QueryParamsResponse, (context) => ({
      params: paramsToWire(state.params.get(context) ?? DEFAULT_PARAMS),
    })),
    Inflation: query(wire.QueryInflationRequest, wire.QueryInflationResponse, (context) => ({
      inflation: utf8(minterAt(context).inflation.toWire()),
    })),
    AnnualProvisions: query(
      wire.QueryAnnualProvisionsRequest,
      wire.QueryAnnualProvisionsResponse,
      (context) => ({ annualProvisions: utf8(minterAt(context).annualProvisions.toWire()) }),
    ),
  });
}
