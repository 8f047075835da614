import type { AddressCodec } from '../../framework/address.ts';
import type { BoundAuthorization } from '../../framework/authorization.ts';
import { StateError, sdkErrors, wrapError } from '../../framework/errors.ts';
import {
  type BoundMessage,
  type MessageHandler,
  type MessageRoute,
  type MessageRouter,
  messageRoute,
} from '../../framework/message.ts';
import * as wire from '../../proto/gen/cosmos/authz/v1beta1/tx.ts';
import { dispatch } from './dispatch.ts';
import { authzErrors } from './errors.ts';
import type { Grants } from './keeper.ts';
import type { GrantPlace, Parties } from './types.ts';

/** What the messages work with. */
export interface AuthzMessagePorts {
  readonly grants: Grants;
  readonly addresses: AddressCodec;
  readonly router: () => MessageRouter;
}

/** `cosmos.authz.v1beta1.Msg`. */
export function authzMessages(ports: AuthzMessagePorts): readonly MessageRoute[] {
  return [messageRoute(msgGrant(ports)), messageRoute(msgExec(ports)), messageRoute(msgRevoke(ports))];
}

interface GrantPlan {
  readonly parties: Parties;
  readonly authorization: BoundAuthorization;
}

function msgGrant(ports: AuthzMessagePorts): MessageHandler<wire.MsgGrant, wire.MsgGrantResponse, GrantPlan> {
  const { grants, addresses, router } = ports;
  const plan = (message: wire.MsgGrant): GrantPlan => {
    const parties = readParties(addresses, message);
    const authorization = grants.authorizations.bind(message.grant.authorization);
    authorization.validate();
    if (router().find(authorization.messageTypeUrl) === undefined)
      throw new StateError(sdkErrors.invalidType, `${authorization.messageTypeUrl} doesn't exist.`);
    return { parties, authorization };
  };
  return {
    type: wire.MsgGrant,
    response: wire.MsgGrantResponse,
    signers: ({ granter }) => [granter],
    validate: (message) => void plan(message),
    check: (_, message) => plan(message),
    execute(context, { grant }, { parties, authorization }) {
      grants.ensureAccount(context, parties.grantee);
      grants.save(context, parties, { authorization, expiration: grant.expiration });
      return {};
    },
  };
}

interface ExecPlan {
  readonly grantee: Uint8Array;
  readonly messages: readonly BoundMessage[];
}

/**
 * How deep executions may lie in each other is bounded by the decoding of the transaction (`ANY_DEPTH_MAX`),
 * as is their number.
 */
function msgExec(ports: AuthzMessagePorts): MessageHandler<wire.MsgExec, wire.MsgExecResponse, ExecPlan> {
  const { grants, addresses, router } = ports;
  const granteeOf = ({ grantee, msgs }: wire.MsgExec): Uint8Array => {
    const address = readAddress(addresses, grantee, 'grantee');
    if (msgs.length === 0) throw new StateError(sdkErrors.invalidRequest, 'messages cannot be empty');
    return address;
  };
  return {
    type: wire.MsgExec,
    response: wire.MsgExecResponse,
    signers: ({ grantee }) => [grantee],
    validate: (message) => void granteeOf(message),
    check(_, message) {
      const grantee = granteeOf(message);
      const messages = message.msgs.map(({ typeUrl, value }) =>
        router().require(typeUrl).bind(value, addresses),
      );
      return { grantee, messages };
    },
    execute: (context, _, planned) => ({ results: dispatch(context, grants, planned) }),
  };
}

function msgRevoke(
  ports: AuthzMessagePorts,
): MessageHandler<wire.MsgRevoke, wire.MsgRevokeResponse, GrantPlace> {
  const { grants, addresses } = ports;
  const plan = (message: wire.MsgRevoke): GrantPlace => {
    const parties = readParties(addresses, message);
    if (message.msgTypeUrl === '') throw new StateError(sdkErrors.invalidRequest, 'missing msg method name');
    return { ...parties, typeUrl: message.msgTypeUrl };
  };
  return {
    type: wire.MsgRevoke,
    response: wire.MsgRevokeResponse,
    signers: ({ granter }) => [granter],
    validate: (message) => void plan(message),
    check: (_, message) => plan(message),
    execute(context, _, place) {
      grants.remove(context, place);
      return {};
    },
  };
}

function readParties(
  addresses: AddressCodec,
  { granter, grantee }: { readonly granter: string; readonly grantee: string },
): Parties {
  if (grantee.toLowerCase() === granter.toLowerCase()) throw new StateError(authzErrors.granteeIsGranter);
  return {
    grantee: readAddress(addresses, grantee, 'grantee'),
    granter: readAddress(addresses, granter, 'granter'),
  };
}

function readAddress(addresses: AddressCodec, text: string, whose: string): Uint8Array {
  try {
    return addresses.toBytes(text);
  } catch (error) {
    throw wrapError(error, `invalid ${whose} address`);
  }
}
