import { messageOf } from '../../core/errors.ts';
import type { Address } from '../../framework/address.ts';
import { compareInstants } from '../../core/time.ts';
import type { ReadContext } from '../../framework/context.ts';
import { StateError, sdkErrors } from '../../framework/errors.ts';
import { type MessageHandler, type MessageRoute, messageRoute } from '../../framework/message.ts';
import { paramsMessage } from '../../framework/params-message.ts';
import * as wire from '../../proto/gen/cosmos/slashing/v1beta1/tx.ts';
import type { Validator } from '../staking/types.ts';
import { slashingErrors } from './errors.ts';
import { paramsOfWire, validateParams } from './params.ts';
import type { SlashingAddresses, SlashingCore } from './ports.ts';

/** `cosmos.slashing.v1beta1.Msg`. */
export function slashingMessages(k: SlashingCore): readonly MessageRoute[] {
  return [
    messageRoute(msgUnjail(k)),
    paramsMessage(wire, {
      addresses: k.addresses.accounts,
      validate: (params) => validateParams(paramsOfWire(params)),
      set: (context, params) => k.state.params.set(context, paramsOfWire(params)),
    }),
  ];
}

/** @throws StateError (sdk 7) */
function operatorOf({ validators }: SlashingAddresses, text: string): Address {
  try {
    return validators.toBytes(text);
  } catch (error) {
    throw new StateError(sdkErrors.invalidAddress, `validator input address: ${messageOf(error)}`);
  }
}

/** Its signer is the operator. */
function msgUnjail(k: SlashingCore): MessageHandler<wire.MsgUnjail, wire.MsgUnjailResponse, Uint8Array> {
  const { addresses } = k;
  return {
    type: wire.MsgUnjail,
    response: wire.MsgUnjailResponse,
    signers: (message) => [addresses.accounts.toText(operatorOf(addresses, message.validatorAddr))],
    validate: (message) => void operatorOf(addresses, message.validatorAddr),
    check: (context, message) => checkUnjail(k, context, operatorOf(addresses, message.validatorAddr)),
    execute(context, _, consensusAddress) {
      k.staking.unjail(context, consensusAddress);
      return {};
    },
  };
}

/**
 * Whether a validator may come back.
 * @returns its consensus address
 * @throws StateError (slashing 4, 5, 7; staking 3, 19)
 */
function checkUnjail(k: SlashingCore, context: ReadContext, operator: Address): Uint8Array {
  const validator = k.staking.validator(context, operator);
  if (validator === undefined) throw new StateError(slashingErrors.noValidator);
  checkSelfDelegation(k, context, validator);
  if (!validator.jailed) throw new StateError(slashingErrors.validatorNotJailed);
  const consensusAddress = validator.consensusKey.address;
  // One that was never bonded has no such info: it was jailed for its own delegation, which is enough now.
  const info = k.state.signingInfos.get(context, consensusAddress);
  if (info !== undefined) {
    const isServing = compareInstants(context.block.time, info.jailedUntil) < 0;
    if (info.tombstoned || isServing) throw new StateError(slashingErrors.validatorJailed);
  }
  return consensusAddress;
}

function checkSelfDelegation(k: SlashingCore, context: ReadContext, validator: Validator): void {
  const { operator, minSelfDelegation } = validator;
  const delegation = k.staking.delegation(context, { delegator: operator, validator: operator });
  if (delegation === undefined) throw new StateError(slashingErrors.noDelegation);
  const tokens = k.staking.tokensOf(validator, delegation.shares).truncate();
  if (tokens < minSelfDelegation)
    throw new StateError(slashingErrors.selfDelegationTooLow, `${tokens} less than ${minSelfDelegation}`);
}
