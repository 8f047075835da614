import * as authz from '../../../proto/gen/cosmos/authz/v1beta1/tx.ts';
import { GenericAuthorization } from '../../../proto/gen/cosmos/authz/v1beta1/authz.ts';
import { SendAuthorization } from '../../../proto/gen/cosmos/bank/v1beta1/authz.ts';
import { MsgSend } from '../../../proto/gen/cosmos/bank/v1beta1/tx.ts';
import {
  AllowedMsgAllowance,
  BasicAllowance,
  PeriodicAllowance,
} from '../../../proto/gen/cosmos/feegrant/v1beta1/feegrant.ts';
import * as feegrant from '../../../proto/gen/cosmos/feegrant/v1beta1/tx.ts';
import { MsgVote } from '../../../proto/gen/cosmos/gov/v1/tx.ts';
import { StakeAuthorization } from '../../../proto/gen/cosmos/staking/v1beta1/authz.ts';
import * as staking from '../../../proto/gen/cosmos/staking/v1beta1/tx.ts';
import type { Any } from '../../../proto/gen/google/protobuf/any.ts';
import type { Timestamp } from '../../../framework/context.ts';
import {
  actorAt,
  anyone,
  aValidator,
  coin,
  type Draft,
  later,
  type Operation,
  operation,
  packed,
  type World,
} from '../world.ts';

/** A moment in the future, mostly; none now and then. */
function anExpiry(world: World): Timestamp | undefined {
  return world.random.oneIn(4) ? undefined : later(world, world.random.between(-3, 300));
}

function anAllowance(world: World): Any {
  const { random } = world;
  const spendLimit = random.oneIn(3) ? [] : [coin(random.amount(100_000n))];
  const basic = { spendLimit, expiration: anExpiry(world) };
  switch (random.below(3)) {
    case 0:
      return packed(BasicAllowance, basic);
    case 1:
      return packed(AllowedMsgAllowance, {
        allowance: packed(BasicAllowance, basic),
        allowedMessages: [MsgSend.typeUrl, staking.MsgDelegate.typeUrl, MsgVote.typeUrl],
      });
    default: {
      const least = [coin(random.amount(20_000n))];
      return packed(PeriodicAllowance, {
        basic,
        period: { seconds: BigInt(random.between(1, 100)), nanos: 0 },
        periodSpendLimit: least,
        periodCanSpend: least,
        periodReset: later(world, random.between(0, 50)),
      });
    }
  }
}

const GENERIC = [
  MsgSend.typeUrl,
  MsgVote.typeUrl,
  staking.MsgDelegate.typeUrl,
  authz.MsgExec.typeUrl,
  authz.MsgGrant.typeUrl,
] as const;

function anAuthorization(world: World): Any {
  const { random } = world;
  switch (random.below(3)) {
    case 0:
      return packed(GenericAuthorization, { msg: random.pick(GENERIC) });
    case 1:
      return packed(SendAuthorization, {
        spendLimit: [coin(random.amount(1_000_000n))],
        allowList: random.oneIn(3) ? [anyone(world).address] : [],
      });
    default: {
      const list = { address: [aValidator(world), aValidator(world)] };
      const isAllowed = random.oneIn(2);
      return packed(StakeAuthorization, {
        maxTokens: random.oneIn(2) ? undefined : coin(random.amount(5_000_000n)),
        allowList: isAllowed ? list : undefined,
        denyList: isAllowed ? undefined : { address: [anyone(world).operator] },
        authorizationType: random.between(1, 4),
      });
    }
  }
}

const STAKE_MESSAGES = [
  staking.MsgDelegate.typeUrl,
  staking.MsgUndelegate.typeUrl,
  staking.MsgBeginRedelegate.typeUrl,
  staking.MsgCancelUnbondingDelegation.typeUrl,
] as const;

/** The message that an authorization is for. */
function typeUrlOf({ typeUrl, value }: Any): string {
  switch (typeUrl) {
    case GenericAuthorization.typeUrl:
      return GenericAuthorization.decode(value).msg;
    case StakeAuthorization.typeUrl:
      return STAKE_MESSAGES[StakeAuthorization.decode(value).authorizationType - 1] ?? '';
    default:
      return MsgSend.typeUrl;
  }
}

