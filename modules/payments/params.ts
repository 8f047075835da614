import type { JsonReader } from '../../framework/json.ts';
import { messageFromJson } from '../../framework/proto-json.ts';
import { StateError, sdkErrors } from '../../framework/errors.ts';
import { Params } from '../../proto/gen/openledger/payments/v1/payments.ts';

/** What a chain gets that says nothing. */
export const DEFAULT_PARAMS: Params = { tokensMax: 1_000_000_000n };

/** Keeps fees far below 256 bits. */
const TOKENS_LIMIT = 1n << 53n;

/** @throws StateError (sdk 18) when a limit is zero or absurd */
export function validateParams(params: Params): void {
  if (params.tokensMax <= 0n || params.tokensMax > TOKENS_LIMIT)
    throw new StateError(
      sdkErrors.invalidRequest,
      `tokens_max is ${params.tokensMax}, must be 1 to ${TOKENS_LIMIT}`,
    );
}

/** Parameters from a genesis document; the defaults when it says nothing. */
export function paramsFromJson(json: JsonReader): Params {
  if (!json.present) return DEFAULT_PARAMS;
  const params = messageFromJson(Params, json);
  json.attempt(() => validateParams(params));
  return params;
}
