/** What to tell and send, read off the consensus state. Pure functions. */
import { type BitArray, bitArray, setBits } from '../../consensus/types/bit-array.ts';
import type { PartSetHeader } from '../../consensus/types/block-id.ts';
import { commitVote, type Commit } from '../../consensus/types/commit.ts';
import type { Vote, VoteType } from '../../consensus/types/vote.ts';
import type { ConsensusReader, VotesView } from '../../consensus/view.ts';
import type { PartsHeld, RoundStep, StateMessage, VotesHeld } from './messages.ts';
import type { GossipEngine } from './ports.ts';

/** Rounds on each side of a round that still matter for it. */
const ROUNDS_BACK = 2;
const ROUNDS_AHEAD = 1;

/** Votes that can be given to a peer. */
export type ServedVotes = Pick<VotesView, 'bits' | 'vote'>;

/** Both types of votes, the more decisive first. */
export const VOTE_TYPES: readonly VoteType[] = ['precommit', 'prevote'];

/** Where this node is. */
export function roundStepOf(consensus: ConsensusReader): RoundStep {
  const { height, round, step } = consensus.view();
  const lastCommitRound = consensus.lastCommit()?.round ?? -1;
  return { kind: 'roundStep', height, round, step, lastCommitRound };
}

/**
 * The rounds whose votes are exchanged with a peer: those around its round and around ours, and those that a
 * proof of lock comes from. Bounded, whatever rounds votes exist for.
 */
export function relevantRounds(consensus: ConsensusReader, peerRound: number): readonly number[] {
  const { round, lockedRound, validRound } = consensus.view();
  const polRounds = [lockedRound, validRound, consensus.proposal(peerRound)?.polRound ?? -1];
  return consensus.voteRounds().filter((candidate) => {
    const nearPeer = candidate >= peerRound - ROUNDS_BACK && candidate <= peerRound + ROUNDS_AHEAD;
    const nearUs = candidate >= round - ROUNDS_BACK && candidate <= round + ROUNDS_AHEAD;
    return nearPeer || nearUs || polRounds.includes(candidate);
  });
}

/**
 * The part set that this node is collecting or has collected: one that +2/3 precommitted, else the proposed
 * one. A proposed one says that the node has the proposal; `decided` ones may come from votes alone.
 */
export function collectedParts(engine: GossipEngine, consensus: ConsensusReader): PartsHeld | undefined {
  const { height, round, proposal } = consensus.view();
  const proposed = proposal?.blockId.partSetHeader;
  const candidates = decidedHeaders(consensus).map((header) => ({ header, decided: true }));
  if (proposed !== undefined) candidates.push({ header: proposed, decided: false });
  for (const { header, decided } of candidates) {
    const bits = engine.partBits(header);
    if (bits !== undefined) return { kind: 'partsHeld', height, round, header, bits, decided };
  }
  return undefined;
}

function decidedHeaders(consensus: ConsensusReader): PartSetHeader[] {
  const { decided, round } = consensus.view();
  const rounds = relevantRounds(consensus, round).toReversed();
  const majorities = rounds.map((candidate) => consensus.votes(candidate, 'precommit')?.majority);
  return [decided?.blockId, ...majorities].flatMap((id) =>
    id !== undefined && id.partSetHeader.total > 0 ? [id.partSetHeader] : [],
  );
}

/** All that this node tells about itself: the start of a session, and now and then after that. */
export function summaryOf(engine: GossipEngine, consensus: ConsensusReader): readonly StateMessage[] {
  const roundStep = roundStepOf(consensus);
  const { height, round } = roundStep;
  const messages: StateMessage[] = [roundStep];
  const parts = collectedParts(engine, consensus);
  if (parts !== undefined) messages.push(parts);
  for (const candidate of new Set([round, ...relevantRounds(consensus, round)]))
    for (const type of VOTE_TYPES) {
      const bits = consensus.votes(candidate, type)?.bits ?? bitArray(0);
      messages.push({ kind: 'votesHeld', height, round: candidate, type, bits });
    }
  const last = consensus.lastPrecommits();
  if (last !== undefined && roundStep.lastCommitRound >= 0)
    messages.push(lastVotesHeld(height - 1n, roundStep.lastCommitRound, last.bits));
  return messages;
}

function lastVotesHeld(height: bigint, round: number, bits: BitArray): VotesHeld {
  return { kind: 'votesHeld', height, round, type: 'precommit', bits };
}

/**
 * The votes for what more than 2/3 voted for, in the rounds that matter for a peer. Bits per validator do not
 * show that a peer lacks one of them: of an equivocator it may hold another vote, and then it never sees the
 * majority, neither a proposal's proof of lock nor a decision.
 */
export function majorityVotes(consensus: ConsensusReader, peerRound: number): readonly Vote[] {
  return relevantRounds(consensus, peerRound).flatMap((round) =>
    VOTE_TYPES.flatMap((type) => {
      const votes = consensus.votes(round, type);
      const majority = votes?.majority;
      if (votes === undefined || majority === undefined) return [];
      return [...setBits(votes.bitsFor(majority))].flatMap((index) => votes.voteFor(index, majority) ?? []);
    }),
  );
}

/** The precommits of a commit, as votes that can be read one by one. */
export function votesOfCommit(commit: Commit): ServedVotes {
  const indexes = commit.signatures.flatMap((signature, index) =>
    signature.blockIdFlag === 'commit' ? [index] : [],
  );
  return {
    bits: bitArray(commit.signatures.length, indexes),
    vote: (index: number): Vote | undefined => commitVote(commit, index),
  };
}
