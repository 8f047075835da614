/**
 * Consensus gossip: moves proposals, parts and votes so that every peer gets what it lacks.
 *
 * - Our own messages go to every peer at our height at once (`publish`).
 * - What the engine verified is announced at once (has-vote, parts held), and given a moment later to the
 * peers that
 *   still seem to lack it: in a full mesh the announcements cross first, and few duplicates travel.
 * - A peer that moves is served at once: the proposal of its round, parts of the block it collects, votes;
 * stored
 *   precommits and parts when it is behind.
 * - Summaries, at the start of a session and at an interval, replace what each believes of the other. So
 * nothing
 *   depends on a message that an engine may have dropped: what is missing is missing in the next summary, and
 * sent.
 *
 * Only what the engine verified is passed on.
 */
import { countBits, setBits } from '../../consensus/types/bit-array.ts';
import { equalPartSetHeader, type PartSetHeader } from '../../consensus/types/block-id.ts';
import { toHex } from '../../core/bytes.ts';
import { unreachable } from '../../core/errors.ts';
import type { Vote } from '../../consensus/types/vote.ts';
import type { ConsensusReader } from '../../consensus/view.ts';
import { DATA_CHANNEL, STATE_CHANNEL, VOTES_CHANNEL } from '../../p2p/channels.ts';
import type { Network, PeerInfo } from '../../p2p/network.ts';
import type { Timers } from '../../p2p/timers.ts';
import {
  decodeDataMessage,
  decodeStateMessage,
  decodeVoteMessage,
  encodeConsensusMessage,
  encodeStateMessage,
  type HasVote,
  type StateMessage,
} from './messages.ts';
import { heightOf, judgeNews } from './news.ts';
import { PeerState, type VoteKnowledge } from './peer-state.ts';
import type {
  ConsensusMessage,
  ConsensusPublisher,
  GossipEngine,
  GossipEvent,
  GossipStore,
} from './ports.ts';
import {
  collectedParts,
  majorityVotes,
  relevantRounds,
  roundStepOf,
  type ServedVotes,
  summaryOf,
  VOTE_TYPES,
  votesOfCommit,
} from './select.ts';

/** What gossip works with. */
export interface GossipPorts {
  readonly network: Network;
  readonly engine: GossipEngine;
  readonly store: GossipStore;
  readonly timers: Timers;
}

/** How long gossip waits. */
export interface GossipOptions {
  /** From hearing of a vote or a proposal to giving it to peers that seem to lack it. */
  readonly relayDelayMs: number;
  /** The same for a part: parts are large, and their announcements wait behind other parts. */
  readonly partRelayDelayMs: number;
  /** From getting a part to announcing the parts held; announcements in between travel as one. */
  readonly announceDelayMs: number;
  /** After the queue of a peer was full. */
  readonly retryDelayMs: number;
  /** Between summaries. */
  readonly summaryIntervalMs: number;
}

/** For blocks of a second or so. */
export const DEFAULT_GOSSIP: GossipOptions = {
  relayDelayMs: 10,
  partRelayDelayMs: 40,
  announceDelayMs: 2,
  retryDelayMs: 20,
  summaryIntervalMs: 1_000,
};

/** Counters since start. */
export interface GossipMetrics {
  votesSent: number;
  partsSent: number;
  proposalsSent: number;
  /** Sent to peers at an earlier height. */
  catchUpSent: number;
  /** Received, and held already. */
  duplicateVotes: number;
  duplicateProposals: number;
  /** Of a height that this node is not at. */
  irrelevant: number;
}

