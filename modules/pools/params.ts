import { StateError, sdkErrors } from '../../framework/errors.ts';
import type { JsonReader } from '../../framework/json.ts';
import { messageFromJson } from '../../framework/proto-json.ts';
import { Params } from '../../proto/gen/openledger/pools/v1/pools.ts';

/** What a chain gets that says nothing. */
export const DEFAULT_PARAMS: Params = {
  epochBlocks: 10,
  slotsMax: 256,
  gasPerRow: 2_000,
  autoClaimBlocksMin: 100,
  autoClaimTimesMax: 1_000,
  creditBlocks: 5_000_000,
};

/** Orders wait for the end of an epoch: two months of blocks of five seconds. */
const EPOCH_BLOCKS_MAX = 1_000_000;
const BLOCKS_MAX = 1_000_000_000;
const SLOTS_MAX = 1_024;
const GAS_MAX = 1_000_000;
const TIMES_MAX = 1_000_000;

/** @throws StateError (sdk 18) when a limit is zero or absurd */
export function validateParams(params: Params): void {
  const { epochBlocks, slotsMax, gasPerRow, autoClaimBlocksMin, autoClaimTimesMax, creditBlocks } = params;
  checkRange('epoch_blocks', epochBlocks, EPOCH_BLOCKS_MAX);
  checkRange('slots_max', slotsMax, SLOTS_MAX);
  checkRange('gas_per_row', gasPerRow, GAS_MAX);
  checkRange('auto_claim_blocks_min', autoClaimBlocksMin, BLOCKS_MAX);
  checkRange('auto_claim_times_max', autoClaimTimesMax, TIMES_MAX);
  checkRange('credit_blocks', creditBlocks, BLOCKS_MAX);
}

function checkRange(name: string, value: number, most: number): void {
  if (value < 1 || value > most)
    throw new StateError(sdkErrors.invalidRequest, `${name} is ${value}, must be 1 to ${most}`);
}

/** Parameters from a genesis document; the defaults when it says nothing. */
export function paramsFromJson(json: JsonReader): Params {
  if (!json.present) return DEFAULT_PARAMS;
  const params = messageFromJson(Params, json);
  json.attempt(() => validateParams(params));
  return params;
}
