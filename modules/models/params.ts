import type { JsonReader } from '../../framework/json.ts';
import { messageFromJson } from '../../framework/proto-json.ts';
import { StateError, sdkErrors } from '../../framework/errors.ts';
import { Params, Party } from '../../proto/gen/openledger/models/v1/models.ts';
import { checkSplit } from './validate.ts';

/** 10 % platform, 20 % model, 20 % stakers, 50 % contributors; what rounding leaves is the platform's. */
export const DEFAULT_PARAMS: Params = {
  defaultSplit: {
    platformBps: 1000,
    modelBps: 2000,
    stakersBps: 2000,
    contributorsBps: 5000,
    residual: Party.PARTY_PLATFORM,
  },
  platformBpsMin: 100,
  stakersBpsMin: 500,
  contributorsBpsMin: 1000,
  modelBpsMin: 0,
  platformBpsMax: 3000,
  modelBpsMax: 0,
  stakersBpsMax: 5000,
  contributorsBpsMax: 0,
  lineageBpsMax: 5000,
  lineageEntriesMax: 64,
  snapshotsMax: 16,
  textBytesMax: 256,
};

/** @throws StateError (models 4, sdk 18) when a limit is absurd or the default split is outside of its own bounds */
export function validateParams(params: Params): void {
  const { lineageBpsMax, lineageEntriesMax, snapshotsMax, textBytesMax } = params;
  if (lineageBpsMax > 10_000)
    throw new StateError(sdkErrors.invalidRequest, `lineage_bps_max is ${lineageBpsMax}`);
  for (const [name, value, most] of [
    ['lineage_entries_max', lineageEntriesMax, 64],
    ['snapshots_max', snapshotsMax, 256],
    ['text_bytes_max', textBytesMax, 65_536],
  ] as const)
    if (value <= 0 || value > most)
      throw new StateError(sdkErrors.invalidRequest, `${name} is ${value}, must be 1 to ${most}`);
  for (const [name, most] of [
    ['platform_bps_max', params.platformBpsMax],
    ['model_bps_max', params.modelBpsMax],
    ['stakers_bps_max', params.stakersBpsMax],
    ['contributors_bps_max', params.contributorsBpsMax],
  ] as const)
    if (most > 10_000) throw new StateError(sdkErrors.invalidRequest, `${name} is ${most}`);
  checkSplit(params.defaultSplit, params);
}

/** Parameters from a genesis document; the defaults when it says nothing. */
export function paramsFromJson(json: JsonReader): Params {
  if (!json.present) return DEFAULT_PARAMS;
  const params = messageFromJson(Params, json);
  json.attempt(() => validateParams(params));
  return params;
}
