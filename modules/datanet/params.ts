import type { JsonReader } from '../../framework/json.ts';
import { messageFromJson } from '../../framework/proto-json.ts';
import { StateError, sdkErrors } from '../../framework/errors.ts';
import { Params } from '../../proto/gen/openledger/datanet/v1/datanet.ts';

/**
 * A content has at most as many tokens as bytes, and with its separator it has to fit one shard of an index
 * (2^28 tokens): one that does not would keep its Datanet from being indexed.
 */
const CONTENT_BYTES_LIMIT = (1n << 28n) - 1n;
const COUNT_LIMIT = 65_536;

/** What a chain gets that says nothing. */
export const DEFAULT_PARAMS: Params = {
  contentBytesMax: CONTENT_BYTES_LIMIT,
  textBytesMax: 1024,
  urisMax: 8,
  allowListChangesMax: 256,
};

/** @throws StateError (sdk 18) when a limit is zero or absurd */
export function validateParams(params: Params): void {
  const { contentBytesMax, textBytesMax, urisMax, allowListChangesMax } = params;
  for (const [name, value, most] of [
    ['content_bytes_max', contentBytesMax, CONTENT_BYTES_LIMIT],
    ['text_bytes_max', textBytesMax, COUNT_LIMIT],
    ['uris_max', urisMax, COUNT_LIMIT],
    ['allow_list_changes_max', allowListChangesMax, COUNT_LIMIT],
  ] as const)
    if (value <= 0 || value > most)
      throw new StateError(sdkErrors.invalidRequest, `${name} is ${value}, must be 1 to ${most}`);
}

/** Parameters from a genesis document; the defaults when it says nothing. */
export function paramsFromJson(json: JsonReader): Params {
  if (!json.present) return DEFAULT_PARAMS;
  const params = messageFromJson(Params, json);
  json.attempt(() => validateParams(params));
  return params;
}
