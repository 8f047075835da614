/**
 * The consensus core: what happened goes in, what is to be done comes out. A function of its inputs alone;
 * two cores with the same options that see the same inputs in the same order give the same outputs (replay
 * after a crash rests on it). The contract of inputs and outputs is in `input.ts`, `output.ts` and the
 * README.
 */
import { equalBytes } from '../core/bytes.ts';
import { assert, defined, unreachable } from '../core/errors.ts';
import type { TimeoutConfig } from './config.ts';
import { HeightState, ROUNDS_AHEAD_MAX, voteKey } from './driver/height.ts';
import {
  commitOf,
  type DecidedHeight,
  decidedHeightOf,
  lastHeightOf,
  votesOf,
} from './driver/last-height.ts';
import type {
  DecidedBySync,
  Input,
  LoggedInput,
  ProposalReceived,
  ProposalSigned,
  StartHeight,
  TimeoutElapsed,
  ValueToPropose,
  ValueValidated,
  VoteReceived,
  VoteSigned,
} from './input.ts';
import type { Output } from './output.ts';
import type { PaperLine } from './round/lines.ts';
import { type BlockId, equalBlockId } from './types/block-id.ts';
import { type Commit, commitVote } from './types/commit.ts';
import type { Proposal } from './types/proposal.ts';
import type { Validator, ValidatorSet } from './types/validator.ts';
import { EMPTY_VALIDATOR_SET } from './types/validator-set.ts';
import type { Vote, VoteType } from './types/vote.ts';
import type { ConsensusReader, ConsensusView, VotesView } from './view.ts';

/** What a core is made for. */
export interface ConsensusOptions {
  /** Our validator's 20 bytes; undefined for a node that only follows. */
  readonly address: Uint8Array | undefined;
  readonly timeouts: TimeoutConfig;
  /** Told of each line of the paper that is carried out. */
  readonly trace?: (line: PaperLine) => void;
}

const NOT_STARTED: ConsensusView = {
  height: 0n,
  round: 0,
  step: 'newHeight',
  proposal: undefined,
  lockedBlockId: undefined,
  lockedRound: -1,
  validBlockId: undefined,
  validRound: -1,
  decided: undefined,
};

/** The consensus of one node, height after height. */
export class Consensus implements ConsensusReader {
  readonly #options: ConsensusOptions;
  #height: HeightState | undefined;
  /** False while the height is known, but its round 0 waits for the pause after the last decision. */
  #started = false;
  /** The height before, or this one once it is decided. */
  #last: DecidedHeight | undefined;
  /** The pause after a decision is running. */
  #pause: Output | undefined;

  constructor(options: ConsensusOptions) {
    this.#options = options;
  }

  /** Takes an input in; returns what is to be done, in this order. */
  apply(input: Input): Output[] {
    if (input.kind === 'startHeight') return this.#startHeight(input);
    const height = this.#height;
    if (height === undefined) return [];
    switch (input.kind) {
      case 'proposal':
        return this.#proposal(height, input);
      case 'vote':
        return this.#vote(height, input);
      case 'value':
        return this.#value(height, input);
      case 'proposeValue':
        return this.#proposeValue(height, input);
      case 'signedProposal':
        return this.#signedProposal(height, input);
      case 'signedVote':
        return this.#signedVote(height, input);
      case 'timeoutElapsed':
        return this.#timeoutElapsed(height, input);
      case 'decidedBySync':
        return this.#decidedBySync(height, input);
      default:
        return unreachable(input, 'input');
    }
  }

