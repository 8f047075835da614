import type { JsonReader } from '../../framework/json.ts';
import { messageFromJson } from '../../framework/proto-json.ts';
import { StateError, sdkErrors } from '../../framework/errors.ts';
import { Params } from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import { type ClaimLimits, HARD_LIMITS } from './verify.ts';

/** What a chain gets that says nothing. */
export const DEFAULT_PARAMS: Params = {
  spansMax: 64,
  spanBytesMin: 16,
  spanBytesMax: 4096,
  answerBytesMax: 1n << 20n,
  proofBytesMax: 262_144,
  gasPerSpan: 500,
  gasPerHash: 30,
  gasPerByte: 1,
};

/** Highest price of a unit of work. */
const GAS_MAX = 1_000_000;

/** Bounds of a claim under these parameters. */
export function limitsOf(params: Params): ClaimLimits {
  const { spansMax, spanBytesMin, spanBytesMax, answerBytesMax, proofBytesMax } = params;
  return { spansMax, spanBytesMin, spanBytesMax, answerBytesMax: Number(answerBytesMax), proofBytesMax };
}

/** @throws StateError (sdk 18) when a limit exceeds what the verifier bears, or a price is absurd */
export function validateParams(params: Params): void {
  for (const [name, value, most] of [
    ['spans_max', params.spansMax, HARD_LIMITS.spansMax],
    ['span_bytes_max', params.spanBytesMax, HARD_LIMITS.spanBytesMax],
    ['span_bytes_min', params.spanBytesMin, params.spanBytesMax],
    ['answer_bytes_max', params.answerBytesMax, HARD_LIMITS.answerBytesMax],
    ['proof_bytes_max', params.proofBytesMax, HARD_LIMITS.proofBytesMax],
    ['gas_per_span', params.gasPerSpan, GAS_MAX],
    ['gas_per_hash', params.gasPerHash, GAS_MAX],
    ['gas_per_byte', params.gasPerByte, GAS_MAX],
  ] as const)
    if (value <= 0 || value > most)
      throw new StateError(
        sdkErrors.invalidRequest,
        `attribution parameters: ${name} is ${value}, must be 1 to ${most}`,
      );
}

/** Parameters from a genesis document; the defaults when it says nothing. */
export function paramsFromJson(json: JsonReader): Params {
  if (!json.present) return DEFAULT_PARAMS;
  const params = messageFromJson(Params, json);
  json.attempt(() => validateParams(params));
  return params;
}
