/**
 * What the consensus core wants done. The shell carries the outputs of one input out in their order, before
 * it hands in the next input; answers (`value`, `signedVote`, …) come as inputs of their own, whenever they
 * are ready.
 */
import type { LoggedInput, Timeout } from './input.ts';
import type { BlockId } from './types/block-id.ts';
import type { Commit } from './types/commit.ts';
import type { Proposal, UnsignedProposal } from './types/proposal.ts';
import type { UnsignedVote, Vote } from './types/vote.ts';

/**
 * Write this input to the write-ahead log; comes before all that follows from the input. With `sync` it
 * must be on disk before the next output is carried out: it is a message of our own that is about to leave.
 */
export interface AppendToWal {
  readonly kind: 'appendToWal';
  readonly input: LoggedInput;
  readonly sync: boolean;
}

/** It is our turn and there is nothing to propose again: make a block, answer `proposeValue`. */
export interface RequestValue {
  readonly kind: 'requestValue';
  readonly height: bigint;
  readonly round: number;
  /**
   * The last height's commit with all precommits that came until now; undefined at the chain's first
   * height.
   */
  readonly lastCommit: Commit | undefined;
}

/** Sign and answer `signedProposal`. The shell adds the time. */
export interface SignProposal {
  readonly kind: 'signProposal';
  readonly proposal: UnsignedProposal;
}

/**
 * Sign and answer `signedVote`. The shell adds the time: now, but at least 1 ms after the time of the block
 * `laterThan`, when it is given (BFT time: CometBFT `voteTime`).
 */
export interface SignVote {
  readonly kind: 'signVote';
  readonly vote: UnsignedVote;
  readonly laterThan: BlockId | undefined;
}

/** Send our own proposal, and the parts of its block, to everybody. */
export interface PublishProposal {
  readonly kind: 'publishProposal';
  readonly proposal: Proposal;
}

/** Send our own vote to everybody. */
export interface PublishVote {
  readonly kind: 'publishVote';
  readonly vote: Vote;
}

/**
 * Answer `timeoutElapsed` after that time. Timeouts of earlier heights and rounds need not be kept, but may
 * be.
 */
export interface ScheduleTimeout {
  readonly kind: 'scheduleTimeout';
  readonly timeout: Timeout;
  readonly durationMs: number;
}

/**
 * Get hold of all parts of this block (`blockId.partSetHeader` says how many and under which root), judge
 * it, and answer `value`. `proposer` says where it came from: a proposal, or only the votes of +2/3. Once
 * per block and height.
 */
export interface ValidateValue {
  readonly kind: 'validateValue';
  readonly height: bigint;
  readonly round: number;
  readonly blockId: BlockId;
  readonly from: 'proposal' | 'votes';
}

/**
 * The height is decided. Store the block with this commit, execute it, then answer `startHeight` for the
 * next. The commit holds the precommits known now; late ones extend `Consensus.lastCommit()`.
 */
export interface Decide {
  readonly kind: 'decide';
  readonly height: bigint;
  readonly round: number;
  readonly blockId: BlockId;
  readonly commit: Commit;
}

/** A validator signed two different votes in one step: material for DuplicateVoteEvidence. */
export interface ReportEvidence {
  readonly kind: 'reportEvidence';
  readonly first: Vote;
  readonly second: Vote;
}

/**
 * The assumptions of the algorithm do not hold: a third or more of the power is faulty, or this node's
 * rules differ. The shell must stop before it signs anything more.
 */
export interface Fault {
  readonly kind: 'fault';
  readonly reason: 'decided_invalid_block' | 'conflicting_decision';
  readonly height: bigint;
  readonly blockId: BlockId;
}

/** Everything the core asks for. */
export type Output =
  | AppendToWal
  | RequestValue
  | SignProposal
  | SignVote
  | PublishProposal
  | PublishVote
  | ScheduleTimeout
  | ValidateValue
  | Decide
  | ReportEvidence
  | Fault;
