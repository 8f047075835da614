/**
 * Everything known in one height, and the loop that fires the algorithm's rules. Knows neither timers nor
 * the write-ahead log nor what was published: it turns what happened into outputs of the round machine, and
 * these into outputs of the core.
 */
import { equalBytes } from '../../core/bytes.ts';
import { assert, defined, unreachable } from '../../core/errors.ts';
import { type TimeoutConfig, timeoutMs } from '../config.ts';
import type { Timeout } from '../input.ts';
import type { Output, SignVote } from '../output.ts';
import { incrementProposerPriority } from '../proposer.ts';
import type { RoundInput } from '../round/input.ts';
import type { PaperLine } from '../round/lines.ts';
import { transition } from '../round/machine.ts';
import type { RoundOutput } from '../round/output.ts';
import { INITIAL_ROUND_STATE, type RoundState } from '../round/state.ts';
import { type BlockId, isNilBlockId } from '../types/block-id.ts';
import type { Commit } from '../types/commit.ts';
import type { Proposal, UnsignedProposal } from '../types/proposal.ts';
import type { Validator, ValidatorSet } from '../types/validator.ts';
import { validatorIndex } from '../types/validator-set.ts';
import type { UnsignedVote, VoteType } from '../types/vote.ts';
import { VoteKeeper } from '../votes/keeper.ts';
import { nextRoundInput } from './mux.ts';
import { Values } from './values.ts';

/** Proposals are kept for rounds at most this far past ours. */
export const ROUNDS_AHEAD_MAX = 2;

/** Most rules that can fire after one input; more is a bug. */
const RULES_PER_INPUT_MAX = 64;

/** What a height is made for. */
export interface HeightOptions {
  readonly height: bigint;
  readonly validators: ValidatorSet;
  /** Our validator's address; undefined for a node that only follows. */
  readonly address: Uint8Array | undefined;
  readonly timeouts: TimeoutConfig;
  /** The last height's commit with all precommits known when it is asked for. */
  readonly lastCommit: () => Commit | undefined;
  /** Told of each line of the paper that is carried out. */
  readonly trace: ((line: PaperLine) => void) | undefined;
}

/** One height under way. The fields are for `Consensus`, which owns it. */
export class HeightState {
  readonly options: HeightOptions;
  readonly votes: VoteKeeper;
  readonly values: Values = new Values();
  readonly proposals: Map<number, Proposal> = new Map<number, Proposal>();
  /** What we were asked to sign, by `type/round`. */
  readonly votesToSign: Map<string, SignVote> = new Map<string, SignVote>();
  readonly proposalsToSign: Map<number, UnsignedProposal> = new Map<number, UnsignedProposal>();
  /** The timeouts of the current round that have not elapsed. */
  readonly timeouts: Map<Timeout['kind'], Timeout> = new Map<Timeout['kind'], Timeout>();
  round: RoundState = INITIAL_ROUND_STATE;
  /** True while a value to propose in the current round is awaited. */
  valueWanted = false;
  /** Our place among the validators; -1 when we are none. */
  readonly ownIndex: number;
  /** The proposers of the rounds from 0 on, as far as somebody asked. */
  readonly #proposers: (Validator | undefined)[];
  /** The set of the last of these rounds. */
  #turned: ValidatorSet;

  constructor(options: HeightOptions) {
    this.options = options;
    this.votes = new VoteKeeper(options.validators);
    this.ownIndex = options.address === undefined ? -1 : validatorIndex(options.validators, options.address);
    this.#proposers = [options.validators.proposer];
    this.#turned = options.validators;
  }

