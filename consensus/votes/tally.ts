/**
 * The votes of one type in one round. Each validator's power counts once towards "anything", and once
 * towards each value that it signed: an equivocator cannot lead two honest nodes to different counts by the
 * order in which it sends. How many values it may be counted for is bounded.
 */
import { equalBytes } from '../../core/bytes.ts';
import { type BitArray, bitArray } from '../types/bit-array.ts';
import { type BlockId, blockIdKey } from '../types/block-id.ts';
import type { ValidatorSet } from '../types/validator.ts';
import { isOneThird, isTwoThirds } from '../types/validator-set.ts';
import type { Vote } from '../types/vote.ts';
import type { VotesView } from '../view.ts';

/**
 * Most different votes that are kept of one validator, unless a further one is for a value that +1/3 voted
 * for.
 */
export const CONFLICTING_VOTES_MAX = 2;

/**
 * What became of a vote. `conflict`: the signer had signed something else; `first` is that, `kept` whether
 * it counts.
 */
export type AddedVote =
  | { readonly kind: 'added' }
  | { readonly kind: 'ignored' }
  | { readonly kind: 'conflict'; readonly first: Vote; readonly kept: boolean };

interface Count {
  readonly blockId: BlockId;
  power: bigint;
}

/** Counts votes as they come. */
export class VoteTally implements VotesView {
  readonly #validators: ValidatorSet;
  /** Of each validator the votes kept, the first one first. */
  readonly #votes = new Map<number, Vote[]>();
  readonly #counts = new Map<string, Count>();
  #power = 0n;
  #majority: BlockId | undefined;

  constructor(validators: ValidatorSet) {
    this.#validators = validators;
  }

  /** Counts a vote whose height, round and type are those of this tally, and whose signature is good. */
  add(vote: Vote): AddedVote {
    const validator = this.#validators.validators[vote.validatorIndex];
    if (validator === undefined || !equalBytes(validator.address, vote.validatorAddress))
      return { kind: 'ignored' };
    const held = this.#votes.get(vote.validatorIndex) ?? [];
    const key = blockIdKey(vote.blockId);
    if (held.some((other) => blockIdKey(other.blockId) === key)) return { kind: 'ignored' };
    const [first] = held;
    if (first === undefined) this.#power += validator.votingPower;
    const wanted = isOneThird(this.#validators, this.#counts.get(key)?.power ?? 0n);
    const kept = held.length < CONFLICTING_VOTES_MAX || wanted;
    if (kept) {
      this.#votes.set(vote.validatorIndex, [...held, vote]);
      this.#count(key, vote.blockId, validator.votingPower);
    }
    return first === undefined ? { kind: 'added' } : { kind: 'conflict', first, kept };
  }

  /** Forgets the votes of a validator. */
  remove(validatorIndex: number): void {
    const validator = this.#validators.validators[validatorIndex];
    const held = this.#votes.get(validatorIndex);
    if (validator === undefined || held === undefined) return;
    this.#votes.delete(validatorIndex);
    this.#power -= validator.votingPower;
    for (const vote of held) this.#count(blockIdKey(vote.blockId), vote.blockId, -validator.votingPower);
  }

  #count(key: string, blockId: BlockId, power: bigint): void {
    const count = this.#counts.get(key) ?? { blockId, power: 0n };
    count.power += power;
    if (count.power === 0n) this.#counts.delete(key);
    else this.#counts.set(key, count);
    this.#majority = undefined;
    for (const candidate of this.#counts.values()) {
      if (isTwoThirds(this.#validators, candidate.power)) this.#majority ??= candidate.blockId;
    }
  }

  /** What more than 2/3 of the power voted for: a block, or nil (`NIL_BLOCK_ID`). */
  get majority(): BlockId | undefined {
    return this.#majority;
  }

  /** True when more than 2/3 of the power voted for this. */
  hasMajorityFor(blockId: BlockId): boolean {
    return isTwoThirds(this.#validators, this.#counts.get(blockIdKey(blockId))?.power ?? 0n);
  }

  /** True when more than 2/3 of the power voted, for whatever. */
  hasTwoThirdsAny(): boolean {
    return isTwoThirds(this.#validators, this.#power);
  }

  /** True when all validators voted. */
  isComplete(): boolean {
    return this.#votes.size === this.#validators.validators.length;
  }

  /** Who voted. */
  voters(): Iterable<number> {
    return this.#votes.keys();
  }

  /** True when this validator voted. */
  hasVoted(validatorIndex: number): boolean {
    return this.#votes.has(validatorIndex);
  }

  get bits(): BitArray {
    return bitArray(this.#validators.validators.length, this.#votes.keys());
  }

  vote(validatorIndex: number): Vote | undefined {
    return this.#votes.get(validatorIndex)?.[0];
  }

  bitsFor(blockId: BlockId): BitArray {
    const length = this.#validators.validators.length;
    return bitArray(
      length,
      [...this.#votes.keys()].filter((index) => this.voteFor(index, blockId) !== undefined),
    );
  }

  voteFor(validatorIndex: number, blockId: BlockId): Vote | undefined {
    const key = blockIdKey(blockId);
    return this.#votes.get(validatorIndex)?.find((vote) => blockIdKey(vote.blockId) === key);
  }
}
