/** Messages that move coins and rights: bank, vesting, fee grants, authorizations, governance. */
import { GenericAuthorization } from '../../../proto/gen/cosmos/authz/v1beta1/authz.ts';
import * as authz from '../../../proto/gen/cosmos/authz/v1beta1/tx.ts';
import * as bank from '../../../proto/gen/cosmos/bank/v1beta1/tx.ts';
import { BasicAllowance } from '../../../proto/gen/cosmos/feegrant/v1beta1/feegrant.ts';
import * as feegrant from '../../../proto/gen/cosmos/feegrant/v1beta1/tx.ts';
import * as gov from '../../../proto/gen/cosmos/gov/v1/tx.ts';
import { TextProposal } from '../../../proto/gen/cosmos/gov/v1beta1/gov.ts';
import * as legacy from '../../../proto/gen/cosmos/gov/v1beta1/tx.ts';
import * as vesting from '../../../proto/gen/cosmos/vesting/v1beta1/tx.ts';
import type { Any } from '../../../proto/gen/google/protobuf/any.ts';
import { anyWith, caseOf, coin, type MessageCases } from './case.ts';
import type { MessageWorld } from './world.ts';

/** Enough for a vote to begin. */
const MIN_DEPOSIT = 1000;
const YES = 1;
const NO = 3;
const IN_A_YEAR_S = 31_536_000n;

/** A transfer of one unit to somebody else. */
export function send(world: MessageWorld, from: string): Any {
  const { account } = world.takeAccount();
  return anyWith(bank.MsgSend, { fromAddress: from, toAddress: account.address, amount: [coin(1)] });
}

function inAYear(world: MessageWorld): bigint {
  return world.block.time.seconds + IN_A_YEAR_S;
}

const TEXT = anyWith(TextProposal, { title: 'title', description: 'description' });

/** Proposes; with the whole deposit, a vote begins. @returns its number, and who proposed */
export function propose(
  world: MessageWorld,
  deposit: number = MIN_DEPOSIT,
): { readonly proposalId: bigint; readonly proposer: string } {
  const proposer = world.takeAccount().account.address;
  const { response } = world.run(proposal(proposer, deposit));
  return { proposalId: gov.MsgSubmitProposalResponse.decode(response).proposalId, proposer };
}

function proposal(proposer: string, deposit: number): Any {
  const initialDeposit = [coin(deposit)];
  return anyWith(gov.MsgSubmitProposal, {
    proposer,
    initialDeposit,
    metadata: 'text',
    title: 'title',
    summary: 'summary',
  });
}

const other = (world: MessageWorld): string => world.takeAccount().account.address;

function allowance(world: MessageWorld): { readonly message: Any; readonly pair: Pair } {
  const pair = { granter: other(world), grantee: other(world) };
  const basic = anyWith(BasicAllowance, { spendLimit: [coin(1_000_000)] });
  return { message: anyWith(feegrant.MsgGrantAllowance, { ...pair, allowance: basic }), pair };
}

interface Pair {
  readonly granter: string;
  readonly grantee: string;
}

function grant(world: MessageWorld): { readonly message: Any; readonly pair: Pair } {
  const pair = { granter: other(world), grantee: other(world) };
  const authorization = anyWith(GenericAuthorization, { msg: bank.MsgSend.typeUrl });
  const expiration = { seconds: inAYear(world), nanos: 0 };
  return { message: anyWith(authz.MsgGrant, { ...pair, grant: { authorization, expiration } }), pair };
}

/** See the file comment. */
export const ACCOUNT_CASES: MessageCases = {
  [bank.MsgSend.typeUrl]: { make: (world) => send(world, other(world)) },
  ...caseOf(bank.MsgMultiSend, (world) => ({
    inputs: [{ address: other(world), coins: [coin(2)] }],
    outputs: [0, 1].map(() => ({ address: other(world), coins: [coin(1)] })),
  })),
  ...caseOf(bank.MsgSetSendEnabled, ({ authority }, i) => ({
    authority,
    sendEnabled: [{ denom: `denom${i}`, enabled: i % 2 === 0 }],
  })),
  ...caseOf(vesting.MsgCreateVestingAccount, (world, i) => ({
    fromAddress: other(world),
    toAddress: world.stranger(`continuous ${i}`).address,
    amount: [coin(1000)],
    endTime: inAYear(world),
  })),
  ...caseOf(vesting.MsgCreatePermanentLockedAccount, (world, i) => ({
    fromAddress: other(world),
    toAddress: world.stranger(`locked ${i}`).address,
    amount: [coin(1000)],
  })),
  ...caseOf(vesting.MsgCreatePeriodicVestingAccount, (world, i) => ({
    fromAddress: other(world),
    toAddress: world.stranger(`periodic ${i}`).address,
    startTime: world.block.time.seconds,
    vestingPeriods: [1, 2, 3].map(() => ({ length: 100n, amount: [coin(1000)] })),
  })),
  [feegrant.MsgGrantAllowance.typeUrl]: { make: (world) => allowance(world).message },
  ...caseOf(feegrant.MsgRevokeAllowance, (world) => {
    const { message, pair } = allowance(world);
    world.run(message);
    return pair;
  }),
  ...caseOf(feegrant.MsgPruneAllowances, (world) => ({ pruner: other(world) })),
  [authz.MsgGrant.typeUrl]: { make: (world) => grant(world).message },
  ...caseOf(authz.MsgExec, (world) => {
    const { message, pair } = grant(world);
    world.run(message);
    return { grantee: pair.grantee, msgs: [send(world, pair.granter)] };
  }),
  ...caseOf(authz.MsgRevoke, (world) => {
    const { message, pair } = grant(world);
    world.run(message);
    return { ...pair, msgTypeUrl: bank.MsgSend.typeUrl };
  }),
  [gov.MsgSubmitProposal.typeUrl]: { make: (world) => proposal(other(world), MIN_DEPOSIT) },
  ...caseOf(gov.MsgVote, (world) => ({ ...votedOn(world), option: YES })),
  ...caseOf(gov.MsgVoteWeighted, (world) => ({ ...votedOn(world), options: halves })),
  ...caseOf(gov.MsgDeposit, (world) => ({
    proposalId: propose(world, MIN_DEPOSIT / 2).proposalId,
    depositor: other(world),
    amount: [coin(MIN_DEPOSIT / 2)],
  })),
  ...caseOf(gov.MsgCancelProposal, (world) => propose(world)),
  ...caseOf(gov.MsgExecLegacyContent, ({ authority }) => ({ authority, content: TEXT })),
  ...caseOf(legacy.MsgSubmitProposal, (world) => ({
    content: TEXT,
    proposer: other(world),
    initialDeposit: [coin(MIN_DEPOSIT)],
  })),
  ...caseOf(legacy.MsgVote, (world) => ({ ...votedOn(world), option: YES })),
  ...caseOf(legacy.MsgVoteWeighted, (world) => ({ ...votedOn(world), options: legacyHalves })),
  ...caseOf(legacy.MsgDeposit, (world) => ({
    proposalId: propose(world, MIN_DEPOSIT / 2).proposalId,
    depositor: other(world),
    amount: [coin(MIN_DEPOSIT / 2)],
  })),
};

const halves = [YES, NO].map((option) => ({ option, weight: '0.5' }));
/** Half, in parts of 10^-18, as the wire has it. */
const legacyHalves = [YES, NO].map((option) => ({ option, weight: `${5n * 10n ** 17n}` }));

function votedOn(world: MessageWorld): { readonly proposalId: bigint; readonly voter: string } {
  return { proposalId: propose(world).proposalId, voter: other(world) };
}
