import { Decimal } from '../../core/decimal.ts';
import { isDenom } from '../../framework/coins.ts';
import { StateError, sdkErrors } from '../../framework/errors.ts';
import type { JsonObject, JsonReader } from '../../framework/json.ts';
import {
  decimalFromJson,
  durationFromJson,
  durationToJson,
  smallFromJson,
} from '../../framework/json-fields.ts';
import type { StakingParams } from './types.ts';

/** Most validators that CometBFT's commits hold (`MaxVotesCount`). */
export const VALIDATORS_MAX = 10_000;

/** Most entries that one pair may have: a slash walks over all of them. */
export const ENTRIES_MAX = 1000;

/** Most past headers that are kept, each with its validator set. */
export const HISTORICAL_ENTRIES_MAX = 100_000;

/** Longest unbonding time: Go's durations are 64 bits of nanoseconds, 292 years. */
const DURATION_SECONDS_MAX = 9_223_372_036n;

/** The SDK's defaults: three weeks, 100 validators. */
export const DEFAULT_PARAMS: StakingParams = {
  unbondingTime: { seconds: 1_814_400n, nanos: 0 },
  maxValidators: 100,
  maxEntries: 7,
  historicalEntries: 10_000,
  bondDenom: 'stake',
  minCommissionRate: Decimal.ZERO,
};

/**
 * Checks parameters, whoever sets them: as x/staking does, with upper bounds for what would make a block's
 * work unbounded.
 * @throws StateError (sdk 18)
 */
export function validateParams(params: StakingParams): void {
  const problem = problemOf(params);
  if (problem !== undefined) throw new StateError(sdkErrors.invalidRequest, problem);
}

function problemOf(params: StakingParams): string | undefined {
  const { unbondingTime, maxValidators, maxEntries, historicalEntries, bondDenom } = params;
  const { seconds, nanos } = unbondingTime;
  if (seconds < 0n || nanos < 0 || nanos > 999_999_999 || (seconds === 0n && nanos === 0))
    return `unbonding time must be positive: ${seconds} s and ${nanos} ns`;
  if (seconds >= DURATION_SECONDS_MAX)
    return `unbonding time must be shorter than ${DURATION_SECONDS_MAX} s: ${seconds}`;
  if (maxValidators === 0) return `max validators must be positive: ${maxValidators}`;
  if (maxValidators > VALIDATORS_MAX) return `max validators must be at most ${VALIDATORS_MAX}`;
  if (maxEntries === 0) return `max entries must be positive: ${maxEntries}`;
  if (maxEntries > ENTRIES_MAX) return `max entries must be at most ${ENTRIES_MAX}`;
  if (historicalEntries > HISTORICAL_ENTRIES_MAX)
    return `historical entries must be at most ${HISTORICAL_ENTRIES_MAX}`;
  if (bondDenom.trim() === '') return 'bond denom cannot be blank';
  if (!isDenom(bondDenom)) return `invalid denom: ${bondDenom}`;
  const { minCommissionRate } = params;
  if (minCommissionRate.sign < 0) return `minimum commission rate cannot be negative: ${minCommissionRate}`;
  if (minCommissionRate.greaterThan(Decimal.ONE))
    return `minimum commission rate cannot be greater than 100%: ${minCommissionRate}`;
  return undefined;
}

/** Parameters in a genesis document. */
export function paramsToJson(params: StakingParams): JsonObject {
  return {
    unbonding_time: durationToJson(params.unbondingTime),
    max_validators: params.maxValidators,
    max_entries: params.maxEntries,
    historical_entries: params.historicalEntries,
    bond_denom: params.bondDenom,
    min_commission_rate: params.minCommissionRate.toString(),
  };
}

/** Parameters from a genesis document. @throws JsonError naming the path */
export function paramsFromJson(json: JsonReader): StakingParams {
  json.onlyMembers(...Object.keys(paramsToJson(DEFAULT_PARAMS)));
  const params: StakingParams = {
    unbondingTime: durationFromJson(json.member('unbonding_time')),
    maxValidators: smallFromJson(json.member('max_validators')),
    maxEntries: smallFromJson(json.member('max_entries')),
    historicalEntries: smallFromJson(json.member('historical_entries')),
    bondDenom: json.member('bond_denom').text(),
    minCommissionRate: decimalFromJson(json.member('min_commission_rate')),
  };
  json.attempt(() => validateParams(params));
  return params;
}