  /**
   * What was asked for and not answered, and our messages of the current round: to be carried out once,
   * after replay.
   */
  resume(): Output[] {
    const height = this.#height;
    if (height === undefined) return [];
    const pause = this.#pause === undefined ? [] : [this.#pause];
    if (this.#isDecided(height)) return [this.#decideOutput(), ...pause];
    const validations = height.values.pending().map((blockId) => this.#validateOutput(height, blockId));
    if (!this.#started) return [...pause, ...validations];
    const { round } = height.round;
    const toSign = [...height.votesToSign.values()].filter(({ vote }) => vote.round === round);
    const proposal = height.proposalsToSign.get(round);
    return [
      ...[...height.timeouts.values()].map((timeout) => height.schedule(timeout.kind, timeout.round)),
      ...validations,
      ...(height.valueWanted ? [height.requestValue()] : []),
      ...(proposal === undefined ? [] : [{ kind: 'signProposal' as const, proposal }]),
      ...toSign,
      ...this.republish(),
    ];
  }

  /**
   * Our proposal and votes of the current round once more. Harmless at any time: for a network that lost
   * them, every few seconds.
   */
  republish(): Output[] {
    const height = this.#height;
    if (height === undefined || this.#isDecided(height)) return [];
    const { round } = height.round;
    const proposal = height.isProposer(round) ? height.proposals.get(round) : undefined;
    const votes = this.#ownVotes(height, round);
    return [
      ...(proposal === undefined ? [] : [{ kind: 'publishProposal' as const, proposal }]),
      ...votes.map((vote) => ({ kind: 'publishVote' as const, vote })),
    ];
  }

  #startHeight(input: StartHeight): Output[] {
    if (this.#height !== undefined && input.height <= this.#height.options.height) return [];
    assert(input.validators.validators.length > 0, 'a height needs validators', { height: input.height });
    const { height, validators } = input;
    const { address, timeouts, trace } = this.#options;
    if (this.#last?.height !== height - 1n) {
      this.#last = lastHeightOf(input);
      this.#pause = undefined;
    }
    const lastCommit = (): Commit | undefined => this.lastCommit();
    this.#height = new HeightState({ height, validators, address, timeouts, trace, lastCommit });
    this.#started = false;
    return this.#begin(this.#height);
  }

  /** Enters round 0, unless the pause after the last decision is still on. */
  #begin(height: HeightState): Output[] {
    if (this.#started || this.#pause !== undefined || this.#isDecided(height)) return [];
    this.#started = true;
    return this.#settle(height);
  }

  /** Fires the rules; a height that has not begun only asks for blocks. */
  #settle(height: HeightState): Output[] {
    if (this.#isDecided(height)) return [];
    if (!this.#started) return height.requestBlocks();
    const outputs = height.settle();
    const { decision } = height.round;
    if (decision !== undefined) return [...outputs, ...this.#decide(height, decision)];
    return [...outputs, ...this.#invalidMajority(height)];
  }

  #proposal(height: HeightState, input: ProposalReceived): Output[] {
    const { proposal } = input;
    if (!this.#isOpen(height, proposal.height) || !this.#keepProposal(height, proposal)) return [];
    return this.#logged(input, this.#settle(height));
  }

  #keepProposal(height: HeightState, proposal: Proposal): boolean {
    const { round, polRound } = proposal;
    const current = height.round.round;
    if (round < current || round > current + ROUNDS_AHEAD_MAX || polRound >= round) return false;
    if (height.proposals.has(round)) return false;
    height.proposals.set(round, proposal);
    return true;
  }

  #vote(height: HeightState, input: VoteReceived): Output[] {
    const { vote } = input;
    if (vote.height === this.#last?.height) return this.#lateVote(height, input);
    if (vote.height !== height.options.height || !isSigner(height.options.validators, vote)) return [];
    const added = height.votes.add(vote, height.round.round);
    if (added.kind === 'ignored' || (added.kind === 'conflict' && !added.kept)) return [];
    const outputs = this.#settle(height);
    if (added.kind === 'added') return this.#logged(input, outputs);
    return this.#logged(input, [{ kind: 'reportEvidence', first: added.first, second: vote }, ...outputs]);
  }

  /**
   * A vote of the height decided last. A precommit of the deciding round makes the commit fuller, and may end
   * the pause; any may be proof that its signer had signed something else.
   */
  #lateVote(height: HeightState, input: VoteReceived): Output[] {
    const last = defined(this.#last, 'decided height');
    const { vote } = input;
    if (!isSigner(last.validators, vote)) return [];
    const isDecisive = vote.type === 'precommit' && vote.round === last.round;
    const added = isDecisive ? last.precommits.add(vote) : last.votes?.add(vote, last.round);
    if (added?.kind === 'conflict') {
      return added.kept ? [{ kind: 'reportEvidence', first: added.first, second: vote }] : [];
    }
    if (!isDecisive || added?.kind !== 'added') return [];
    if (!this.#skipsPause(last)) return this.#logged(input, []);
    this.#pause = undefined;
    return this.#logged(input, this.#begin(height));
  }

  #value(height: HeightState, input: ValueValidated): Output[] {
    if (!this.#isOpen(height, input.height)) return [];
    if (height.values.status(input.blockId) === undefined) return [];
    if (!height.values.set(input.blockId, input.validity)) return [];
    return this.#logged(input, this.#settle(height));
  }

  #proposeValue(height: HeightState, input: ValueToPropose): Output[] {
    if (!this.#isOpen(height, input.height) || input.round !== height.round.round || !height.valueWanted)
      return [];
    height.valueWanted = false;
    height.values.set(input.blockId, 'accepted');
    const proposed = height.fire({ kind: 'proposeValue', blockId: input.blockId }) ?? [];
    return this.#logged(input, [...proposed, ...this.#settle(height)]);
  }

  #signedProposal(height: HeightState, input: ProposalSigned): Output[] {
    const { proposal } = input;
    const asked = height.proposalsToSign.get(proposal.round);
    const matches =
      asked !== undefined &&
      asked.polRound === proposal.polRound &&
      equalBlockId(asked.blockId, proposal.blockId);
    if (!this.#isOpen(height, proposal.height) || !matches) return [];
    height.proposalsToSign.delete(proposal.round);
    if (!this.#keepProposal(height, proposal)) return [];
    const outputs = this.#settle(height);
    return this.#logged(input, [{ kind: 'publishProposal', proposal }, ...outputs], true);
  }

  #signedVote(height: HeightState, input: VoteSigned): Output[] {
    const { vote } = input;
    if (vote.height === this.#last?.height) return this.#lateOwnPrecommit(height, input);
    const key = voteKey(vote.type, vote.round);
    const asked = height.votesToSign.get(key)?.vote;
    const ours = asked !== undefined && equalBlockId(asked.blockId, vote.blockId);
    if (vote.height !== height.options.height || !ours) return [];
    height.votesToSign.delete(key);
    height.votes.add(vote, height.round.round);
    return this.#logged(input, [{ kind: 'publishVote', vote }, ...this.#settle(height)], true);
  }

  /** Our own precommit, signed only after others had decided: it belongs into the commit all the same. */
  #lateOwnPrecommit(height: HeightState, input: VoteSigned): Output[] {
    const added = this.#lateVote(height, { kind: 'vote', vote: input.vote });
    if (added.length === 0) return [];
    return this.#logged(input, [{ kind: 'publishVote', vote: input.vote }, ...added.slice(1)], true);
  }

  #timeoutElapsed(height: HeightState, input: TimeoutElapsed): Output[] {
    const { timeout } = input;
    if (timeout.kind === 'commit') {
      if (timeout.height !== this.#last?.height || this.#pause === undefined) return [];
      this.#pause = undefined;
      return this.#logged(input, this.#begin(height));
    }
    if (!this.#started || !this.#isOpen(height, timeout.height)) return [];
    if (height.timeouts.get(timeout.kind)?.round !== timeout.round) return [];
    height.timeouts.delete(timeout.kind);
    const fired = height.fire(timeoutInput(timeout.kind, timeout.round));
    if (fired === undefined) return [];
    return this.#logged(input, [...fired, ...this.#settle(height)]);
  }

  #decidedBySync(height: HeightState, input: DecidedBySync): Output[] {
    const { commit } = input;
    if (commit.height === this.#last?.height) {
      return equalBlockId(commit.blockId, this.#last.blockId) ? [] : [this.#conflict(commit.blockId)];
    }
    if (!this.#isOpen(height, commit.height)) return [];
    this.#started = true;
    const { round, blockId } = commit;
    height.fire({ kind: 'precommitValue', round, blockId });
    const decided = { ...decidedHeightOf(commit, height.options.validators), votes: height.votes };
    const outputs = this.#decide(height, { round, blockId }, decided);
    return this.#logged(input, [...contradicted(height, commit), ...outputs]);
  }

  #decide(
    height: HeightState,
    decision: { readonly round: number; readonly blockId: BlockId },
    bySync?: DecidedHeight,
  ): Output[] {
    const { validators, height: at } = height.options;
    const precommits = height.votes.tally(decision.round, 'precommit');
    this.#last = bySync ?? {
      ...decision,
      height: at,
      validators,
      precommits: defined(precommits, 'precommits of a decision'),
      votes: height.votes,
    };
    height.timeouts.clear();
    const noPause = bySync !== undefined || this.#skipsPause(this.#last);
    this.#pause = noPause ? undefined : height.schedule('commit', decision.round);
    return [this.#decideOutput(), ...(this.#pause === undefined ? [] : [this.#pause])];
  }

  #skipsPause(last: DecidedHeight): boolean {
    return this.#options.timeouts.skipCommitWhenComplete && last.precommits.isComplete();
  }

  /** +2/3 precommitted a block that breaks the rules. */
  #invalidMajority(height: HeightState): Output[] {
    for (const { blockId } of height.votes.precommitMajorities()) {
      if (height.values.status(blockId) !== 'invalid') continue;
      return [{ kind: 'fault', reason: 'decided_invalid_block', height: height.options.height, blockId }];
    }
    return [];
  }

  #conflict(blockId: BlockId): Output {
    const height = defined(this.#last, 'decided height').height;
    return { kind: 'fault', reason: 'conflicting_decision', height, blockId };
  }

  #decideOutput(): Output {
    const last = defined(this.#last, 'decided height');
    const { height, round, blockId } = last;
    return { kind: 'decide', height, round, blockId, commit: commitOf(last) };
  }

  #validateOutput(height: HeightState, blockId: BlockId): Output {
    const { round } = height.round;
    const proposed = height.proposals.get(round)?.blockId;
    const from = proposed !== undefined && equalBlockId(proposed, blockId) ? 'proposal' : 'votes';
    return { kind: 'validateValue', height: height.options.height, round, blockId, from };
  }

  #ownVotes(height: HeightState, round: number): Vote[] {
    if (height.ownIndex < 0) return [];
    const votes = (['prevote', 'precommit'] as const).map((type) =>
      height.votes.tally(round, type)?.vote(height.ownIndex),
    );
    return votes.filter((vote) => vote !== undefined);
  }

  /** True for a message of the height under way, as long as it is not decided. */
  #isOpen(height: HeightState, messageHeight: bigint): boolean {
    return messageHeight === height.options.height && !this.#isDecided(height);
  }

  #isDecided(height: HeightState): boolean {
    return height.round.decision !== undefined;
  }

  #logged(input: LoggedInput, outputs: readonly Output[], sync = false): Output[] {
    return [{ kind: 'appendToWal', input, sync }, ...outputs];
  }

  view(): ConsensusView {
    const height = this.#height;
    if (height === undefined) return NOT_STARTED;
    const { round, step, locked, valid, decision } = height.round;
    return {
      height: height.options.height,
      round,
      step: this.#started ? step : 'newHeight',
      proposal: height.proposals.get(round),
      lockedBlockId: locked?.blockId,
      lockedRound: locked?.round ?? -1,
      validBlockId: valid?.blockId,
      validRound: valid?.round ?? -1,
      decided: decision,
    };
  }

  validators(): ValidatorSet {
    return this.#height?.options.validators ?? EMPTY_VALIDATOR_SET;
  }

  proposer(round: number): Validator | undefined {
    const height = this.#height;
    if (height === undefined || round < 0 || round > height.round.round + ROUNDS_AHEAD_MAX) return undefined;
    return height.proposer(round);
  }

  proposal(round: number): Proposal | undefined {
    return this.#height?.proposals.get(round);
  }

  votes(round: number, type: VoteType): VotesView | undefined {
    return this.#height?.votes.tally(round, type);
  }

  voteRounds(): readonly number[] {
    return this.#height?.votes.rounds() ?? [];
  }

  lastPrecommits(): VotesView | undefined {
    return this.#lastDecided()?.precommits;
  }

  lastCommit(): Commit | undefined {
    const last = this.#lastDecided();
    return last === undefined ? undefined : commitOf(last);
  }

  lastVotes(round: number, type: VoteType): VotesView | undefined {
    const last = this.#lastDecided();
    return last === undefined ? undefined : votesOf(last, round, type);
  }

  /** The height before the one under way; undefined at the chain's first. */
  #lastDecided(): DecidedHeight | undefined {
    const height = this.#height?.options.height;
    return height !== undefined && this.#last?.height === height - 1n ? this.#last : undefined;
  }
}

/** True when the vote names a validator by index and address alike. */
function isSigner(validators: ValidatorSet, vote: Vote): boolean {
  const validator = validators.validators[vote.validatorIndex];
  return validator !== undefined && equalBytes(validator.address, vote.validatorAddress);
}

/** Evidence against those whose votes in a commit are others than they sent here. */
function contradicted({ votes, round }: HeightState, commit: Commit): Output[] {
  return commit.signatures.flatMap((_signature, index): Output[] => {
    const vote = commitVote(commit, index);
    const added = vote === undefined ? undefined : votes.add(vote, round.round);
    if (vote === undefined || added?.kind !== 'conflict' || !added.kept) return [];
    return [{ kind: 'reportEvidence', first: added.first, second: vote }];
  });
}

function timeoutInput(
  kind: 'propose' | 'prevote' | 'precommit',
  round: number,
): { readonly kind: 'timeoutPropose' | 'timeoutPrevote' | 'timeoutPrecommit'; readonly round: number } {
  switch (kind) {
    case 'propose':
      return { kind: 'timeoutPropose', round };
    case 'prevote':
      return { kind: 'timeoutPrevote', round };
    case 'precommit':
      return { kind: 'timeoutPrecommit', round };
  }
}
