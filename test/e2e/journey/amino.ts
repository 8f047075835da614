/**
 * Amino JSON that CosmJS leaves to its users (its converters of authz and feegrant are empty, of vesting it
 * has one): as wallets with hardware keys show it, names and fields of SDK v0.50's `amino.name` and `json`
 * options.
 */
import type { AminoMsg } from '@cosmjs/amino';
import type { EncodeObject, GeneratedType, Registry } from '@cosmjs/proto-signing';
import type { AminoConverters, AminoTypes } from '@cosmjs/stargate';
import { SendAuthorization } from 'cosmjs-types/cosmos/bank/v1beta1/authz';
import type { Coin } from 'cosmjs-types/cosmos/base/v1beta1/coin';
import { GenericAuthorization } from 'cosmjs-types/cosmos/authz/v1beta1/authz';
import type { MsgExec, MsgGrant, MsgRevoke } from 'cosmjs-types/cosmos/authz/v1beta1/tx';
import { BasicAllowance } from 'cosmjs-types/cosmos/feegrant/v1beta1/feegrant';
import type { MsgGrantAllowance, MsgRevokeAllowance } from 'cosmjs-types/cosmos/feegrant/v1beta1/tx';
import {
  MsgCreatePeriodicVestingAccount,
  MsgCreatePermanentLockedAccount,
} from 'cosmjs-types/cosmos/vesting/v1beta1/tx';
import type { Any } from 'cosmjs-types/google/protobuf/any';
import { Timestamp } from 'cosmjs-types/google/protobuf/timestamp';

const MS = 1000;

/** Messages of vesting that the default registry of CosmJS does not know. */
export const vestingTypes: readonly [string, GeneratedType][] = [
  ['/cosmos.vesting.v1beta1.MsgCreatePermanentLockedAccount', MsgCreatePermanentLockedAccount],
  ['/cosmos.vesting.v1beta1.MsgCreatePeriodicVestingAccount', MsgCreatePeriodicVestingAccount],
];

interface GrantJson {
  readonly authorization: AminoMsg;
  readonly expiration?: string;
}

/** Of authorizations: generic ones and those to send. */
export function authzConverters(registry: Registry, inner: AminoTypes): AminoConverters {
  return {
    '/cosmos.authz.v1beta1.MsgGrant': {
      aminoType: 'cosmos-sdk/MsgGrant',
      toAmino: ({ granter, grantee, grant }: MsgGrant) => ({
        granter,
        grantee,
        grant: { authorization: authorizationJson(grant.authorization), ...expirationJson(grant.expiration) },
      }),
      fromAmino: ({ granter, grantee, grant }: { granter: string; grantee: string; grant: GrantJson }) => ({
        granter,
        grantee,
        grant: { authorization: authorizationOf(grant.authorization), ...expirationOf(grant) },
      }),
    },
    '/cosmos.authz.v1beta1.MsgRevoke': {
      aminoType: 'cosmos-sdk/MsgRevoke',
      toAmino: ({ granter, grantee, msgTypeUrl }: MsgRevoke) => ({
        granter,
        grantee,
        msg_type_url: msgTypeUrl,
      }),
      fromAmino: (json: { granter: string; grantee: string; msg_type_url: string }) => ({
        granter: json.granter,
        grantee: json.grantee,
        msgTypeUrl: json.msg_type_url,
      }),
    },
    '/cosmos.authz.v1beta1.MsgExec': {
      aminoType: 'cosmos-sdk/MsgExec',
      toAmino: ({ grantee, msgs }: MsgExec) => ({
        grantee,
        msgs: msgs.map((any) => inner.toAmino({ typeUrl: any.typeUrl, value: registry.decode(any) })),
      }),
      fromAmino: ({ grantee, msgs }: { grantee: string; msgs: AminoMsg[] }) => ({
        grantee,
        msgs: msgs.map((each) => registry.encodeAsAny(inner.fromAmino(each))),
      }),
    },
  };
}

function authorizationJson(any: Any | undefined): AminoMsg {
  if (any?.typeUrl === SendAuthorization.typeUrl) {
    const { spendLimit } = SendAuthorization.decode(any.value);
    return { type: 'cosmos-sdk/SendAuthorization', value: { spend_limit: spendLimit } };
  }
  const { msg } = GenericAuthorization.decode(any?.value ?? new Uint8Array());
  return { type: 'cosmos-sdk/GenericAuthorization', value: { msg } };
}

