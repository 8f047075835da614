/**
 * Messages from peers: queued, held against the current height, signatures checked, and turned into inputs.
 */
import type { Input } from '../../consensus/input.ts';
import type { PartSetHeader } from '../../consensus/types/block-id.ts';
import type { Part } from '../../consensus/types/part-set.ts';
import { type Proposal, verifyProposal } from '../../consensus/types/proposal.ts';
import type { VerifySignature } from '../../consensus/types/public-key.ts';
import { type Vote, verifyVote } from '../../consensus/types/vote.ts';
import type { ConsensusReader } from '../../consensus/view.ts';
import { equalBytes } from '../../core/bytes.ts';
import type { BlockAssembly } from './block-assembly.ts';
import type { HeightContext } from './engine.ts';
import type { ConsensusMessage, ConsensusPublisher } from './ports.ts';
import { BoundedQueue } from './queue.ts';

/** Messages waiting to be handled. */
export const INPUT_QUEUE_MAX = 20_000;
/** Votes and proposals of the next height that are kept until it begins. */
const FUTURE_MESSAGES_MAX = 4_096;
/** Parts of the next height that are kept: 8 MiB. */
const FUTURE_PARTS_MAX = 128;

/** What handling a message came to. */
export type Taken =
  | { readonly kind: 'input'; readonly input: Input }
  | { readonly kind: 'part'; readonly header: PartSetHeader; readonly part: Part }
  /** Of the next height: kept until it begins. */
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

interface Delivery {
  readonly message: ConsensusMessage;
  readonly peer: string;
}

const NOTHING: Taken = { kind: 'nothing' };

/** The queue of what peers sent. */
export class Inbox {
  readonly #ports: InboxPorts;
  readonly #queue = new BoundedQueue<Delivery>(INPUT_QUEUE_MAX);
  readonly #future = new BoundedQueue<Delivery>(FUTURE_MESSAGES_MAX);
  readonly #futureParts = new BoundedQueue<Delivery>(FUTURE_PARTS_MAX);

  constructor(ports: InboxPorts) {
    this.#ports = ports;
  }

  /** Messages that can be handled now. */
  get length(): number {
    return this.#queue.length;
  }

  /** True when there are messages of the next height. */
  get hasFuture(): boolean {
    return this.#future.length + this.#futureParts.length > 0;
  }

  push(message: ConsensusMessage, peer: string): void {
    this.#queue.push({ message, peer });
  }

  /** The next height has begun: what was kept for it is handled now. */
  releaseFuture(): void {
    for (const delivery of this.#future.drain()) this.#queue.push(delivery);
    for (const delivery of this.#futureParts.drain()) this.#queue.push(delivery);
  }

  /** Handles one message; undefined when there is none. */
  next(current: HeightContext): Taken | undefined {
    const delivery = this.#queue.shift();
    if (delivery === undefined) return undefined;
    const { message, peer } = delivery;
    const height = heightOf(message);
    if (height === current.height + 1n) {
      (message.kind === 'blockPart' ? this.#futureParts : this.#future).push(delivery);
      return { kind: 'future' };
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

  #vote(vote: Vote, peer: string, current: HeightContext): Taken {
    const isLate = vote.height === current.height - 1n && vote.type === 'precommit';
    if (vote.height !== current.height && !isLate) return NOTHING;
    const { core, verify } = this.#ports;
    const votes = isLate ? core.lastPrecommits() : core.votes(vote.round, vote.type);
    if (votes?.voteFor(vote.validatorIndex, vote.blockId) !== undefined) return NOTHING;
    const validators = isLate ? current.lastValidators : current.validators;
    if (!verifyVote(vote, { chainId: current.chainId, validators, verify })) {
      this.#blame(peer, 'a vote with a wrong signature, or of nobody in the validator set');
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
      this.#blame(peer, 'a proposal that the proposer of its round did not sign');
      return NOTHING;
    }
    return { kind: 'input', input: { kind: 'proposal', proposal } };
  }

  #part(part: Part, peer: string): Taken {
    const { outcome, header } = this.#ports.assembly.add(part);
    if (outcome === 'added' && header !== undefined) return { kind: 'part', header, part };
    if (outcome === 'invalid') this.#blame(peer, 'a block part with a wrong proof');
    return NOTHING;
  }

  /**
   * The peer is banned, and what else it sent is forgotten unread: checking a wrong signature costs
   * milliseconds, and a full queue of them would hold up everybody for half a minute.
   */
  #blame(peer: string, reason: string): void {
    const isOfPeer = (delivery: Delivery): boolean => delivery.peer === peer;
    for (const queue of [this.#queue, this.#future, this.#futureParts]) queue.remove(isOfPeer);
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
