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
  const limits = limitsOf(params);
  const refuse = (detail: string): never => {
    throw new StateError(sdkErrors.invalidRequest, `attribution parameters: ${detail}`);
  };
  if (limits.spansMax <= 0 || limits.spansMax > HARD_LIMITS.spansMax)
    refuse(`spans_max is ${limits.spansMax}`);
  if (limits.spanBytesMin <= 0 || limits.spanBytesMin > limits.spanBytesMax)
    refuse('span_bytes_min exceeds span_bytes_max');
  if (limits.spanBytesMax > HARD_LIMITS.spanBytesMax) refuse(`span_bytes_max is ${limits.spanBytesMax}`);
  if (limits.answerBytesMax > HARD_LIMITS.answerBytesMax)
    refuse(`answer_bytes_max is ${params.answerBytesMax}`);
  if (limits.proofBytesMax > HARD_LIMITS.proofBytesMax) refuse(`proof_bytes_max is ${limits.proofBytesMax}`);
  for (const price of [params.gasPerSpan, params.gasPerHash, params.gasPerByte])
    if (price <= 0 || price > GAS_MAX) refuse(`a gas price is ${price}`);
}

/** Parameters from a genesis document; the defaults when it says nothing. */
export function paramsFromJson(json: JsonReader): Params {
  if (!json.present) return DEFAULT_PARAMS;
  const params = messageFromJson(Params, json);
  json.attempt(() => validateParams(params));
  return params;
}
