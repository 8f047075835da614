/** Records of proposals and their place in the queues. After x/gov `keeper/proposal.go`. */
import { defined } from '../../core/errors.ts';
import { addDuration } from '../../core/time.ts';
import type { Context, Timestamp } from '../../framework/context.ts';
import { type Proposal, ProposalStatus } from '../../proto/gen/cosmos/gov/v1/gov.ts';
import type { Any } from '../../proto/gen/google/protobuf/any.ts';
import { submittedProposal } from './events.ts';
import type { GovCore } from './ports.ts';
import { byProposalKey } from './state.ts';
import { EMPTY_TALLY } from './tally.ts';

const IN_VOTING = Uint8Array.of(1);

/** What somebody proposes. */
export interface ProposalDraft {
  readonly messages: readonly Any[];
  readonly metadata: string;
  readonly title: string;
  readonly summary: string;
  /** As text. */
  readonly proposer: string;
  readonly expedited: boolean;
}

/** Begins a proposal: its deposit period. */
export function createProposal(k: GovCore, context: Context, draft: ProposalDraft): Proposal {
  const id = k.state.proposalId.next(context);
  const { maxDepositPeriod } = k.state.params.require(context);
  const submitTime = context.block.time;
  const depositEndTime = addDuration(submitTime, defined(maxDepositPeriod, 'deposit period'));
  const proposal: Proposal = {
    ...draft,
    id,
    status: ProposalStatus.PROPOSAL_STATUS_DEPOSIT_PERIOD,
    finalTallyResult: EMPTY_TALLY,
    submitTime,
    depositEndTime,
    totalDeposit: [],
    votingStartTime: undefined,
    votingEndTime: undefined,
    failedReason: '',
  };
  setProposal(k, context, proposal);
  k.state.inactiveQueue.set(context, [depositEndTime, id], id);
  context.emit(
    submittedProposal(
      id,
      draft.proposer,
      draft.messages.map(({ typeUrl }) => typeUrl),
    ),
  );
  return proposal;
}

/** Writes the record, and whether it is voted on. */
export function setProposal(k: GovCore, context: Context, proposal: Proposal): void {
  const { id, status } = proposal;
  if (status === ProposalStatus.PROPOSAL_STATUS_VOTING_PERIOD)
    k.state.votingPeriod.set(context, id, IN_VOTING);
  else k.state.votingPeriod.remove(context, id);
  k.state.proposals.set(context, id, proposal);
}

/** Forgets a proposal with its places in the queues. */
export function deleteProposal(k: GovCore, context: Context, proposal: Proposal): void {
  const { id, depositEndTime, votingEndTime } = proposal;
  if (depositEndTime !== undefined) k.state.inactiveQueue.remove(context, [depositEndTime, id]);
  if (votingEndTime !== undefined) {
    k.state.activeQueue.remove(context, [votingEndTime, id]);
    k.state.votingPeriod.remove(context, id);
  }
  k.state.proposals.remove(context, id);
}

/** Voting on a proposal begins. */
export function activateVoting(k: GovCore, context: Context, proposal: Proposal): void {
  const params = k.state.params.require(context);
  const period = proposal.expedited ? params.expeditedVotingPeriod : params.votingPeriod;
  const votingStartTime = context.block.time;
  const votingEndTime = addDuration(votingStartTime, defined(period, 'voting period'));
  const status = ProposalStatus.PROPOSAL_STATUS_VOTING_PERIOD;
  setProposal(k, context, { ...proposal, votingStartTime, votingEndTime, status });
  k.state.inactiveQueue.remove(context, [endOf(proposal.depositEndTime), proposal.id]);
  k.state.activeQueue.set(context, [votingEndTime, proposal.id], proposal.id);
}

/** When a period ends that has begun. */
export function endOf(time: Timestamp | undefined): Timestamp {
  return defined(time, 'end of a period');
}

/** Forgets all votes on a proposal. @returns how many there were */
export function deleteVotes(k: GovCore, context: Context, proposalId: bigint): number {
  const votes = [...k.state.votes.iterate(context, { prefix: byProposalKey.prefix(proposalId) })];
  for (const [key] of votes) k.state.votes.remove(context, key);
  return votes.length;
}
