import { messageOf } from '../../core/errors.ts';
import { StateError, sdkErrors } from '../../framework/errors.ts';
import type { MessageRoute } from '../../framework/message.ts';
import { paramsMessage } from '../../framework/params-message.ts';
import type { Params } from '../../proto/gen/cosmos/mint/v1beta1/mint.ts';
import * as wire from '../../proto/gen/cosmos/mint/v1beta1/tx.ts';
import { validateParams } from './params.ts';
import type { MintCore } from './ports.ts';
import type { MintParams } from './types.ts';
import { paramsOfWire } from './wire.ts';

/** `cosmos.mint.v1beta1.Msg`. */
export function mintMessages(k: MintCore): readonly MessageRoute[] {
  return [
    paramsMessage(wire, {
      addresses: k.addresses,
      validate: (params) => void paramsOfMessage(params),
      set: (context, params) => k.state.params.set(context, paramsOfMessage(params)),
    }),
  ];
}

/** @throws StateError (sdk 18) */
function paramsOfMessage(held: Params): MintParams {
  const params = readParams(held);
  validateParams(params);
  return params;
}

function readParams(held: Params): MintParams {
  const rates = [
    ['inflation rate change', held.inflationRateChange],
    ['max inflation', held.inflationMax],
    ['min inflation', held.inflationMin],
    ['goal bonded', held.goalBonded],
  ] as const;
  const missing = rates.find(([, text]) => text === '');
  if (missing !== undefined) throw new StateError(sdkErrors.invalidRequest, `${missing[0]} cannot be nil`);
  try {
    return paramsOfWire(held);
  } catch (error) {
    throw new StateError(sdkErrors.invalidRequest, messageOf(error));
  }
}
