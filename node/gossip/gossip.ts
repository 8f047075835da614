/**
 * Consensus gossip: moves proposals, parts and votes so that every peer gets what it lacks.
 *
 * - Our own messages go to every peer at our height at once (`publish`).
 * - What the engine verified is announced at once (has-vote, parts held). A moment later it is given to the
 * peers
 *   that still seem to lack it: in a full mesh the announcements cross first, and few duplicates travel.
 * - A peer that moves is served at once: the proposal of its round, parts of the block it collects, votes;
 * stored
 *   precommits and parts when it is behind.
 * - Summaries, at the start of a session and at an interval, replace what each believes of the other. So
 * nothing
 *   depends on a message that an engine may have dropped: what is missing shows in the next summary, and is
 * sent.
 *
 * Only what the engine verified is passed on.
 */
import { countBits } from '../../consensus/types/bit-array.ts';
import { equalPartSetHeader } from '../../consensus/types/block-id.ts';
import { toHex } from '../../core/bytes.ts';
import { unreachable } from '../../core/errors.ts';
import { DATA_CHANNEL, STATE_CHANNEL, VOTES_CHANNEL } from '../../p2p/channels.ts';
import type { PeerInfo } from '../../p2p/network.ts';
import { Courier } from './courier.ts';
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
import { emptyMetrics, type GossipMetrics, type GossipOptions, type GossipPorts } from './options.ts';
import { PeerState } from './peer-state.ts';
import type { ConsensusMessage, ConsensusPublisher, GossipEvent } from './ports.ts';
import { collectedParts, roundStepOf, summaryOf } from './select.ts';

export { DEFAULT_GOSSIP } from './options.ts';

/** The consensus gossip of one node. */
export class Gossip implements ConsensusPublisher {
  readonly metrics: GossipMetrics = emptyMetrics();
  readonly #ports: GossipPorts;
  readonly #options: GossipOptions;
  readonly #peers: Map<string, PeerState> = new Map();
  readonly #stops: (() => void)[] = [];
  readonly #courier: Courier;
  /** What was last announced of the parts held. */
  #announced = '';
  #pass: { readonly atMs: number; readonly cancel: () => void } | undefined;
  #cancelAnnounce: (() => void) | undefined;
  #cancelSummary: (() => void) | undefined;
  #running = false;

  constructor(ports: GossipPorts, options: GossipOptions) {
    this.#ports = ports;
    this.#options = options;
    this.#courier = new Courier(ports, options, this.metrics);
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
    // There is nobody else to get a part of our own block from: it does not wait.
    if (message.kind === 'blockPart') this.#courier.forgetAge(message);
    for (const peer of this.#peers.values())
      if (peer.height === height) this.#courier.send(peer, message, bytes);
  }

  misbehaved(peer: string, reason: string): void {
    this.#ports.network.penalize(peer, { reason });
  }

  #connected(info: PeerInfo): void {
    this.#peer(info.id);
    const consensus = this.#ports.engine.consensus();
    if (consensus !== undefined) this.#tell(info.id, summaryOf(this.#ports.engine, consensus));
  }

  /** The state of a peer; messages may come before `start` has heard of the session. */
  #peer(peerId: string): PeerState {
    const known = this.#peers.get(peerId);
    if (known !== undefined) return known;
    const fresh = new PeerState(peerId);
    this.#peers.set(peerId, fresh);
    return fresh;
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
        this.#courier.partCame(event.header, event.index);
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
        this.#courier.newHeight();
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
    const peer = this.#peer(info.id);
    switch (message.kind) {
      case 'roundStep': {
        // The rest of a summary is on its way: it says what is missing.
        const move = peer.moveTo(message, this.#ports.timers.nowMs());
        if (move === 'moved') this.#schedulePass(0);
        if (move === 'summary') this.#courier.serveMajorities(peer);
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
    peer.setParts(message, this.#ports.timers.nowMs());
    if (message.height !== peer.height) return;
    const proposal = this.#ports.engine.consensus()?.proposal(message.round);
    const collects = proposal?.height === message.height && !message.decided;
    if (collects && equalPartSetHeader(proposal.blockId.partSetHeader, message.header))
      peer.addProposal(message.round, message.header);
  }

  #onData(info: PeerInfo, message: ConsensusMessage): void {
    const peer = this.#peer(info.id);
    const consensus = this.#ports.engine.consensus();
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
    for (const peer of this.#peers.values()) {
      const againMs = this.#courier.serve(peer, consensus);
      if (againMs !== undefined) this.#schedulePass(againMs);
    }
  }
}
