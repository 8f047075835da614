/**
 * Messages from peers: queued, held against the current height, signatures checked, and turned into inputs.
 */
import type { Input } from '../../consensus/input.ts';
import type { PartSetHeader } from '../../consensus/types/block-id.ts';
import type { Part } from '../../consensus/types/part-set.ts';
import { type Proposal, verifyProposal } from '../../consensus/types/proposal.ts';
import type { VerifySignature } from '../../consensus/types/public-key.ts';
import { isOneThird } from '../../consensus/types/validator-set.ts';
import { type Vote, verifyVote } from '../../consensus/types/vote.ts';
import type { ConsensusReader } from '../../consensus/view.ts';
import { equalBytes } from '../../core/bytes.ts';
import type { BlockAssembly } from './block-assembly.ts';
import type { HeightContext } from './context.ts';
import type { ConsensusMessage, ConsensusPublisher } from './ports.ts';
import { PeerQueue, type QueueLimits } from './peer-queue.ts';

const MIB = 1024 * 1024;
/** Messages waiting to be handled: a peer's share holds the largest block. */
export const INPUT_LIMITS: QueueLimits = {
  count: 20_000,
  bytes: 128 * MIB,
  peerCount: 5_000,
  peerBytes: 32 * MIB,
};
/** Votes and proposals of the next height that are kept until it begins. */
export const FUTURE_LIMITS: QueueLimits = {
  count: 4_096,
  bytes: 16 * MIB,
  peerCount: 1_024,
  peerBytes: 4 * MIB,
};
/** Parts of the next height that are kept. */
export const FUTURE_PARTS_LIMITS: QueueLimits = {
  count: 256,
  bytes: 16 * MIB,
  peerCount: 64,
  peerBytes: 4 * MIB,
};
/** Bytes that a message is counted with beyond what it carries. */
const MESSAGE_OVERHEAD_BYTES = 512;

/** What handling a message came to. */
export type Taken =
  | { readonly kind: 'input'; readonly input: Input }
  | { readonly kind: 'part'; readonly header: PartSetHeader; readonly part: Part }
  /** Others have begun the next height: a message that shows it was verified, and waits for that height. */
  | { readonly kind: 'future' }
  /** Of no use: a duplicate, of another height, or bad. */
  | { readonly kind: 'nothing' };

/** What the inbox reads and tells. */
export interface InboxPorts {
  readonly core: ConsensusReader;
  readonly assembly: BlockAssembly;
  readonly verify: VerifySignature;
  readonly publisher: ConsensusPublisher;
}

const NOTHING: Taken = { kind: 'nothing' };
const WRONG_PROPOSAL = 'a proposal that the proposer of its round did not sign';
const WRONG_VOTE = 'a vote with a wrong signature, or of nobody in the validator set';

/** The queue of what peers sent. */
export class Inbox {
  readonly #ports: InboxPorts;
  readonly #queue = new PeerQueue<ConsensusMessage>(INPUT_LIMITS);
  readonly #future = new PeerQueue<ConsensusMessage>(FUTURE_LIMITS);
  readonly #futureParts = new PeerQueue<ConsensusMessage>(FUTURE_PARTS_LIMITS);
  /** Validators of whom a vote of the next height was verified. */
  readonly #futureVoters = new Set<number>();
  /** The proposal of the next height's first round was verified. */
  #isFutureProposed = false;

  constructor(ports: InboxPorts) {
    this.#ports = ports;
  }

  /** Messages that can be handled now. */
  get length(): number {
    return this.#queue.length;
  }

  /** Messages of the next height. */
  get futureLength(): number {
    return this.#future.length + this.#futureParts.length;
  }

  push(message: ConsensusMessage, peer: string): void {
    this.#queue.push({ entry: message, peer, bytes: bytesOf(message) });
  }

