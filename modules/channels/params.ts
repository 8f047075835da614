import { StateError, sdkErrors } from '../../framework/errors.ts';
import type { JsonReader } from '../../framework/json.ts';
import { messageFromJson } from '../../framework/proto-json.ts';
import { Params } from '../../proto/gen/openledger/channels/v1/channels.ts';

/** What a chain gets that says nothing. */
export const DEFAULT_PARAMS: Params = {
  withdrawDelayMin: 900,
  withdrawDelayMax: 2_592_000,
  withdrawBlocks: 100,
  openWindow: 86_400,
  rowsMax: 4_096,
  gasPerLink: 30,
};

interface Bound {
  readonly min: number;
  readonly max: number;
}

/** Bounds that hold whatever governance says. */
export const PARAM_BOUNDS: Readonly<Record<keyof Params, Bound>> = {
  // A receiver has to see it and to bring a transaction into a block.
  withdrawDelayMin: { min: 60, max: 2_592_000 },
  // A payer has to get the money back in a lifetime of patience.
  withdrawDelayMax: { min: 60, max: 31_536_000 },
  withdrawBlocks: { min: 1, max: 1_000_000 },
  // As long as a closed channel's id is remembered.
  openWindow: { min: 60, max: 604_800 },
  rowsMax: { min: 1, max: 16_384 },
  gasPerLink: { min: 1, max: 1_000_000 },
};

/** @throws StateError (sdk 18) when a parameter is out of bounds */
export function validateParams(params: Params): void {
  for (const name of Object.keys(PARAM_BOUNDS) as (keyof Params)[]) {
    const { min, max } = PARAM_BOUNDS[name];
    if (params[name] < min || params[name] > max)
      throw new StateError(sdkErrors.invalidRequest, `${name} is ${params[name]}, must be ${min} to ${max}`);
  }
  if (params.withdrawDelayMin > params.withdrawDelayMax)
    throw new StateError(sdkErrors.invalidRequest, 'withdrawDelayMin is more than withdrawDelayMax');
}

/** Parameters from a genesis document; the defaults when it says nothing. */
export function paramsFromJson(json: JsonReader): Params {
  if (!json.present) return DEFAULT_PARAMS;
  const params = messageFromJson(Params, json);
  json.attempt(() => validateParams(params));
  return params;
}