/** What a grantee does in the name of a granter. */
function grantedMessage(world: World, granter: string, authorization: Any): Any {
  const { random } = world;
  const amount = coin(random.amount(2_000n));
  const isStake = authorization.typeUrl === StakeAuthorization.typeUrl;
  const stake = isStake ? StakeAuthorization.decode(authorization.value) : undefined;
  const place = {
    delegatorAddress: granter,
    validatorAddress: stake?.allowList?.address[0] ?? aValidator(world),
    amount,
  };
  const typeUrl = typeUrlOf(authorization);
  switch (typeUrl) {
    case staking.MsgDelegate.typeUrl:
      return packed(staking.MsgDelegate, place);
    case staking.MsgUndelegate.typeUrl:
      return packed(staking.MsgUndelegate, place);
    case staking.MsgCancelUnbondingDelegation.typeUrl:
      return packed(staking.MsgCancelUnbondingDelegation, { ...place, creationHeight: world.height });
    case staking.MsgBeginRedelegate.typeUrl:
      return packed(staking.MsgBeginRedelegate, {
        delegatorAddress: granter,
        validatorSrcAddress: aValidator(world),
        validatorDstAddress: place.validatorAddress,
        amount,
      });
    case MsgVote.typeUrl:
      return packed(MsgVote, {
        proposalId: random.some(world.memory.proposals)?.id ?? 1n,
        voter: granter,
        option: random.between(1, 4),
        metadata: '',
      });
    default:
      return packed(MsgSend, { fromAddress: granter, toAddress: anyone(world).address, amount: [amount] });
  }
}

/** An execution, now and then inside another. */
function anExecution(world: World): Draft | undefined {
  const { random, memory } = world;
  const grant = random.some(memory.grants.slice(-10));
  const grantee = grant === undefined ? undefined : actorAt(world, grant.grantee);
  const authorization = grant?.grant.authorization;
  if (grant === undefined || grantee === undefined || authorization === undefined) return undefined;
  const inner = grantedMessage(world, grant.granter, authorization);
  const once = { grantee: grantee.address, msgs: random.oneIn(5) ? [inner, inner] : [inner] };
  const nested = random.oneIn(5) ? { ...once, msgs: [packed(authz.MsgExec, once)] } : once;
  return { signers: [grantee], messages: [packed(authz.MsgExec, nested)] };
}

/** Fee allowances and authorizations. */
export const grantOperations: readonly Operation[] = [
  operation(feegrant.MsgGrantAllowance, 16, (world, signer) => ({
    granter: signer.address,
    grantee: anyone(world).address,
    allowance: anAllowance(world),
  })),
  {
    name: feegrant.MsgRevokeAllowance.name,
    weight: 6,
    draft(world) {
      const { granter, grantee } = world.random.some(world.memory.allowances) ?? { granter: '', grantee: '' };
      const signer = actorAt(world, granter);
      if (signer === undefined) return undefined;
      return { signers: [signer], messages: [packed(feegrant.MsgRevokeAllowance, { granter, grantee })] };
    },
  },
  operation(feegrant.MsgPruneAllowances, 4, (_, { address: pruner }) => ({ pruner })),
  operation(authz.MsgGrant, 22, (world, signer) => ({
    granter: signer.address,
    grantee: anyone(world).address,
    grant: { authorization: anAuthorization(world), expiration: anExpiry(world) },
  })),
  { name: authz.MsgExec.name, weight: 25, draft: anExecution },
  {
    name: authz.MsgRevoke.name,
    weight: 6,
    draft(world) {
      const grant = world.random.some(world.memory.grants);
      const signer = grant === undefined ? undefined : actorAt(world, grant.granter);
      if (grant === undefined || signer === undefined) return undefined;
      const { granter, grantee } = grant;
      const authorization = grant.grant.authorization;
      const msgTypeUrl = authorization === undefined ? '' : typeUrlOf(authorization);
      return { signers: [signer], messages: [packed(authz.MsgRevoke, { granter, grantee, msgTypeUrl })] };
    },
  },
];
