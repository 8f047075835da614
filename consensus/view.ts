/** What gossip, RPC and metrics may read of the core. Snapshots: they do not change under the reader. */
import type { BitArray } from './types/bit-array.ts';
import type { BlockId } from './types/block-id.ts';
import type { Commit } from './types/commit.ts';
import type { Proposal } from './types/proposal.ts';
import type { Validator, ValidatorSet } from './types/validator.ts';
import type { Vote, VoteType } from './types/vote.ts';

/**
 * Where in a height the core is. `newHeight`: waiting for `startHeight` or for the pause after a decision;
 * `newRound`: entering a round; `commit`: decided.
 */
export type Step = 'newHeight' | 'newRound' | 'propose' | 'prevote' | 'precommit' | 'commit';

/** The state of the round machine, for people and peers. */
export interface ConsensusView {
  readonly height: bigint;
  readonly round: number;
  readonly step: Step;
  /** The proposal of the current round. */
  readonly proposal: Proposal | undefined;
  readonly lockedBlockId: BlockId | undefined;
  /** -1 when not locked. */
  readonly lockedRound: number;
  readonly validBlockId: BlockId | undefined;
  /** -1 when there is no valid value. */
  readonly validRound: number;
  /** The decision, from the moment it is taken until the next height begins. */
  readonly decided: { readonly round: number; readonly blockId: BlockId } | undefined;
}

/** The votes of one type in one round that the core holds. */
export interface VotesView {
  /** Bit i: a vote of validator i is here. */
  readonly bits: BitArray;
  /** What more than 2/3 of the power voted for; nil's id when they voted nil. */
  readonly majority: BlockId | undefined;
  /** The vote of a validator: the first one seen, when it signed several. */
  readonly vote: (validatorIndex: number) => Vote | undefined;
  /** Bit i: a vote of validator i for this block (or nil) is here. */
  readonly bitsFor: (blockId: BlockId) => BitArray;
  /** The vote of a validator for this block (or nil). */
  readonly voteFor: (validatorIndex: number, blockId: BlockId) => Vote | undefined;
}

/** The read-only side of the core, for gossip and RPC. */
export interface ConsensusReader {
  /** State of the round machine; height 0 before the first `startHeight`. */
  view(): ConsensusView;
  /** The validators of the current height. */
  validators(): ValidatorSet;
  /**
   * Whose turn it is in a round of the current height: its key signs the round's proposal. Undefined for
   * rounds more than `ROUNDS_AHEAD_MAX` past ours: a proposal of such a round is not taken, and is not
   * worth the work.
   */
  proposer(round: number): Validator | undefined;
  /** The proposal held for a round of the current height. */
  proposal(round: number): Proposal | undefined;
  /** The votes held for a round of the current height; undefined when there are none. */
  votes(round: number, type: VoteType): VotesView | undefined;
  /** The rounds of the current height for which there are votes, rising. */
  voteRounds(): readonly number[];
  /**
   * The precommits that decided the height before, late ones included; undefined at the chain's first
   * height.
   */
  lastPrecommits(): VotesView | undefined;
  /** The same as a commit, ready for the next block. */
  lastCommit(): Commit | undefined;
  /** The votes held of the height before, for any round; undefined when there are none. */
  lastVotes(round: number, type: VoteType): VotesView | undefined;
}
