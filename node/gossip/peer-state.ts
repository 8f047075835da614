/**
 * What this node believes a peer to have. Beliefs come from what the peer says, what it sends and what was sent to it;
 * the peer's own summary replaces them. They decide only what is sent: a wrong one costs a duplicate, or a wait until the
 * next summary.
 */
import type { BitArray } from '../../consensus/types/bit-array.ts';
import { setBits } from '../../consensus/types/bit-array.ts';
import { equalPartSetHeader, type PartSetHeader } from '../../consensus/types/block-id.ts';
import type { VoteType } from '../../consensus/types/vote.ts';
import type { Step } from '../../consensus/view.ts';
import type { PartsHeld, RoundStep } from './messages.ts';

/** Vote sets remembered for a peer; more than two heights' worth of the rounds that gossip looks at. */
const VOTE_SETS_MAX = 64;

/** What is known of the peer's votes of one height, round and type, by validator index. */
export interface VoteKnowledge {
  /** The peer has it. */
  readonly has: Set<number>;
  /** The peer knows that this node has it, since one sent it to the other. */
  readonly exchanged: Set<number>;
}

/** Beliefs about one peer, from the start to the end of its session. */
export class PeerState {
  readonly id: string;
  /** 0n until the peer has said where it is. */
  height = 0n;
  round = 0;
  step: Step = 'newHeight';
  lastCommitRound = -1;
  /** The part set that the peer collects at its height. */
  parts: { readonly header: PartSetHeader; readonly has: Set<number> } | undefined;
  readonly #proposals: Set<number> = new Set();
  readonly #votes: Map<string, VoteKnowledge & { readonly height: bigint }> = new Map();

  constructor(id: string) {
    this.id = id;
  }

  /** Takes a round step; false when it does not lie ahead of what the peer said before. */
  moveTo(message: RoundStep): boolean {
    const { height, round } = message;
    const back = height < this.height || (height === this.height && round < this.round);
    if (back) return false;
    if (height > this.height) {
      this.parts = undefined;
      this.#proposals.clear();
      for (const [key, votes] of this.#votes) if (votes.height + 1n < height) this.#votes.delete(key);
    }
    this.height = height;
    this.round = round;
    this.step = message.step;
    this.lastCommitRound = message.lastCommitRound;
    return true;
  }

  /** Takes the peer's word on the parts that it has. */
  setParts(message: PartsHeld): void {
    if (message.height !== this.height) return;
    this.parts = { header: message.header, has: new Set(setBits(message.bits)) };
  }

  hasProposal(round: number): boolean {
    return this.#proposals.has(round);
  }

  /** The peer has the proposal of a round of its height now, and so collects its parts. */
  addProposal(round: number, header: PartSetHeader): void {
    this.#proposals.add(round);
    if (this.parts !== undefined && equalPartSetHeader(this.parts.header, header)) return;
    this.parts = { header, has: new Set() };
  }

  /** What is known of a vote set. */
  votes(height: bigint, round: number, type: VoteType): VoteKnowledge {
    const key = `${height}/${round}/${type}`;
    const known = this.#votes.get(key);
    if (known !== undefined) return known;
    const fresh = { height, has: new Set<number>(), exchanged: new Set<number>() };
    this.#votes.set(key, fresh);
    if (this.#votes.size > VOTE_SETS_MAX) this.#forgetOldest();
    return fresh;
  }

  /** Takes the peer's word on the votes that it has. */
  setVotes(height: bigint, round: number, type: VoteType, bits: BitArray): void {
    const { has } = this.votes(height, round, type);
    has.clear();
    for (const index of setBits(bits)) has.add(index);
  }

  #forgetOldest(): void {
    for (const key of this.#votes.keys()) {
      this.#votes.delete(key);
      return;
    }
  }
}