/** The consensus gossip of one node. */
export class Gossip implements ConsensusPublisher {
  readonly metrics: GossipMetrics = {
    votesSent: 0,
    partsSent: 0,
    proposalsSent: 0,
    catchUpSent: 0,
    duplicateVotes: 0,
    duplicateProposals: 0,
    irrelevant: 0,
  };
  readonly #ports: GossipPorts;
  readonly #options: GossipOptions;
  readonly #peers: Map<string, PeerState> = new Map();
  readonly #stops: (() => void)[] = [];
  /** Since when parts of others' blocks are held, by index and root. Those of our own are not in it. */
  readonly #heldSinceMs: Map<string, number> = new Map();
  /** What was last announced of the parts held. */
  #announced = '';
  #pass: { readonly atMs: number; readonly cancel: () => void } | undefined;
  #cancelAnnounce: (() => void) | undefined;
  #cancelSummary: (() => void) | undefined;
  #running = false;

  constructor(ports: GossipPorts, options: GossipOptions) {
    this.#ports = ports;
    this.#options = options;
    const { network } = ports;
    network.handle(STATE_CHANNEL.name, (peer, bytes) => this.#onState(peer, decodeStateMessage(bytes)));
    network.handle(DATA_CHANNEL.name, (peer, bytes) => this.#onData(peer, decodeDataMessage(bytes)));
    network.handle(VOTES_CHANNEL.name, (peer, bytes) => this.#onData(peer, decodeVoteMessage(bytes)));
  }

  start(): void {
    this.#running = true;
    this.#stops.push(
      this.#ports.engine.onEvent((event) => this.#onEvent(event)),
      this.#ports.network.onPeer({
        connected: (peer) => this.#connected(peer),
        disconnected: (peer) => void this.#peers.delete(peer.id),
      }),
    );
    this.#scheduleSummary();
  }

  stop(): void {
    this.#running = false;
    this.#pass?.cancel();
    this.#pass = undefined;
    this.#cancelAnnounce?.();
    this.#cancelSummary?.();
    for (const stop of this.#stops.splice(0)) stop();
    this.#peers.clear();
  }

  publish(message: ConsensusMessage): void {
    const height = heightOf(message);
    const bytes = encodeConsensusMessage(message);
    if (message.kind === 'blockPart') this.#own(message);
    for (const peer of this.#peers.values()) if (peer.height === height) this.#sendTo(peer, message, bytes);
  }

  /** A part of our own block: there is nobody else to get it from, so it does not wait. */
  #own(message: Extract<ConsensusMessage, { kind: 'blockPart' }>): void {
    const header = this.#ports.engine.consensus()?.proposal(message.round)?.blockId.partSetHeader;
    if (header !== undefined) this.#heldSinceMs.delete(partKey(header, message.part.index));
  }

  misbehaved(peer: string, reason: string): void {
    this.#ports.network.penalize(peer, { reason });
  }

  #connected(info: PeerInfo): void {
    this.#peers.set(info.id, new PeerState(info.id));
    const consensus = this.#ports.engine.consensus();
    if (consensus !== undefined) this.#tell(info.id, summaryOf(this.#ports.engine, consensus));
  }

