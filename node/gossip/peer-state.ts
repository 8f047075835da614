/**
 * What this node believes a peer to have. Beliefs come from what the peer says, what it sends and what was
 * sent to it; the peer's own summary replaces them. They decide only what is sent: a wrong one costs a
 * duplicate, or a wait until the next summary.
 */
import { type BitArray, setBits } from '../../consensus/types/bit-array.ts';
import { equalPartSetHeader, type PartSetHeader } from '../../consensus/types/block-id.ts';
import type { VoteType } from '../../consensus/types/vote.ts';
import type { Step } from '../../consensus/view.ts';
import { Bits, bitsOf } from './bits.ts';
import type { PartsHeld, RoundStep } from './messages.ts';

/** Vote sets remembered for a peer; more than two heights' worth of the rounds that gossip looks at. */
const VOTE_SETS_MAX = 64;

/** Proposals remembered for a peer at one height. */
const PROPOSALS_MAX = 64;

/** What is known of the peer's votes of one height, round and type, by validator index. */
export interface VoteKnowledge {
  /** The peer has it. */
  readonly has: Bits;
  /** The peer knows that this node has it, since one sent it to the other. */
  readonly exchanged: Bits;
}

/** The part set that a peer collects. */
export interface CollectedParts {
  readonly header: PartSetHeader;
  readonly has: Bits;
  /** The peer knows that this block is decided: it does not turn to another one. */
  readonly decided: boolean;
}

/**
 * What a round step says: the peer moved, it repeats itself as the start of a summary, or it is out of date.
 */
export type Move = 'moved' | 'summary' | 'stale';

/** Beliefs about one peer, from the start to the end of its session. */
export class PeerState {
  readonly id: string;
  /** 0n until the peer has said where it is. */
  height = 0n;
  round = 0;
  step: Step = 'newHeight';
  lastCommitRound = -1;
  /** When the peer came to its step. */
  movedAtMs = 0;
  /** The height that the peer was told of while it still stood at the one before. */
  wokenFor = 0n;
  /** The part set that the peer collects at its height. */
  parts: CollectedParts | undefined;
  /** When the peer was last seen to have got a part from somebody else. */
  othersServedAtMs: number = Number.NEGATIVE_INFINITY;
  /** The part set that the last summary made void. */
  #partsBefore: CollectedParts | undefined;
  readonly #proposals: Set<number> = new Set();
  readonly #votes: Map<string, VoteKnowledge & { readonly height: bigint }> = new Map();

  constructor(id: string) {
    this.id = id;
  }

  /** Takes a round step. A summary's forgets proposal and parts: what follows it says which the peer has. */
  moveTo(message: RoundStep, nowMs: number): Move {
    const { height, round, step } = message;
    if (height < this.height || (height === this.height && round < this.round)) return 'stale';
    const repeated = height === this.height && round === this.round && step === this.step;
    if (repeated || height > this.height) {
      this.#partsBefore = repeated ? (this.parts ?? this.#partsBefore) : undefined;
      this.parts = undefined;
      this.#proposals.clear();
    }
    if (height > this.height)
      for (const [key, votes] of this.#votes) if (votes.height + 1n < height) this.#votes.delete(key);
    if (!repeated) this.movedAtMs = nowMs;
    this.height = height;
    this.round = round;
    this.step = step;
    this.lastCommitRound = message.lastCommitRound;
    return repeated ? 'summary' : 'moved';
  }

  /** Takes the peer's word on the parts that it has. */
  setParts(message: PartsHeld, nowMs: number): void {
    if (message.height !== this.height) return;
    const before = this.parts ?? this.#partsBefore;
    const known =
      before !== undefined && equalPartSetHeader(before.header, message.header) ? before.has : new Bits();
    for (const index of setBits(message.bits)) if (!known.has(index)) this.othersServedAtMs = nowMs;
    this.parts = { header: message.header, has: bitsOf(message.bits), decided: message.decided };
  }

  hasProposal(round: number): boolean {
    return this.#proposals.has(round);
  }

  /** The peer has the proposal of a round of its height now, and so collects its parts. */
  addProposal(round: number, header: PartSetHeader): void {
    if (this.#proposals.size < PROPOSALS_MAX) this.#proposals.add(round);
    const same = this.parts !== undefined && equalPartSetHeader(this.parts.header, header);
    if (same || this.parts?.decided === true) return;
    this.parts = { header, has: new Bits(), decided: false };
  }

  /** True for votes that may still serve the peer: of its height, and of the one before. */
  isNear(height: bigint): boolean {
    return height === this.height || height + 1n === this.height;
  }

  /** What is known of a vote set. */
  votes(height: bigint, round: number, type: VoteType): VoteKnowledge {
    const key = `${height}/${round}/${type}`;
    const known = this.#votes.get(key);
    if (known !== undefined) return known;
    const fresh = { height, has: new Bits(), exchanged: new Bits() };
    this.#votes.set(key, fresh);
    if (this.#votes.size > VOTE_SETS_MAX) this.#forgetOldest();
    return fresh;
  }

  /** Takes the peer's word on the votes that it has. */
  setVotes(height: bigint, round: number, type: VoteType, bits: BitArray): void {
    this.votes(height, round, type).has.replace(bits);
  }

  #forgetOldest(): void {
    for (const key of this.#votes.keys()) {
      this.#votes.delete(key);
      return;
    }
  }
}
