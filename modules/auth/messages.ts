import { type Address, moduleAddress } from '../../framework/address.ts';
import type { AddressCodec } from '../../framework/address.ts';
import { invalidAuthority, StateError } from '../../framework/errors.ts';
import { type MessageRoute, messageRoute } from '../../framework/message.ts';
import { MsgUpdateParams, MsgUpdateParamsResponse } from '../../proto/gen/cosmos/auth/v1beta1/tx.ts';
import type { AuthKeeper } from './keeper.ts';
import { validateParams } from './params.ts';

/** `cosmos.auth.v1beta1.Msg`: only the chain's authority (the governance account) may change parameters. */
export function authMessages(keeper: AuthKeeper, addresses: AddressCodec): readonly MessageRoute[] {
  const authority: Address = moduleAddress('gov');
  return [
    messageRoute<MsgUpdateParams, MsgUpdateParamsResponse, void>({
      type: MsgUpdateParams,
      response: MsgUpdateParamsResponse,
      signers: (message) => [message.authority],
      validate: (message) => validateParams(message.params),
      check(_, message) {
        const expected = addresses.toText(authority);
        if (message.authority !== expected)
          throw new StateError(
            invalidAuthority,
            `invalid authority; expected ${expected}, got ${message.authority}`,
          );
      },
      execute(context, message) {
        keeper.setParams(context, message.params);
        return {};
      },
    }),
  ];
}
