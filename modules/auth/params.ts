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

/**
 * Largest values. Gas is added up in numbers, so all that a transaction can be charged before its messages
 * run must stay below 2^53: 2^27 bytes (a block has at most 21 MiB) and one signature for every 40 of them,
 * since each needs a signer, together cost less than 5 × 10^15.
 */
export const PARAM_MAX: Params = {
  maxMemoCharacters: 1_000_000n,
  txSigLimit: 10_000n,
  txSizeCostPerByte: 10_000_000n,
  sigVerifyCostEd25519: 1_000_000_000n,
  sigVerifyCostSecp256k1: 1_000_000_000n,
};

const PARAM_NAMES = [
  'maxMemoCharacters',
  'txSigLimit',
  'txSizeCostPerByte',
  'sigVerifyCostEd25519',
  'sigVerifyCostSecp256k1',
] as const;

/** @throws StateError (sdk 18) when a limit or price is zero or absurd, with the largest that is allowed */
export function validateParams(params: Params): void {
  for (const name of PARAM_NAMES) {
    const value = params[name];
    if (value >= 1n && value <= PARAM_MAX[name]) continue;
    throw new StateError(
      sdkErrors.invalidRequest,
      `auth parameter ${name} is ${value}; it must be from 1 to ${PARAM_MAX[name]}`,
    );
  }
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