  /**
   * True when what was kept for the next height shows that others have begun it: the proposal of its first
   * round, or votes of more than a third of the power, so that an honest one is among them. A peer with a bad
   * signature is banned and its others are not looked at: there is one to check from each.
   */
  showsOthersAhead(next: HeightContext): boolean {
    const banned = new Set<string>();
    for (const { entry, peer } of this.#future.entries()) {
      if (banned.has(peer)) continue;
      if (!this.#isGoodFuture(entry, peer, next)) banned.add(peer);
      else if (this.#othersHaveBegun(next)) return true;
    }
    return false;
  }

  /** The next height has begun: what was kept for it is handled now. */
  releaseFuture(): void {
    for (const delivery of this.#future.drain()) this.#queue.push(delivery);
    for (const delivery of this.#futureParts.drain()) this.#queue.push(delivery);
    this.#futureVoters.clear();
    this.#isFutureProposed = false;
  }

  /**
   * Handles one message; undefined when there is none. `next` is given while the next height waits to be
   * begun: then what shows that others have begun it is verified when it comes, and only then counts.
   */
  next(current: HeightContext, next?: HeightContext): Taken | undefined {
    const delivery = this.#queue.shift();
    if (delivery === undefined) return undefined;
    const { entry: message, peer } = delivery;
    const height = heightOf(message);
    if (height === current.height + 1n) {
      if (next !== undefined && !this.#isGoodFuture(message, peer, next)) return NOTHING;
      (message.kind === 'blockPart' ? this.#futureParts : this.#future).push(delivery);
      return next !== undefined && this.#othersHaveBegun(next) ? { kind: 'future' } : NOTHING;
    }
    switch (message.kind) {
      case 'vote':
        return this.#vote(message.vote, peer, current);
      case 'proposal':
        return this.#proposal(message.proposal, peer, current);
      case 'blockPart':
        return height === current.height ? this.#part(message.part, peer) : NOTHING;
    }
  }

  /** Verifies what may show that others have begun, once for each validator; false when it is bad. */
  #isGoodFuture(message: ConsensusMessage, peer: string, next: HeightContext): boolean {
    if (message.kind === 'vote') return this.#isGoodFutureVote(message.vote, peer, next);
    if (message.kind === 'blockPart' || message.proposal.round !== 0 || this.#isFutureProposed) return true;
    const { chainId, validators } = next;
    const { proposer } = validators;
    const { verify } = this.#ports;
    this.#isFutureProposed =
      proposer !== undefined && verifyProposal(message.proposal, { chainId, proposer, verify });
    if (!this.#isFutureProposed) this.#blame(peer, WRONG_PROPOSAL);
    return this.#isFutureProposed;
  }

  #isGoodFutureVote(vote: Vote, peer: string, { chainId, validators }: HeightContext): boolean {
    const { validatorIndex } = vote;
    if (this.#futureVoters.has(validatorIndex)) return true;
    if (!verifyVote(vote, { chainId, validators, verify: this.#ports.verify })) {
      this.#blame(peer, WRONG_VOTE);
      return false;
    }
    this.#futureVoters.add(validatorIndex);
    return true;
  }

  #othersHaveBegun({ validators }: HeightContext): boolean {
    if (this.#isFutureProposed) return true;
    const voters = validators.validators.filter((_, index) => this.#futureVoters.has(index));
    const power = voters.reduce((sum, { votingPower }) => sum + votingPower, 0n);
    return isOneThird(validators, power);
  }

  #vote(vote: Vote, peer: string, current: HeightContext): Taken {
    const isLate = vote.height === current.height - 1n;
    if (vote.height !== current.height && !isLate) return NOTHING;
    const { core, verify } = this.#ports;
    const { round, type } = vote;
    const votes = isLate ? core.lastVotes(round, type) : core.votes(round, type);
    if (votes?.voteFor(vote.validatorIndex, vote.blockId) !== undefined) return NOTHING;
    const validators = isLate ? current.lastValidators : current.validators;
    if (!verifyVote(vote, { chainId: current.chainId, validators, verify })) {
      this.#blame(peer, WRONG_VOTE);
      return NOTHING;
    }
    return { kind: 'input', input: { kind: 'vote', vote } };
  }

  #proposal(proposal: Proposal, peer: string, current: HeightContext): Taken {
    const { core, verify } = this.#ports;
    if (proposal.height !== current.height) return NOTHING;
    const known = core.proposal(proposal.round);
    if (known !== undefined && equalBytes(known.signature, proposal.signature)) return NOTHING;
    const proposer = core.proposer(proposal.round);
    if (proposer === undefined) return NOTHING;
    if (!verifyProposal(proposal, { chainId: current.chainId, proposer, verify })) {
      this.#blame(peer, WRONG_PROPOSAL);
      return NOTHING;
    }
    return { kind: 'input', input: { kind: 'proposal', proposal } };
  }

  #part(part: Part, peer: string): Taken {
    const { outcome, header } = this.#ports.assembly.add(part, peer);
    if (outcome === 'added' && header !== undefined) return { kind: 'part', header, part };
    if (outcome === 'invalid')
      this.#blame(peer, 'a block part that is not of its block: wrong proof, index or size');
    return NOTHING;
  }

  /**
   * The peer is banned, and what else it sent is forgotten unread: checking a wrong signature costs
   * milliseconds, and a full queue of them would hold up everybody for half a minute.
   */
  #blame(peer: string, reason: string): void {
    for (const queue of [this.#queue, this.#future, this.#futureParts]) queue.remove(peer);
    this.#ports.publisher.misbehaved(peer, reason);
  }
}

function heightOf(message: ConsensusMessage): bigint {
  switch (message.kind) {
    case 'vote':
      return message.vote.height;
    case 'proposal':
      return message.proposal.height;
    case 'blockPart':
      return message.height;
  }
}

/** About what a message takes in memory. */
function bytesOf(message: ConsensusMessage): number {
  switch (message.kind) {
    case 'vote':
      return MESSAGE_OVERHEAD_BYTES + message.vote.extension.length;
    case 'proposal':
      return MESSAGE_OVERHEAD_BYTES;
    case 'blockPart':
      return MESSAGE_OVERHEAD_BYTES + message.part.bytes.length + 32 * message.part.proof.aunts.length;
  }
}
