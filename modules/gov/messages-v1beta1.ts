/** The messages of before governance v1, which do what those of v1 do. */
import { Decimal } from '../../core/decimal.ts';
import { messageOf } from '../../core/errors.ts';
import { moduleAddress } from '../../framework/address.ts';
import { StateError } from '../../framework/errors.ts';
import { type MessageHandler, type MessageRoute, messageRoute } from '../../framework/message.ts';
import { MsgExecLegacyContent, type MsgSubmitProposal } from '../../proto/gen/cosmos/gov/v1/tx.ts';
import * as wire from '../../proto/gen/cosmos/gov/v1beta1/tx.ts';
import type { DepositPlan } from './deposits.ts';
import { govErrors } from './errors.ts';
import { textOf } from './legacy.ts';
import { depositPhases, votePhases } from './phases.ts';
import type { GovCore } from './ports.ts';
import { STORE_NAME } from './state.ts';
import { accountOf, checkSubmit, planSubmit, submit, type SubmitPlan } from './submit.ts';
import { requireWhole, singleOption, type VoteOrder } from './votes.ts';

/** `cosmos.gov.v1beta1.Msg`. */
export function legacyGovMessages(k: GovCore): readonly MessageRoute[] {
  return [
    messageRoute(msgSubmitProposal(k)),
    messageRoute(msgVote(k)),
    messageRoute(msgVoteWeighted(k)),
    messageRoute(msgDeposit(k)),
  ];
}

/** Proposes a message that carries the content out. Such a proposal is never expedited. */
function msgSubmitProposal(
  k: GovCore,
): MessageHandler<wire.MsgSubmitProposal, wire.MsgSubmitProposalResponse, SubmitPlan> {
  const authority = k.addresses.toText(moduleAddress(STORE_NAME));
  const plan = ({ content, initialDeposit, proposer }: wire.MsgSubmitProposal): SubmitPlan => {
    const { title, description: summary } = textOf(content);
    const value = MsgExecLegacyContent.encode({ content, authority });
    const messages = [{ typeUrl: MsgExecLegacyContent.typeUrl, value }];
    const message: MsgSubmitProposal = {
      messages,
      initialDeposit,
      proposer,
      metadata: '',
      title,
      summary,
      expedited: false,
    };
    return planSubmit(k, message);
  };
  return {
    type: wire.MsgSubmitProposal,
    response: wire.MsgSubmitProposalResponse,
    signers: (message) => [message.proposer],
    validate: (message) => void plan(message),
    check(context, message) {
      const planned = plan(message);
      checkSubmit(k, context, planned);
      return planned;
    },
    execute: (context, _, planned) => ({ proposalId: submit(k, context, planned) }),
  };
}

function msgVote(k: GovCore): MessageHandler<wire.MsgVote, wire.MsgVoteResponse, VoteOrder> {
  return {
    type: wire.MsgVote,
    response: wire.MsgVoteResponse,
    signers: (message) => [message.voter],
    ...votePhases(k, ({ proposalId, voter, option }: wire.MsgVote) => ({
      proposalId,
      voter: accountOf(k, voter, 'voter'),
      options: singleOption(option),
      metadata: '',
    })),
  };
}

function msgVoteWeighted(
  k: GovCore,
): MessageHandler<wire.MsgVoteWeighted, wire.MsgVoteWeightedResponse, VoteOrder> {
  return {
    type: wire.MsgVoteWeighted,
    response: wire.MsgVoteWeightedResponse,
    signers: (message) => [message.voter],
    ...votePhases(k, ({ proposalId, voter, options }: wire.MsgVoteWeighted) => ({
      proposalId,
      voter: accountOf(k, voter, 'voter'),
      options: requireWhole(
        options.map(({ option, weight }) => ({ option, weight: weightOf(weight).toString() })),
      ),
      metadata: '',
    })),
  };
}

function weightOf(wireText: string): Decimal {
  try {
    return Decimal.ofWire(wireText);
  } catch (error) {
    throw new StateError(govErrors.invalidVote, `invalid weight: ${messageOf(error)}`);
  }
}

function msgDeposit(k: GovCore): MessageHandler<wire.MsgDeposit, wire.MsgDepositResponse, DepositPlan> {
  return {
    type: wire.MsgDeposit,
    response: wire.MsgDepositResponse,
    signers: (message) => [message.depositor],
    ...depositPhases(k),
  };
}
