import type { AddressCodec } from '../../framework/address.ts';
import { StateError, sdkErrors } from '../../framework/errors.ts';
import { type MessageHandler, type MessageRoute, messageRoute } from '../../framework/message.ts';
import * as wire from '../../proto/gen/cosmos/feegrant/v1beta1/tx.ts';
import { readAllowance, validateAllowance } from './allowance.ts';
import { pruned } from './events.ts';
import { alreadyExists, type FeeGrants, type Parties } from './keeper.ts';
import type { Allowance } from './types.ts';

/** Most allowances that one message removes. */
const PRUNED_BY_MESSAGE_MAX = 75;

/** What the messages work with. */
export interface FeegrantMessagePorts {
  readonly keeper: FeeGrants;
  readonly addresses: AddressCodec;
}

/** `cosmos.feegrant.v1beta1.Msg`. */
export function feegrantMessages(ports: FeegrantMessagePorts): readonly MessageRoute[] {
  return [
    messageRoute(msgGrantAllowance(ports)),
    messageRoute(msgRevokeAllowance(ports)),
    messageRoute(msgPruneAllowances(ports)),
  ];
}

interface GrantPlan {
  readonly parties: Parties;
  readonly allowance: Allowance;
}

function msgGrantAllowance({
  keeper,
  addresses,
}: FeegrantMessagePorts): MessageHandler<wire.MsgGrantAllowance, wire.MsgGrantAllowanceResponse, GrantPlan> {
  const plan = (message: wire.MsgGrantAllowance): GrantPlan => {
    if (message.grantee.toLowerCase() === message.granter.toLowerCase())
      throw new StateError(sdkErrors.invalidAddress, 'cannot self-grant fee authorization');
    const parties = readParties(addresses, message);
    const allowance = readAllowance(message.allowance);
    validateAllowance(allowance);
    return { parties, allowance };
  };
  return {
    type: wire.MsgGrantAllowance,
    response: wire.MsgGrantAllowanceResponse,
    signers: ({ granter }) => [granter],
    validate: (message) => void plan(message),
    check(context, message) {
      const planned = plan(message);
      if (keeper.find(context, planned.parties) !== undefined) throw alreadyExists();
      return planned;
    },
    execute(context, _, { parties, allowance }) {
      keeper.grant(context, parties, allowance);
      return {};
    },
  };
}

function msgRevokeAllowance({
  keeper,
  addresses,
}: FeegrantMessagePorts): MessageHandler<wire.MsgRevokeAllowance, wire.MsgRevokeAllowanceResponse, Parties> {
  const plan = (message: wire.MsgRevokeAllowance): Parties => {
    if (message.grantee === message.granter)
      throw new StateError(sdkErrors.invalidAddress, 'addresses must be different');
    return readParties(addresses, message);
  };
  return {
    type: wire.MsgRevokeAllowance,
    response: wire.MsgRevokeAllowanceResponse,
    signers: ({ granter }) => [granter],
    validate: (message) => void plan(message),
    check: (_, message) => plan(message),
    execute(context, _, parties) {
      keeper.revoke(context, parties);
      return {};
    },
  };
}

function msgPruneAllowances({
  keeper,
}: FeegrantMessagePorts): MessageHandler<
  wire.MsgPruneAllowances,
  wire.MsgPruneAllowancesResponse,
  undefined
> {
  return {
    type: wire.MsgPruneAllowances,
    response: wire.MsgPruneAllowancesResponse,
    signers: ({ pruner }) => [pruner],
    validate: () => undefined,
    check: () => undefined,
    execute(context, { pruner }) {
      keeper.prune(context, PRUNED_BY_MESSAGE_MAX);
      context.emit(pruned(pruner));
      return {};
    },
  };
}

function readParties(
  addresses: AddressCodec,
  named: { readonly granter: string; readonly grantee: string },
): Parties {
  return {
    grantee: addresses.toBytesBare(named.grantee),
    granter: addresses.toBytesBare(named.granter),
  };
}
