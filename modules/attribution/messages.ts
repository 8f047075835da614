import type { AddressCodec } from '../../framework/address.ts';
import type { MessageRoute } from '../../framework/message.ts';
import { paramsMessage } from '../../framework/params-message.ts';
import { MsgUpdateParams, MsgUpdateParamsResponse } from '../../proto/gen/openledger/attribution/v1/tx.ts';
import { validateParams } from './params.ts';
import type { AttributionState } from './state.ts';

/**
 * `openledger.attribution.v1.Msg`. Claims arrive inside payments
 * (`openledger.payments.v1.MsgPayInference`); indexes, optimistic claims and their disputes will be
 * messages of this module.
 */
export function attributionMessages(
  state: AttributionState,
  addresses: AddressCodec,
): readonly MessageRoute[] {
  return [
    paramsMessage({
      type: MsgUpdateParams,
      response: MsgUpdateParamsResponse,
      addresses,
      validate: validateParams,
      set: (context, params) => state.params.set(context, params),
    }),
  ];
}
