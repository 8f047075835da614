import { StateError, sdkErrors } from '../../framework/errors.ts';
import type { JsonObject, JsonReader } from '../../framework/json.ts';
import type { Params } from '../../proto/gen/cosmos/bank/v1beta1/bank.ts';

/** Sending is on. The per-denomination list in the parameters is deprecated and always empty. */
export const DEFAULT_PARAMS: Params = { sendEnabled: [], defaultSendEnabled: true };

/** Checks parameters, whoever sets them: as x/bank does. @throws StateError (sdk 18) */
export function validateParams({ sendEnabled }: Pick<Params, 'sendEnabled'>): void {
  if (sendEnabled.length > 0)
    throw new StateError(
      sdkErrors.invalidRequest,
      'use of send_enabled in params is no longer supported: MsgSetSendEnabled and bank.send_enabled have it',
    );
}

/** Parameters in a genesis document. */
export function paramsToJson(params: Params): JsonObject {
  return { send_enabled: [], default_send_enabled: params.defaultSendEnabled };
}

/** Parameters from a genesis document. */
export function paramsFromJson(json: JsonReader): Params {
  const list = json.member('send_enabled');
  const sendEnabled = (list.present ? list.elements() : []).map(() => ({ denom: '', enabled: true }));
  list.attempt(() => validateParams({ sendEnabled }));
  return { sendEnabled: [], defaultSendEnabled: json.member('default_send_enabled').boolean() };
}
