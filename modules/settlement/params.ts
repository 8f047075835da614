import { isDenom } from '../../framework/coins.ts';
import { StateError, sdkErrors } from '../../framework/errors.ts';
import type { JsonReader } from '../../framework/json.ts';
import { messageFromJson } from '../../framework/proto-json.ts';
import { Params } from '../../proto/gen/openledger/settlement/v1/settlement.ts';

/** What a chain gets that says nothing. */
export const DEFAULT_PARAMS: Params = {
  bondDenom: 'uopen',
  epochBond: 10_000_000n,
  windowBlocks: 20_000,
  rewardBps: 5_000,
  rowsMax: 256,
  gasPerRow: 30_000,
  gasPerHash: 30,
  gasPerByte: 1,
  endpointBytesMax: 256,
  requestBond: 20_000n,
  requestBlocks: 500,
  answerBps: 1_000,
  epochRequestsMax: 64,
  accountRequestsMax: 16,
};

/** A parameter, the least and the most that it may be. */
type Bound = readonly [name: string, value: number | bigint, least: number | bigint, most: number | bigint];

function boundsOf(params: Params): readonly Bound[] {
  return [
    ['epoch_bond', params.epochBond, 1, (1n << 63n) - 1n],
    // Heights stay far below 2^53.
    ['window_blocks', params.windowBlocks, 1, 1_000_000_000],
    // Who convicts himself loses something.
    ['reward_bps', params.rewardBps, 1, 9_000],
    ['rows_max', params.rowsMax, 1, 1_024],
    ['gas_per_row', params.gasPerRow, 1, 1_000_000],
    ['gas_per_hash', params.gasPerHash, 1, 1_000_000],
    ['gas_per_byte', params.gasPerByte, 1, 1_000_000],
    ['endpoint_bytes_max', params.endpointBytesMax, 1, 65_536],
    ['request_bond', params.requestBond, 1, (1n << 63n) - 1n],
    ['request_blocks', params.requestBlocks, 1, 1_000_000_000],
    // Who asks himself loses at least half of the bond, so that nobody fills up the requests about his epoch.
    ['answer_bps', params.answerBps, 1, 5_000],
    ['epoch_requests_max', params.epochRequestsMax, 1, 1_024],
    ['account_requests_max', params.accountRequestsMax, 1, 1_024],
  ];
}

/** @throws StateError (sdk 18) when a parameter is out of bounds */
export function validateParams(params: Params): void {
  const fail = (what: string): never => {
    throw new StateError(sdkErrors.invalidRequest, `settlement parameters: ${what}`);
  };
  if (!isDenom(params.bondDenom)) fail(`bond_denom '${params.bondDenom.slice(0, 80)}' is no denomination`);
  for (const [name, value, least, most] of boundsOf(params))
    if (value < least || value > most) fail(`${name} is ${value}, must be ${least} to ${most}`);
}

/** Parameters from a genesis document; the defaults when it says nothing. */
export function paramsFromJson(json: JsonReader): Params {
  if (!json.present) return DEFAULT_PARAMS;
  const params = messageFromJson(Params, json);
  json.attempt(() => validateParams(params));
  return params;
}
