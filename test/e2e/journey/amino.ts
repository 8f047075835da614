/**
 * Amino JSON that CosmJS leaves to its users (its converters of authz and feegrant are empty, of vesting it
 * has one, of governance those of v1beta1): as wallets with hardware keys show it, names and fields of SDK v0.50's `amino.name` and `json`
 * options.
 */
import type { AminoMsg } from '@cosmjs/amino';
import type { EncodeObject, GeneratedType, Registry } from '@cosmjs/proto-signing';
import type { AminoConverters, AminoTypes } from '@cosmjs/stargate';
import { SendAuthorization } from 'cosmjs-types/cosmos/bank/v1beta1/authz';
import type { Coin } from 'cosmjs-types/cosmos/base/v1beta1/coin';
import { GenericAuthorization } from 'cosmjs-types/cosmos/authz/v1beta1/authz';
import type { MsgExec, MsgGrant, MsgRevoke } from 'cosmjs-types/cosmos/authz/v1beta1/tx';
import { MsgCommunityPoolSpend } from 'cosmjs-types/cosmos/distribution/v1beta1/tx';
import { BasicAllowance } from 'cosmjs-types/cosmos/feegrant/v1beta1/feegrant';
import type { MsgGrantAllowance, MsgRevokeAllowance } from 'cosmjs-types/cosmos/feegrant/v1beta1/tx';
import type { MsgDeposit, MsgSubmitProposal, MsgVote, MsgVoteWeighted } from 'cosmjs-types/cosmos/gov/v1/tx';
import {
  MsgCreatePeriodicVestingAccount,
  MsgCreatePermanentLockedAccount,
  type MsgCreateVestingAccount,
} from 'cosmjs-types/cosmos/vesting/v1beta1/tx';
import type { Any } from 'cosmjs-types/google/protobuf/any';
import { Timestamp } from 'cosmjs-types/google/protobuf/timestamp';

const MS = 1000;

/** Messages that the default registry of CosmJS does not know. */
export const furtherTypes: readonly [string, GeneratedType][] = [
  [MsgCommunityPoolSpend.typeUrl, MsgCommunityPoolSpend],
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

interface VestingJson {
  readonly from_address: string;
  readonly to_address: string;
  readonly amount: readonly Coin[];
  readonly end_time: string;
  readonly delayed?: true;
}

/** Of all vesting accounts: CosmJS writes `"delayed": false`, which the SDK leaves out. */
export const vestingConverters: AminoConverters = {
  '/cosmos.vesting.v1beta1.MsgCreateVestingAccount': {
    aminoType: 'cosmos-sdk/MsgCreateVestingAccount',
    toAmino: ({ fromAddress, toAddress, amount, endTime, delayed }: MsgCreateVestingAccount) => ({
      from_address: fromAddress,
      to_address: toAddress,
      amount,
      end_time: endTime.toString(),
      ...(delayed ? { delayed } : {}),
    }),
    fromAmino: (json: VestingJson) => ({
      fromAddress: json.from_address,
      toAddress: json.to_address,
      amount: json.amount,
      endTime: BigInt(json.end_time),
      delayed: json.delayed ?? false,
    }),
  },
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

/** Of what governance pays. */
export const distributionConverters: AminoConverters = {
  '/cosmos.distribution.v1beta1.MsgCommunityPoolSpend': {
    aminoType: 'cosmos-sdk/distr/MsgCommunityPoolSpend',
    toAmino: (message: MsgCommunityPoolSpend) => message,
    fromAmino: (json: MsgCommunityPoolSpend) => json,
  },
};

interface SubmissionJson {
  readonly messages: readonly AminoMsg[];
  readonly initial_deposit: readonly Coin[];
  readonly proposer: string;
  readonly metadata?: string;
  readonly title?: string;
  readonly summary?: string;
  readonly expedited?: true;
}

interface VoteJson {
  readonly proposal_id: string;
  readonly voter: string;
  readonly metadata?: string;
}

const metadataJson = ({ metadata }: { readonly metadata: string }): { readonly metadata?: string } =>
  metadata === '' ? {} : { metadata };

/** Of governance, `v1`: the messages in a proposal stand in their own amino JSON. */
export function govConverters(registry: Registry, inner: AminoTypes): AminoConverters {
  return {
    '/cosmos.gov.v1.MsgSubmitProposal': {
      aminoType: 'cosmos-sdk/v1/MsgSubmitProposal',
      toAmino: ({ messages, initialDeposit, proposer, title, summary, ...rest }: MsgSubmitProposal) => ({
        messages: messages.map((any) => inner.toAmino({ typeUrl: any.typeUrl, value: registry.decode(any) })),
        initial_deposit: initialDeposit,
        proposer,
        ...metadataJson(rest),
        title,
        summary,
        ...(rest.expedited ? { expedited: true } : {}),
      }),
      fromAmino: ({ messages, initial_deposit, ...json }: SubmissionJson) => ({
        messages: messages.map((each) => registry.encodeAsAny(inner.fromAmino(each))),
        initialDeposit: initial_deposit,
        ...{ metadata: '', title: '', summary: '', expedited: false, ...json },
      }),
    },
    '/cosmos.gov.v1.MsgDeposit': {
      aminoType: 'cosmos-sdk/v1/MsgDeposit',
      toAmino: ({ proposalId, depositor, amount }: MsgDeposit) => ({
        proposal_id: proposalId.toString(),
        depositor,
        amount,
      }),
      fromAmino: (json: { proposal_id: string; depositor: string; amount: Coin[] }) => ({
        proposalId: BigInt(json.proposal_id),
        depositor: json.depositor,
        amount: json.amount,
      }),
    },
    '/cosmos.gov.v1.MsgVote': {
      aminoType: 'cosmos-sdk/v1/MsgVote',
      toAmino: ({ proposalId, voter, option, metadata }: MsgVote) => ({
        proposal_id: proposalId.toString(),
        voter,
        option,
        ...metadataJson({ metadata }),
      }),
      fromAmino: ({ proposal_id, ...json }: VoteJson & { option: number }) => ({
        proposalId: BigInt(proposal_id),
        metadata: '',
        ...json,
      }),
    },
    '/cosmos.gov.v1.MsgVoteWeighted': {
      aminoType: 'cosmos-sdk/v1/MsgVoteWeighted',
      toAmino: ({ proposalId, voter, options, metadata }: MsgVoteWeighted) => ({
        proposal_id: proposalId.toString(),
        voter,
        options,
        ...metadataJson({ metadata }),
      }),
      fromAmino: ({ proposal_id, ...json }: VoteJson & { options: MsgVoteWeighted['options'] }) => ({
        proposalId: BigInt(proposal_id),
        metadata: '',
        ...json,
      }),
    },
  };
}

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
