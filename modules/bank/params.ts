import type { JsonObject, JsonReader } from '../../framework/json.ts';
import type { Params } from '../../proto/gen/cosmos/bank/v1beta1/bank.ts';

/** Sending is on. The per-denomination list in the parameters is deprecated and always empty. */
export const DEFAULT_PARAMS: Params = { sendEnabled: [], defaultSendEnabled: true };

/** Parameters in a genesis document. */
export function paramsToJson(params: Params): JsonObject {
  return { send_enabled: [], default_send_enabled: params.defaultSendEnabled };
}

/** Parameters from a genesis document. */
export function paramsFromJson(json: JsonReader): Params {
  return { sendEnabled: [], defaultSendEnabled: json.member('default_send_enabled').boolean() };
}
