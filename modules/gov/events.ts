/** Events of governance: types, attributes and their order as x/gov has them. */
import { type Coins, coinsToString } from '../../framework/coins.ts';
import { type Event, event } from '../../framework/events.ts';
import { canonicalJson } from '../../framework/json.ts';
import type { WeightedVoteOption } from '../../proto/gen/cosmos/gov/v1/gov.ts';

/** What became of a proposal whose period is over. */
export type ProposalResult =
  | 'proposal_dropped'
  | 'proposal_passed'
  | 'proposal_rejected'
  | 'proposal_failed'
  | 'expedited_proposal_rejected';

/** A proposal began. */
export function submittedProposal(id: bigint, proposer: string, typeUrls: readonly string[]): Event {
  return event('submit_proposal', {
    proposal_id: id.toString(),
    proposal_proposer: proposer,
    proposal_messages: typeUrls.map((typeUrl) => `,${typeUrl}`).join(''),
  });
}

/** Voting began with a proposal's own deposit, or with another. */
export function votingStarted(type: 'submit_proposal' | 'proposal_deposit', id: bigint): Event {
  return event(type, { voting_period_start: id.toString() });
}

/** Somebody deposited. */
export function deposited(id: bigint, depositor: string, coins: Coins): Event {
  return event('proposal_deposit', {
    depositor,
    amount: coinsToString(coins),
    proposal_id: id.toString(),
  });
}

/** Somebody voted. */
export function voted(id: bigint, voter: string, options: readonly WeightedVoteOption[]): Event {
  // As Go writes them: in the order of their fields.
  const texts = options.map(({ option, weight }) => `{"option":${option},"weight":${canonicalJson(weight)}}`);
  return event('proposal_vote', {
    voter,
    option: `[${texts.join(',')}]`,
    proposal_id: id.toString(),
  });
}

/** Its proposer took a proposal back. */
export function cancelledProposal(id: bigint, sender: string): Event {
  return event('cancel_proposal', { sender, proposal_id: id.toString() });
}

/** A proposal did not get its deposit in time. */
export function droppedProposal(id: bigint): Event {
  return event('inactive_proposal', { proposal_id: id.toString(), proposal_result: 'proposal_dropped' });
}

/** The votes on a proposal were counted. */
export function talliedProposal(id: bigint, result: ProposalResult, log: string): Event {
  return event('active_proposal', {
    proposal_id: id.toString(),
    proposal_result: result,
    proposal_log: log,
  });
}
