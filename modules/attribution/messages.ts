import type { MessageRoute } from '../../framework/message.ts';
import { paramsMessage } from '../../framework/params-message.ts';
import * as wire from '../../proto/gen/openledger/attribution/v1/tx.ts';
import { cardMessages } from './card-messages.ts';
import { claimMessages } from './claim-messages.ts';
import type { AttributionCore } from './core.ts';
import { indexMessages } from './index-messages.ts';
import { validateParams } from './params.ts';
import { changeParams } from './versions.ts';

/** `openledger.attribution.v1.Msg`. Verified claims arrive inside payments as well. */
export function attributionMessages(k: AttributionCore): readonly MessageRoute[] {
  return [
    ...indexMessages(k),
    ...claimMessages(k),
    ...cardMessages(k),
    paramsMessage(wire, {
      addresses: k.addresses,
      validate: validateParams,
      set: (context, params) => changeParams(k.state, context, params),
    }),
  ];
}