  /**
   * Whose turn it is in a round: a function of the height's set and the round alone. One turn at a time, since
   * two at once differ from it when priorities are rescaled in between (README, "Whose turn it is").
   */
  proposer(round: number): Validator {
    while (this.#proposers.length <= round) {
      this.#turned = incrementProposerPriority(this.#turned, 1);
      this.#proposers.push(this.#turned.proposer);
    }
    return defined(this.#proposers[round], 'proposer');
  }

  /** True when the round is ours to propose in. */
  isProposer(round: number): boolean {
    const { address } = this.options;
    return this.ownIndex >= 0 && address !== undefined && equalBytes(this.proposer(round).address, address);
  }

  /** Hands an input to the round machine; undefined when it does not react. */
  fire(input: RoundInput): Output[] | undefined {
    const result = transition(this.round, input);
    if (result === undefined) return undefined;
    const roundBefore = this.round.round;
    this.round = result.state;
    for (const line of result.lines) this.options.trace?.(line);
    if (result.state.round !== roundBefore) this.#leaveRound();
    return result.outputs.flatMap((output) => this.#carryOut(output));
  }

  /** Fires rules until none is left, and asks for the blocks that rules wait for. */
  settle(): Output[] {
    const outputs: Output[] = [];
    for (let fired = 0; ; fired++) {
      assert(fired < RULES_PER_INPUT_MAX, 'the rules of consensus do not come to rest', { ...this.round });
      const input = nextRoundInput({
        round: this.round,
        votes: this.votes,
        values: this.values,
        proposal: this.proposals.get(this.round.round),
        isProposer: this.isProposer(this.round.round),
      });
      if (input === undefined) break;
      outputs.push(...defined(this.fire(input), 'transition of a rule that may fire'));
    }
    return [...outputs, ...this.requestBlocks()];
  }

  /**
   * Asks for blocks that are proposed in this round, prevoted by +2/3 in it, or precommitted by +2/3 in
   * any.
   */
  requestBlocks(): Output[] {
    if (this.round.step === 'commit') return [];
    const { round } = this.round;
    const polka = this.votes.tally(round, 'prevote')?.majority;
    const proposed = this.proposals.get(round)?.blockId;
    return [
      ...(proposed === undefined ? [] : this.#request(proposed, round, 'proposal')),
      ...(polka === undefined ? [] : this.#request(polka, round, 'votes')),
      ...this.votes
        .precommitMajorities()
        .flatMap(({ blockId, round }) => this.#request(blockId, round, 'votes')),
    ];
  }

  #request(blockId: BlockId, round: number, from: 'proposal' | 'votes'): Output[] {
    if (isNilBlockId(blockId) || this.values.status(blockId) !== undefined) return [];
    this.values.set(blockId, 'pending');
    return [{ kind: 'validateValue', height: this.options.height, round, blockId, from }];
  }

  #leaveRound(): void {
    this.valueWanted = false;
    this.timeouts.clear();
    this.votes.enterRound(this.round.round);
  }

  #carryOut(output: RoundOutput): Output[] {
    const { height } = this.options;
    const { round } = this.round;
    switch (output.kind) {
      case 'getValue':
        this.valueWanted = true;
        return [this.requestValue()];
      case 'propose': {
        const proposal = { height, round, polRound: output.polRound, blockId: output.blockId };
        this.proposalsToSign.set(round, proposal);
        return [{ kind: 'signProposal', proposal }];
      }
      case 'vote':
        return this.#signVote(output.type, output.blockId);
      case 'scheduleTimeout':
        return [this.schedule(output.timeout, round)];
      case 'decide':
        return [];
      default:
        return unreachable(output, 'round output');
    }
  }

  /** Asks for a value to propose in the current round. */
  requestValue(): Output {
    const { height, lastCommit } = this.options;
    return { kind: 'requestValue', height, round: this.round.round, lastCommit: lastCommit() };
  }

  /** Notes a timeout as running. */
  schedule(kind: Timeout['kind'], round: number): Output {
    const timeout = { kind, height: this.options.height, round };
    this.timeouts.set(kind, timeout);
    return { kind: 'scheduleTimeout', timeout, durationMs: timeoutMs(this.options.timeouts, kind, round) };
  }

  #signVote(type: VoteType, blockId: BlockId): Output[] {
    const { height, address } = this.options;
    if (this.ownIndex < 0 || address === undefined) return [];
    const { round } = this.round;
    const vote: UnsignedVote = {
      type,
      height,
      round,
      blockId,
      validatorAddress: address,
      validatorIndex: this.ownIndex,
    };
    const output: SignVote = { kind: 'signVote', vote, laterThan: this.#latestBlock(blockId) };
    this.votesToSign.set(voteKey(type, round), output);
    return [output];
  }

  /**
   * The block whose time a vote must be later than: the one voted for, else the locked one, else the
   * proposed one.
   */
  #latestBlock(blockId: BlockId): BlockId | undefined {
    if (!isNilBlockId(blockId)) return blockId;
    const proposed = this.proposals.get(this.round.round)?.blockId;
    const known =
      proposed !== undefined && this.values.status(proposed) === 'accepted' ? proposed : undefined;
    return this.round.locked?.blockId ?? known;
  }
}

/** The key of a vote of ours among those to sign. */
export function voteKey(type: VoteType, round: number): string {
  return `${type}/${round}`;
}
