import type { JsonObject, JsonReader } from '../../framework/json.ts';
import { StateError, sdkErrors } from '../../framework/errors.ts';
import type { Params } from '../../proto/gen/cosmos/auth/v1beta1/auth.ts';

/** The SDK's defaults. */
export const DEFAULT_PARAMS: Params = {
  maxMemoCharacters: 256n,
  txSigLimit: 7n,
  txSizeCostPerByte: 10n,
  sigVerifyCostEd25519: 590n,
  sigVerifyCostSecp256k1: 1000n,
};

/** Largest value of a parameter: all are added up as numbers. */
const PARAM_MAX = 1_000_000_000n;

/** @throws StateError (sdk 18) when a limit or price is zero or absurd */
export function validateParams(params: Params): void {
  for (const [name, value] of Object.entries(params))
    if (typeof value === 'bigint' && (value <= 0n || value > PARAM_MAX))
      throw new StateError(sdkErrors.invalidRequest, `auth parameter ${name} is ${value}`);
}

/** Parameters in a genesis document. */
export function paramsToJson(params: Params): JsonObject {
  return {
    max_memo_characters: params.maxMemoCharacters.toString(),
    tx_sig_limit: params.txSigLimit.toString(),
    tx_size_cost_per_byte: params.txSizeCostPerByte.toString(),
    sig_verify_cost_ed25519: params.sigVerifyCostEd25519.toString(),
    sig_verify_cost_secp256k1: params.sigVerifyCostSecp256k1.toString(),
  };
}

/** Parameters from a genesis document. */
export function paramsFromJson(json: JsonReader): Params {
  const params: Params = {
    maxMemoCharacters: json.member('max_memo_characters').uint64(),
    txSigLimit: json.member('tx_sig_limit').uint64(),
    txSizeCostPerByte: json.member('tx_size_cost_per_byte').uint64(),
    sigVerifyCostEd25519: json.member('sig_verify_cost_ed25519').uint64(),
    sigVerifyCostSecp256k1: json.member('sig_verify_cost_secp256k1').uint64(),
  };
  json.attempt(() => validateParams(params));
  return params;
}
