/**
 * What may happen to the consensus core. Whoever feeds it has checked the signatures: a vote against the
 * key at its index and address in the height's validator set, a proposal against
 * `Consensus.proposer(round)`. All else is checked here. Inputs that do not concern the core (another
 * height, a duplicate, an expired timeout) are ignored without output.
 */
import type { BlockId } from './types/block-id.ts';
import type { Commit } from './types/commit.ts';
import type { Proposal } from './types/proposal.ts';
import type { ValidatorSet } from './types/validator.ts';
import type { Vote } from './types/vote.ts';

/** Which wait has run out. `commit` is the pause after a decision in which late precommits are collected. */
export type TimeoutKind = 'propose' | 'prevote' | 'precommit' | 'commit';

/** A wait, by what it is for. */
export interface Timeout {
  readonly kind: TimeoutKind;
  readonly height: bigint;
  readonly round: number;
}

/**
 * What is known about a block whose parts are all here. `accepted`: well formed, follows from the state,
 * and the application took it (ProcessProposal). `rejected`: only the application refused it; it is not
 * voted for, but followed when +2/3 precommit it. `invalid`: it breaks the block rules; it is never
 * decided.
 */
export type Validity = 'accepted' | 'rejected' | 'invalid';

/** Begin a height. The first input, and then the answer to each `decide` once the block is executed. */
export interface StartHeight {
  readonly kind: 'startHeight';
  readonly height: bigint;
  /** The validators of this height. */
  readonly validators: ValidatorSet;
  /**
   * The precommits that decided the height before, with its validators. Needed when the core does not hold
   * them (after a start); ignored when it has just decided that height itself. Undefined at the first
   * height of the chain.
   */
  readonly last: { readonly commit: Commit; readonly validators: ValidatorSet } | undefined;
}

/** A proposal with a good signature of its round's proposer. */
export interface ProposalReceived {
  readonly kind: 'proposal';
  readonly proposal: Proposal;
}

/** A vote with a good signature: of this height, or a late precommit of the height before. */
export interface VoteReceived {
  readonly kind: 'vote';
  readonly vote: Vote;
}

/** The answer to `validateValue`: all parts of a block are here and it was judged. */
export interface ValueValidated {
  readonly kind: 'value';
  readonly height: bigint;
  readonly blockId: BlockId;
  readonly validity: Validity;
}

/** The answer to `requestValue`: a block of ours to propose. It counts as accepted. */
export interface ValueToPropose {
  readonly kind: 'proposeValue';
  readonly height: bigint;
  readonly round: number;
  readonly blockId: BlockId;
}

/** The answer to `signProposal`. */
export interface ProposalSigned {
  readonly kind: 'signedProposal';
  readonly proposal: Proposal;
}

/**
 * The answer to `signVote`. When the signer refuses, there is no answer: the core goes on without our vote.
 */
export interface VoteSigned {
  readonly kind: 'signedVote';
  readonly vote: Vote;
}

/** A scheduled timeout has elapsed. Superseded ones may be delivered: they are ignored. */
export interface TimeoutElapsed {
  readonly kind: 'timeoutElapsed';
  readonly timeout: Timeout;
}

/**
 * Block sync brought the block of this height with a commit that was verified against the height's
 * validators.
 */
export interface DecidedBySync {
  readonly kind: 'decidedBySync';
  readonly commit: Commit;
}

/** Everything the core reacts to. All but `startHeight` can stand in the write-ahead log. */
export type Input =
  | StartHeight
  | ProposalReceived
  | VoteReceived
  | ValueValidated
  | ValueToPropose
  | ProposalSigned
  | VoteSigned
  | TimeoutElapsed
  | DecidedBySync;

/** The inputs that are logged: what happened within a height. */
export type LoggedInput = Exclude<Input, StartHeight>;
