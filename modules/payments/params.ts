import type { JsonReader } from '../../framework/json.ts';
import { messageFromJson } from '../../framework/proto-json.ts';
import { StateError, sdkErrors } from '../../framework/errors.ts';
import { Params } from '../../proto/gen/openledger/payments/v1/payments.ts';

/** What a chain gets that says nothing. */
export const DEFAULT_PARAMS: Params = {
  tokensMax: 1_000_000_000n,
  authorizationSecondsMax: 2_592_000n,
  holdSecondsMax: 2_592_000n,
};

/** Keeps fees far below 256 bits. */
const TOKENS_LIMIT = 1n << 53n;
/** Ten years of 365 days: what waits for its time is forgotten one day. */
const SECONDS_LIMIT = 315_360_000n;

/** @throws StateError (sdk 18) when a limit is zero or absurd */
export function validateParams({ tokensMax, authorizationSecondsMax, holdSecondsMax }: Params): void {
  for (const [name, value, most] of [
    ['tokens_max', tokensMax, TOKENS_LIMIT],
    ['authorization_seconds_max', authorizationSecondsMax, SECONDS_LIMIT],
    ['hold_seconds_max', holdSecondsMax, SECONDS_LIMIT],
  ] as const)
    if (value <= 0n || value > most)
      throw new StateError(sdkErrors.invalidRequest, `${name} is ${value}, must be 1 to ${most}`);
}

/** Parameters from a genesis document; the defaults when it says nothing. */
export function paramsFromJson(json: JsonReader): Params {
  if (!json.present) return DEFAULT_PARAMS;
  const params = messageFromJson(Params, json);
  json.attempt(() => validateParams(params));
  return params;
}