  #tell(peerId: string, messages: readonly StateMessage[]): void {
    for (const message of messages)
      this.#ports.network.send(peerId, STATE_CHANNEL.name, encodeStateMessage(message));
  }

  #tellAll(messages: readonly StateMessage[]): void {
    for (const message of messages)
      this.#ports.network.broadcast(STATE_CHANNEL.name, encodeStateMessage(message));
  }

  #scheduleSummary(): void {
    this.#cancelSummary = this.#ports.timers.after(this.#options.summaryIntervalMs, () => {
      if (!this.#running) return;
      const consensus = this.#ports.engine.consensus();
      if (consensus !== undefined) this.#tellAll(summaryOf(this.#ports.engine, consensus));
      this.#schedulePass(0);
      this.#scheduleSummary();
    });
  }

  // What the engine tells.

  #onEvent(event: GossipEvent): void {
    const consensus = this.#ports.engine.consensus();
    if (consensus === undefined) return;
    switch (event.kind) {
      case 'step':
        this.#tellAll([roundStepOf(consensus)]);
        this.#scheduleAnnounce();
        break;
      case 'blockPart':
        this.#heldSinceMs.set(partKey(event.header, event.index), this.#ports.timers.nowMs());
        this.#scheduleAnnounce();
        break;
      case 'proposal':
        this.#scheduleAnnounce();
        break;
      case 'vote':
        this.#announceVote({ ...event.vote, kind: 'hasVote', index: event.vote.validatorIndex });
        // A majority may have named a block to collect.
        if (event.vote.type === 'precommit') this.#scheduleAnnounce();
        break;
      case 'committed':
        this.#heldSinceMs.clear();
        break;
      default:
        unreachable(event, 'engine event');
    }
    this.#schedulePass(this.#options.relayDelayMs);
  }

  #announceVote(vote: HasVote): void {
    const { height, round, type, index } = vote;
    const bytes = encodeStateMessage({ kind: 'hasVote', height, round, type, index });
    for (const peer of this.#peers.values()) {
      if (!peer.isNear(height) && peer.height + 1n !== height) continue;
      if (peer.votes(height, round, type).exchanged.has(index)) continue;
      this.#ports.network.send(peer.id, STATE_CHANNEL.name, bytes);
    }
  }

  #scheduleAnnounce(): void {
    this.#cancelAnnounce ??= this.#ports.timers.after(this.#options.announceDelayMs, () => {
      this.#cancelAnnounce = undefined;
      const consensus = this.#ports.engine.consensus();
      const parts = consensus === undefined ? undefined : collectedParts(this.#ports.engine, consensus);
      if (parts === undefined) return;
      const key = `${parts.height}/${toHex(parts.header.hash)}/${countBits(parts.bits)}/${parts.decided}`;
      if (key !== this.#announced) this.#tellAll([parts]);
      this.#announced = key;
    });
  }

  // What peers tell.

  #onState(info: PeerInfo, message: StateMessage): void {
    const peer = this.#peers.get(info.id);
    if (peer === undefined) return;
    switch (message.kind) {
      case 'roundStep': {
        // The rest of a summary is on its way: it says what is missing.
        const move = peer.moveTo(message);
        if (move === 'moved') this.#schedulePass(0);
        if (move === 'summary') this.#serveMajorities(peer);
        return;
      }
      case 'partsHeld':
        this.#peerHoldsParts(peer, message);
        break;
      case 'hasVote':
        if (peer.isNear(message.height))
          peer.votes(message.height, message.round, message.type).has.add(message.index);
        return;
      case 'votesHeld':
        if (peer.isNear(message.height))
          peer.setVotes(message.height, message.round, message.type, message.bits);
        break;
      default:
        unreachable(message, 'state message');
    }
    this.#schedulePass(this.#options.relayDelayMs);
  }

  #peerHoldsParts(peer: PeerState, message: Extract<StateMessage, { kind: 'partsHeld' }>): void {
    peer.setParts(message);
    if (message.height !== peer.height) return;
    const proposal = this.#ports.engine.consensus()?.proposal(message.round);
    const collects = proposal?.height === message.height && !message.decided;
    if (collects && equalPartSetHeader(proposal.blockId.partSetHeader, message.header))
      peer.addProposal(message.round, message.header);
  }

  #onData(info: PeerInfo, message: ConsensusMessage): void {
    const peer = this.#peers.get(info.id);
    const consensus = this.#ports.engine.consensus();
    if (peer === undefined) return;
    this.#learnFrom(peer, message);
    if (consensus === undefined) return;
    const news = judgeNews(consensus, message);
    if (news === 'news') this.#ports.engine.receive(message, peer.id);
    else if (news === 'irrelevant') this.metrics.irrelevant++;
    else if (message.kind === 'vote') this.metrics.duplicateVotes++;
    else this.metrics.duplicateProposals++;
  }

  /** Who sends something has it, and knows that this node has it. */
  #learnFrom(peer: PeerState, message: ConsensusMessage): void {
    if (message.kind === 'vote') {
      const { height, round, type, validatorIndex } = message.vote;
      if (!peer.isNear(height)) return;
      const known = peer.votes(height, round, type);
      known.has.add(validatorIndex);
      known.exchanged.add(validatorIndex);
    } else if (message.kind === 'proposal') {
      const { proposal } = message;
      if (proposal.height === peer.height) peer.addProposal(proposal.round, proposal.blockId.partSetHeader);
    } else if (message.height === peer.height) {
      const { index, proof } = message.part;
      if (peer.parts?.header.total === proof.total) peer.parts.has.add(index);
    }
  }

  // Sending what peers lack.

  #schedulePass(delayMs: number): void {
    const { timers } = this.#ports;
    const atMs = timers.nowMs() + delayMs;
    if (!this.#running || (this.#pass !== undefined && this.#pass.atMs <= atMs)) return;
    this.#pass?.cancel();
    const cancel = timers.after(delayMs, () => {
      this.#pass = undefined;
      this.#serveAll();
    });
    this.#pass = { atMs, cancel };
  }

  #serveAll(): void {
    const consensus = this.#ports.engine.consensus();
    if (consensus === undefined) return;
    for (const peer of this.#peers.values())
      if (!this.#serve(peer, consensus)) this.#schedulePass(this.#options.retryDelayMs);
  }

  /** Sends a peer what it lacks; false when its queue was full. */
  #serve(peer: PeerState, consensus: ConsensusReader): boolean {
    const { height } = consensus.view();
    if (peer.height === 0n || peer.height > height) return true;
    if (peer.height < height) return this.#serveBehind(peer, consensus, height);
    if (!this.#serveProposal(peer, consensus)) return false;
    if (peer.step === 'newHeight' && !this.#serveLastCommit(peer, consensus)) return false;
    for (const round of relevantRounds(consensus, peer.round))
      for (const type of VOTE_TYPES) {
        const votes = consensus.votes(round, type);
        if (votes !== undefined && !this.#serveVotes(peer, votes, { height, round, type })) return false;
      }
    return this.#serveParts(peer);
  }

  #serveProposal(peer: PeerState, consensus: ConsensusReader): boolean {
    if (peer.hasProposal(peer.round)) return true;
    const proposal = consensus.proposal(peer.round);
    return proposal === undefined || this.#sendTo(peer, { kind: 'proposal', proposal });
  }

  #serveParts(peer: PeerState): boolean {
    const { engine } = this.#ports;
    if (peer.parts === undefined) return true;
    const { header, has } = peer.parts;
    const held = engine.partBits(header);
    if (held === undefined) return true;
    for (const index of setBits(held)) {
      if (has.has(index)) continue;
      const part = engine.part(header, index);
      if (part === undefined || this.#isYoung(header, index)) continue;
      const { height, round } = peer;
      if (!this.#sendTo(peer, { kind: 'blockPart', height, round, part })) return false;
    }
    return true;
  }

  /** A part that came a moment ago: the peer may have got it too, and its announcement may be on its way. */
  #isYoung(header: PartSetHeader, index: number): boolean {
    const sinceMs = this.#heldSinceMs.get(partKey(header, index));
    if (sinceMs === undefined) return false;
    const waitMs = sinceMs + this.#options.partRelayDelayMs - this.#ports.timers.nowMs();
    if (waitMs > 0) this.#schedulePass(waitMs);
    return waitMs > 0;
  }

  #serveLastCommit(peer: PeerState, consensus: ConsensusReader): boolean {
    const votes = consensus.lastPrecommits();
    const round = consensus.lastCommit()?.round;
    if (votes === undefined || round === undefined) return true;
    return this.#serveVotes(peer, votes, { height: peer.height - 1n, round, type: 'precommit' });
  }

  /**
   * A peer at a height that is decided: the precommits that decided it, then the parts once it collects them.
   */
  #serveBehind(peer: PeerState, consensus: ConsensusReader, height: bigint): boolean {
    const { store } = this.#ports;
    const commit =
      store.commit(peer.height) ?? (peer.height + 1n === height ? consensus.lastCommit() : undefined);
    if (commit === undefined) return true;
    const votes = votesOfCommit(commit);
    const about = { height: peer.height, round: commit.round, type: 'precommit' } as const;
    if (!this.#serveVotes(peer, votes, about)) return false;
    const header = store.blockId(peer.height)?.partSetHeader;
    const collected = peer.parts;
    if (header === undefined || collected === undefined) return true;
    if (!equalPartSetHeader(header, collected.header)) return true;
    for (let index = 0; index < header.total; index++) {
      if (collected.has.has(index)) continue;
      const part = store.part(peer.height, index);
      if (part === undefined) return true;
      const message = { kind: 'blockPart', height: peer.height, round: commit.round, part } as const;
      if (!this.#sendTo(peer, message)) return false;
      this.metrics.catchUpSent++;
    }
    return true;
  }

  /**
   * A peer that stands where it stood a summary ago gets the votes of majorities, whether it seems to have
   * them or not: see `majorityVotes`. What does not fit its queue comes with the next summary.
   */
  #serveMajorities(peer: PeerState): void {
    const { engine, store, network } = this.#ports;
    const consensus = engine.consensus();
    if (consensus === undefined || peer.step === 'newHeight' || peer.step === 'commit') return;
    const commit = store.commit(peer.height);
    const ofCommit = commit === undefined ? [] : votesIn(votesOfCommit(commit));
    const votes = peer.height === consensus.view().height ? majorityVotes(consensus, peer.round) : ofCommit;
    for (const vote of votes) {
      if (!network.send(peer.id, VOTES_CHANNEL.name, encodeConsensusMessage({ kind: 'vote', vote }))) return;
      this.metrics.votesSent++;
    }
  }

  #serveVotes(peer: PeerState, votes: ServedVotes, about: Omit<HasVote, 'kind' | 'index'>): boolean {
    const known: VoteKnowledge = peer.votes(about.height, about.round, about.type);
    for (const index of setBits(votes.bits)) {
      if (known.has.has(index)) continue;
      const vote = votes.vote(index);
      if (vote !== undefined && !this.#sendTo(peer, { kind: 'vote', vote })) return false;
    }
    return true;
  }

  /** Sends one message unless the peer has it; false when its queue was full. */
  #sendTo(peer: PeerState, message: ConsensusMessage, encoded?: Uint8Array): boolean {
    const send = (channel: string): boolean =>
      this.#ports.network.send(peer.id, channel, encoded ?? encodeConsensusMessage(message));
    switch (message.kind) {
      case 'vote': {
        const { height, round, type, validatorIndex } = message.vote;
        const known = peer.votes(height, round, type);
        if (known.has.has(validatorIndex)) return true;
        if (!send(VOTES_CHANNEL.name)) return false;
        known.has.add(validatorIndex);
        known.exchanged.add(validatorIndex);
        this.metrics.votesSent++;
        return true;
      }
      case 'proposal': {
        const { round, blockId } = message.proposal;
        if (peer.hasProposal(round)) return true;
        if (!send(DATA_CHANNEL.name)) return false;
        peer.addProposal(round, blockId.partSetHeader);
        this.metrics.proposalsSent++;
        return true;
      }
      case 'blockPart': {
        const { index } = message.part;
        if (peer.parts?.has.has(index) === true) return true;
        if (!send(DATA_CHANNEL.name)) return false;
        peer.parts?.has.add(index);
        this.metrics.partsSent++;
        return true;
      }
      default:
        return unreachable(message, 'consensus message');
    }
  }
}

function votesIn(votes: ServedVotes): readonly Vote[] {
  return [...setBits(votes.bits)].flatMap((index) => votes.vote(index) ?? []);
}

function partKey(header: PartSetHeader, index: number): string {
  return `${index}/${toHex(header.hash)}`;
}
