import { compareInstants } from '../../core/time.ts';
import { moduleAddress } from '../../framework/address.ts';
import type { ReadContext } from '../../framework/context.ts';
import { StateError } from '../../framework/errors.ts';
import { type MessageHandler, type MessageRoute, messageRoute } from '../../framework/message.ts';
import { paramsMessage } from '../../framework/params-message.ts';
import { type Proposal, ProposalStatus } from '../../proto/gen/cosmos/gov/v1/gov.ts';
import * as wire from '../../proto/gen/cosmos/gov/v1/tx.ts';
import { chargeDeposits, type DepositPlan } from './deposits.ts';
import { govErrors, noSuchProposal } from './errors.ts';
import { cancelledProposal } from './events.ts';
import { CONTENT_ROUTES } from './legacy.ts';
import { validateParams } from './params.ts';
import { depositPhases, votePhases } from './phases.ts';
import type { GovCore } from './ports.ts';
import { deleteProposal, deleteVotes } from './proposals.ts';
import { STORE_NAME } from './state.ts';
import { accountOf, checkSubmit, planSubmit, submit, type SubmitPlan } from './submit.ts';
import { requireWhole, singleOption, type VoteOrder } from './votes.ts';

/** `cosmos.gov.v1.Msg`. */
export function govMessages(k: GovCore): readonly MessageRoute[] {
  return [
    messageRoute(msgSubmitProposal(k)),
    messageRoute(msgExecLegacyContent(k)),
    messageRoute(msgVote(k)),
    messageRoute(msgVoteWeighted(k)),
    messageRoute(msgDeposit(k)),
    messageRoute(msgCancelProposal(k)),
    paramsMessage(wire, {
      addresses: k.addresses,
      validate: (params) => validateParams(params, k.addresses),
      set: (context, params) => k.state.params.set(context, params),
    }),
  ];
}

function msgSubmitProposal(
  k: GovCore,
): MessageHandler<wire.MsgSubmitProposal, wire.MsgSubmitProposalResponse, SubmitPlan> {
  return {
    type: wire.MsgSubmitProposal,
    response: wire.MsgSubmitProposalResponse,
    signers: (message) => [message.proposer],
    validate: (message) => void planSubmit(k, message),
    check(context, message) {
      const plan = planSubmit(k, message);
      checkSubmit(k, context, plan);
      return plan;
    },
    execute: (context, _, plan) => ({ proposalId: submit(k, context, plan) }),
  };
}

/** Only a proposal can send it. */
function msgExecLegacyContent(
  k: GovCore,
): MessageHandler<wire.MsgExecLegacyContent, wire.MsgExecLegacyContentResponse, void> {
  return {
    type: wire.MsgExecLegacyContent,
    response: wire.MsgExecLegacyContentResponse,
    signers: (message) => [message.authority],
    validate: (message) => void accountOf(k, message.authority, 'authority'),
    check(_, { authority, content }) {
      const expected = k.addresses.toText(moduleAddress(STORE_NAME));
      if (authority !== expected)
        throw new StateError(govErrors.invalidSigner, `expected ${expected} got ${authority}`);
      CONTENT_ROUTES.require(content);
    },
    execute: () => ({}),
  };
}

function msgVote(k: GovCore): MessageHandler<wire.MsgVote, wire.MsgVoteResponse, VoteOrder> {
  return {
    type: wire.MsgVote,
    response: wire.MsgVoteResponse,
    signers: (message) => [message.voter],
    ...votePhases(k, ({ proposalId, voter, option, metadata }: wire.MsgVote) => ({
      proposalId,
      voter: accountOf(k, voter, 'voter'),
      options: singleOption(option),
      metadata,
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
    ...votePhases(k, ({ proposalId, voter, options, metadata }: wire.MsgVoteWeighted) => ({
      proposalId,
      voter: accountOf(k, voter, 'voter'),
      options: requireWhole(options),
      metadata,
    })),
  };
}

function msgDeposit(k: GovCore): MessageHandler<wire.MsgDeposit, wire.MsgDepositResponse, DepositPlan> {
  return {
    type: wire.MsgDeposit,
    response: wire.MsgDepositResponse,
    signers: (message) => [message.depositor],
    ...depositPhases(k),
  };
}

function msgCancelProposal(
  k: GovCore,
): MessageHandler<wire.MsgCancelProposal, wire.MsgCancelProposalResponse, Proposal> {
  return {
    type: wire.MsgCancelProposal,
    response: wire.MsgCancelProposalResponse,
    signers: (message) => [message.proposer],
    validate: (message) => void accountOf(k, message.proposer, 'proposer'),
    check: (context, message) => requireCancellable(k, context, message),
    execute(context, { proposalId, proposer }, proposal) {
      const { block } = context;
      chargeDeposits(k, context, proposalId, k.state.params.require(context));
      if (proposal.votingStartTime !== undefined) deleteVotes(k, context, proposalId);
      deleteProposal(k, context, proposal);
      context.emit(cancelledProposal(proposalId, proposer));
      return { proposalId, canceledTime: block.time, canceledHeight: block.height };
    },
  };
}

/** @throws StateError (undefined 1; gov 18, 20, 21) */
function requireCancellable(
  k: GovCore,
  context: ReadContext,
  { proposalId, proposer }: wire.MsgCancelProposal,
): Proposal {
  const proposal = k.state.proposals.get(context, proposalId);
  if (proposal === undefined) throw noSuchProposal(proposalId);
  if (proposal.proposer !== proposer.toLowerCase())
    throw new StateError(govErrors.invalidProposer, `invalid proposer ${proposer}`);
  const { status, votingEndTime } = proposal;
  if (
    status !== ProposalStatus.PROPOSAL_STATUS_DEPOSIT_PERIOD &&
    status !== ProposalStatus.PROPOSAL_STATUS_VOTING_PERIOD
  )
    throw new StateError(govErrors.invalidProposal, 'proposal should be in the deposit or voting period');
  if (votingEndTime !== undefined && compareInstants(votingEndTime, context.block.time) < 0)
    throw new StateError(
      govErrors.votingPeriodEnded,
      `voting period is already ended for this proposal ${proposalId}`,
    );
  return proposal;
}
