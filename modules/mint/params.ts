import { Decimal } from '../../core/decimal.ts';
import { isDenom } from '../../framework/coins.ts';
import { StateError, sdkErrors } from '../../framework/errors.ts';
import type { JsonObject, JsonReader } from '../../framework/json.ts';
import { decimalFromJson } from '../../framework/json-fields.ts';
import type { MintParams } from './types.ts';

/** Go reckons with blocks per year as a signed number. */
const BLOCKS_PER_YEAR_MAX = (1n << 63n) - 1n;

/** The SDK's defaults: 7 to 20 % a year, two thirds bonded, a block every five seconds. */
export const DEFAULT_PARAMS: MintParams = {
  mintDenom: 'stake',
  inflationRateChange: Decimal.ofText('0.13'),
  inflationMax: Decimal.ofText('0.2'),
  inflationMin: Decimal.ofText('0.07'),
  goalBonded: Decimal.ofText('0.67'),
  blocksPerYear: 6_311_520n,
};

/**
 * Checks parameters, whoever sets them: as x/mint does.
 * @throws StateError (sdk 18)
 */
export function validateParams(params: MintParams): void {
  const problem = problemOf(params);
  if (problem !== undefined) throw new StateError(sdkErrors.invalidRequest, problem);
}

function problemOf(params: MintParams): string | undefined {
  const { mintDenom, inflationMax, inflationMin, goalBonded, blocksPerYear } = params;
  if (mintDenom.trim() === '') return 'mint denom cannot be blank';
  if (!isDenom(mintDenom)) return `invalid denom: ${mintDenom}`;
  const rates = [
    ['inflation rate change', params.inflationRateChange],
    ['max inflation', inflationMax],
    ['min inflation', inflationMin],
    ['goal bonded', goalBonded],
  ] as const;
  for (const [name, rate] of rates) {
    if (name === 'goal bonded' && rate.sign <= 0) return `${name} must be positive: ${rate}`;
    if (rate.sign < 0) return `${name} cannot be negative: ${rate}`;
    if (rate.greaterThan(Decimal.ONE)) return `${name} too large: ${rate}`;
  }
  if (blocksPerYear === 0n) return `blocks per year must be positive: ${blocksPerYear}`;
  if (blocksPerYear > BLOCKS_PER_YEAR_MAX) return `blocks per year must be at most ${BLOCKS_PER_YEAR_MAX}`;
  if (inflationMax.lessThan(inflationMin))
    return `max inflation (${inflationMax}) must be greater than or equal to min inflation (${inflationMin})`;
  return undefined;
}

/** Parameters of a chain whose supply stays: nothing is made until governance says so. */
export function withoutInflation(mintDenom: string): MintParams {
  const none = { inflationRateChange: Decimal.ZERO, inflationMax: Decimal.ZERO, inflationMin: Decimal.ZERO };
  return { ...DEFAULT_PARAMS, ...none, mintDenom };
}

/** Parameters in a genesis document. */
export function paramsToJson(params: MintParams): JsonObject {
  return {
    mint_denom: params.mintDenom,
    inflation_rate_change: params.inflationRateChange.toString(),
    inflation_max: params.inflationMax.toString(),
    inflation_min: params.inflationMin.toString(),
    goal_bonded: params.goalBonded.toString(),
    blocks_per_year: params.blocksPerYear.toString(),
  };
}

/** Parameters from a genesis document. @throws JsonError naming the path */
export function paramsFromJson(json: JsonReader): MintParams {
  json.onlyMembers(...Object.keys(paramsToJson(DEFAULT_PARAMS)));
  const params: MintParams = {
    mintDenom: json.member('mint_denom').text(),
    inflationRateChange: decimalFromJson(json.member('inflation_rate_change')),
    inflationMax: decimalFromJson(json.member('inflation_max')),
    inflationMin: decimalFromJson(json.member('inflation_min')),
    goalBonded: decimalFromJson(json.member('goal_bonded')),
    blocksPerYear: json.member('blocks_per_year').uint64(),
  };
  json.attempt(() => validateParams(params));
  return params;
}
