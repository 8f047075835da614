/**
 * Which rule of the algorithm fires next. The driver asks after every change and carries the answer out,
 * until there is none: so a rule fires whichever of its conditions comes last, and the order in which rules
 * are tried makes the outcome a function of what is known.
 *
 * 1. decide (line 49), from any round;
 * 2. skip to a later round (line 55), before anything is done in a round that is over;
 * 3. enter the round (line 11);
 * 4. the rules of the step (lines 22, 28 | 36, 44, 34 | 36);
 * 5. schedule the precommit timeout (line 47).
 *
 * The value of line 36 need not be known from this round's proposal: +2/3 prevoted it, so it was proposed.
 */
import type { RoundInput } from '../round/input.ts';
import type { RoundState } from '../round/state.ts';
import { isNilBlockId } from '../types/block-id.ts';
import { NO_ROUND, type Proposal } from '../types/proposal.ts';
import type { VoteKeeper } from '../votes/keeper.ts';
import type { Values } from './values.ts';

/** What is known in a height. */
export interface Known {
  readonly round: RoundState;
  readonly votes: VoteKeeper;
  readonly values: Values;
  /** The proposal of the current round. */
  readonly proposal: Proposal | undefined;
  /** Whether the current round is ours to propose in. */
  readonly isProposer: boolean;
}

/** The next rule to fire; undefined when all is done that can be. */
export function nextRoundInput(known: Known): RoundInput | undefined {
  const { round, votes } = known;
  if (round.step === 'commit') return undefined;
  const decision = decisionOf(known);
  if (decision !== undefined) return decision;
  const later = votes.roundToSkipTo(round.round);
  if (later !== undefined) return { kind: 'skipRound', round: later };
  return stepInput(known) ?? precommitAny(known);
}

function stepInput(known: Known): RoundInput | undefined {
  switch (known.round.step) {
    case 'newRound':
      return { kind: 'newRound', isProposer: known.isProposer };
    case 'propose':
      return proposalInput(known);
    case 'prevote':
      return polkaValue(known) ?? polkaNil(known) ?? polkaAny(known);
    case 'precommit':
      return polkaValue(known);
    case 'commit':
      return undefined;
  }
}

/** Line 49: a value that the application alone refused is followed, an invalid one never. */
function decisionOf({ votes, values }: Known): RoundInput | undefined {
  for (const { round, blockId } of votes.precommitMajorities()) {
    const status = values.status(blockId);
    if (status === 'accepted' || status === 'rejected') return { kind: 'precommitValue', round, blockId };
  }
  return undefined;
}

/** Lines 22 and 28. A proposal that is kept has its proof of lock in an earlier round. */
function proposalInput({ votes, values, proposal }: Known): RoundInput | undefined {
  if (proposal === undefined) return undefined;
  const { blockId, polRound } = proposal;
  const status = values.status(blockId);
  if (status === undefined || status === 'pending') return undefined;
  const valid = status === 'accepted';
  if (polRound === NO_ROUND) return { kind: 'proposal', blockId, valid };
  const polka = votes.tally(polRound, 'prevote')?.hasMajorityFor(blockId) === true;
  return polka ? { kind: 'proposalAndPolkaPrevious', blockId, polRound, valid } : undefined;
}

/** Line 36. */
function polkaValue({ round, votes, values }: Known): RoundInput | undefined {
  const blockId = votes.tally(round.round, 'prevote')?.majority;
  if (round.polkaFollowed || blockId === undefined || isNilBlockId(blockId)) return undefined;
  return values.status(blockId) === 'accepted' ? { kind: 'polkaValue', blockId } : undefined;
}

/** Line 44. */
function polkaNil({ round, votes }: Known): RoundInput | undefined {
  const blockId = votes.tally(round.round, 'prevote')?.majority;
  return blockId !== undefined && isNilBlockId(blockId) ? { kind: 'polkaNil' } : undefined;
}

/** Line 34. */
function polkaAny({ round, votes }: Known): RoundInput | undefined {
  if (round.prevoteTimeoutScheduled) return undefined;
  return votes.tally(round.round, 'prevote')?.hasTwoThirdsAny() === true ? { kind: 'polkaAny' } : undefined;
}

/** Line 47. */
function precommitAny({ round, votes }: Known): RoundInput | undefined {
  if (round.precommitTimeoutScheduled) return undefined;
  return votes.tally(round.round, 'precommit')?.hasTwoThirdsAny() === true
    ? { kind: 'precommitAny' }
    : undefined;
}