function authorizationOf({ type, value }: AminoMsg): Any {
  if (type === 'cosmos-sdk/SendAuthorization') {
    return anyOf(SendAuthorization, { spendLimit: value['spend_limit'] });
  }
  return anyOf(GenericAuthorization, { msg: value['msg'] });
}

interface AllowanceJson extends AminoMsg {
  readonly value: { readonly spend_limit: readonly Coin[]; readonly expiration?: string };
}

/** Of fee allowances: basic ones. */
export const feegrantConverters: AminoConverters = {
  '/cosmos.feegrant.v1beta1.MsgGrantAllowance': {
    aminoType: 'cosmos-sdk/MsgGrantAllowance',
    toAmino: ({ granter, grantee, allowance }: MsgGrantAllowance) => {
      const { spendLimit, expiration } = BasicAllowance.decode(allowance?.value ?? new Uint8Array());
      const value = { spend_limit: spendLimit, ...expirationJson(expiration) };
      return { granter, grantee, allowance: { type: 'cosmos-sdk/BasicAllowance', value } };
    },
    fromAmino: (json: { granter: string; grantee: string; allowance: AllowanceJson }) => {
      const { value } = json.allowance;
      const allowance = anyOf(BasicAllowance, { spendLimit: value.spend_limit, ...expirationOf(value) });
      return { granter: json.granter, grantee: json.grantee, allowance };
    },
  },
  '/cosmos.feegrant.v1beta1.MsgRevokeAllowance': {
    aminoType: 'cosmos-sdk/MsgRevokeAllowance',
    toAmino: ({ granter, grantee }: MsgRevokeAllowance) => ({ granter, grantee }),
    fromAmino: ({ granter, grantee }: MsgRevokeAllowance) => ({ granter, grantee }),
  },
};

interface PeriodicJson {
  readonly from_address: string;
  readonly to_address: string;
  readonly start_time: string;
  readonly vesting_periods: readonly { readonly length: string; readonly amount: readonly Coin[] }[];
}

/** Of vesting accounts that are locked for ever, and of those that are freed by periods. */
export const vestingConverters: AminoConverters = {
  '/cosmos.vesting.v1beta1.MsgCreatePermanentLockedAccount': {
    aminoType: 'cosmos-sdk/MsgCreatePermLockedAccount',
    toAmino: ({ fromAddress, toAddress, amount }: MsgCreatePermanentLockedAccount) => ({
      from_address: fromAddress,
      to_address: toAddress,
      amount,
    }),
    fromAmino: (json: { from_address: string; to_address: string; amount: Coin[] }) => ({
      fromAddress: json.from_address,
      toAddress: json.to_address,
      amount: json.amount,
    }),
  },
  '/cosmos.vesting.v1beta1.MsgCreatePeriodicVestingAccount': {
    aminoType: 'cosmos-sdk/MsgCreatePeriodVestAccount',
    toAmino: (message: MsgCreatePeriodicVestingAccount) => ({
      from_address: message.fromAddress,
      to_address: message.toAddress,
      start_time: message.startTime.toString(),
      vesting_periods: message.vestingPeriods.map(({ length, amount }) => ({
        length: length.toString(),
        amount,
      })),
    }),
    fromAmino: (json: PeriodicJson) => ({
      fromAddress: json.from_address,
      toAddress: json.to_address,
      startTime: BigInt(json.start_time),
      vestingPeriods: json.vesting_periods.map(({ length, amount }) => ({ length: BigInt(length), amount })),
    }),
  },
};

interface Codec<T> {
  readonly typeUrl: string;
  fromPartial(value: EncodeObject['value']): T;
  encode(value: T): { finish(): Uint8Array };
}

/** A message in an `Any`. */
export function anyOf<T>(type: Codec<T>, value: EncodeObject['value']): Any {
  return { typeUrl: type.typeUrl, value: type.encode(type.fromPartial(value)).finish() };
}

/** A moment in whole seconds. */
export function timestampOf(ms: number): Timestamp {
  return Timestamp.fromPartial({ seconds: BigInt(Math.floor(ms / MS)) });
}

function expirationJson(at: Timestamp | undefined): { readonly expiration?: string } {
  if (at === undefined) return {};
  return { expiration: new Date(Number(at.seconds) * MS).toISOString().replace('.000Z', 'Z') };
}

function expirationOf({ expiration }: { readonly expiration?: string }): { readonly expiration?: Timestamp } {
  return expiration === undefined ? {} : { expiration: timestampOf(Date.parse(expiration)) };
}
