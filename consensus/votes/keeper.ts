/**
 * All votes of one height. Rounds up to the one after the current are kept in full. Of rounds further
 * ahead, each validator may fill `FUTURE_ROUNDS_PER_VALIDATOR_MAX`, and newer ones push older ones out: a
 * faulty validator can take only its own room, and an honest one that is far ahead is always heard.
 */
import type { BlockId } from '../types/block-id.ts';
import { isNilBlockId } from '../types/block-id.ts';
import type { ValidatorSet } from '../types/validator.ts';
import { isOneThird } from '../types/validator-set.ts';
import type { Vote, VoteType } from '../types/vote.ts';
import { type AddedVote, VoteTally } from './tally.ts';

/** Rounds past the next one in which a validator's votes are kept. */
export const FUTURE_ROUNDS_PER_VALIDATOR_MAX = 2;

interface RoundVotes {
  readonly prevote: VoteTally;
  readonly precommit: VoteTally;
}

/** Counts the votes of a height. */
export class VoteKeeper {
  readonly #validators: ValidatorSet;
  readonly #rounds = new Map<number, RoundVotes>();
  /** Per validator the far rounds that it has votes in, rising. */
  readonly #far = new Map<number, number[]>();

  constructor(validators: ValidatorSet) {
    this.#validators = validators;
  }

  /** Counts a vote of this height with a good signature. */
  add(vote: Vote, currentRound: number): AddedVote {
    const far = vote.round > currentRound + 1;
    if (far && !this.#makeRoom(vote)) return { kind: 'ignored' };
    return this.#round(vote.round)[vote.type].add(vote);
  }

  /** Makes room for a vote of a far round; false when it is older than all that its signer has room for. */
  #makeRoom(vote: Vote): boolean {
    const held = this.#far.get(vote.validatorIndex) ?? [];
    if (held.includes(vote.round)) return true;
    const rounds = [...held, vote.round].sort((a, b) => a - b);
    if (rounds.length > FUTURE_ROUNDS_PER_VALIDATOR_MAX) {
      const [oldest] = rounds;
      if (oldest === undefined || oldest === vote.round) return false;
      rounds.shift();
      this.#forget(vote.validatorIndex, oldest);
    }
    this.#far.set(vote.validatorIndex, rounds);
    return true;
  }

  #forget(validatorIndex: number, round: number): void {
    const votes = this.#rounds.get(round);
    votes?.prevote.remove(validatorIndex);
    votes?.precommit.remove(validatorIndex);
    if (votes?.prevote.voters()[Symbol.iterator]().next().done === true) {
      if (votes.precommit.voters()[Symbol.iterator]().next().done === true) this.#rounds.delete(round);
    }
  }

  /**
   * Tells that the current round has risen: rounds that are no longer far ahead do not count against room.
   */
  enterRound(currentRound: number): void {
    for (const [validatorIndex, rounds] of this.#far) {
      this.#far.set(
        validatorIndex,
        rounds.filter((round) => round > currentRound + 1),
      );
    }
  }

  #round(round: number): RoundVotes {
    const found = this.#rounds.get(round);
    if (found !== undefined) return found;
    const made = { prevote: new VoteTally(this.#validators), precommit: new VoteTally(this.#validators) };
    this.#rounds.set(round, made);
    return made;
  }

  /** The votes of a round; undefined when there are none. */
  tally(round: number, type: VoteType): VoteTally | undefined {
    return this.#rounds.get(round)?.[type];
  }

  /** The rounds with votes, rising. */
  rounds(): number[] {
    return [...this.#rounds.keys()].sort((a, b) => a - b);
  }

  /** Blocks that more than 2/3 of the power precommitted, by rising round. */
  precommitMajorities(): { readonly round: number; readonly blockId: BlockId }[] {
    return this.rounds().flatMap((round) => {
      const blockId = this.#rounds.get(round)?.precommit.majority;
      return blockId === undefined || isNilBlockId(blockId) ? [] : [{ round, blockId }];
    });
  }

  /** The latest round after the current one in which more than 1/3 of the power voted (line 55). */
  roundToSkipTo(currentRound: number): number | undefined {
    for (const round of this.rounds().reverse()) {
      if (round <= currentRound) return undefined;
      if (this.#hasOneThird(round)) return round;
    }
    return undefined;
  }

  #hasOneThird(round: number): boolean {
    const votes = this.#rounds.get(round);
    if (votes === undefined) return false;
    const voters = new Set([...votes.prevote.voters(), ...votes.precommit.voters()]);
    let power = 0n;
    for (const index of voters) power += this.#validators.validators[index]?.votingPower ?? 0n;
    return isOneThird(this.#validators, power);
  }
}
