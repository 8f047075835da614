/** Sends peers what they lack, by what is believed of them, and keeps the beliefs up. */
import { setBits } from '../../consensus/types/bit-array.ts';
import { equalPartSetHeader, type PartSetHeader } from '../../consensus/types/block-id.ts';
import type { Vote, VoteType } from '../../consensus/types/vote.ts';
import type { ConsensusReader } from '../../consensus/view.ts';
import { toHex } from '../../core/bytes.ts';
import { unreachable } from '../../core/errors.ts';
import { DATA_CHANNEL, VOTES_CHANNEL } from '../../p2p/channels.ts';
import { encodeConsensusMessage } from './messages.ts';
import type { GossipMetrics, GossipOptions, GossipPorts } from './options.ts';
import type { PeerState } from './peer-state.ts';
import type { ConsensusMessage } from './ports.ts';
import { majorityVotes, relevantRounds, type ServedVotes, VOTE_TYPES, votesOfCommit } from './select.ts';

interface VoteSetName {
  readonly height: bigint;
  readonly round: number;
  readonly type: VoteType;
}

type BlockPart = Extract<ConsensusMessage, { kind: 'blockPart' }>;

/** The outgoing side of gossip. */
export class Courier {
  readonly #ports: GossipPorts;
  readonly #options: GossipOptions;
  readonly #metrics: GossipMetrics;
  /** Since when parts of others' blocks are held, by index and root. Those of our own are not in it. */
  readonly #heldSinceMs: Map<string, number> = new Map();
  /** Milliseconds after which the peer at hand should be served again. */
  #againMs: number | undefined;

  constructor(ports: GossipPorts, options: GossipOptions, metrics: GossipMetrics) {
    this.#ports = ports;
    this.#options = options;
    this.#metrics = metrics;
  }

  /** A part of another's block is held now. */
  partCame(header: PartSetHeader, index: number): void {
    this.#heldSinceMs.set(partKey(header, index), this.#ports.timers.nowMs());
  }

  /** A part of our own block goes out without delay. */
  forgetAge(message: BlockPart): void {
    const header = this.#ports.engine.consensus()?.proposal(message.round)?.blockId.partSetHeader;
    if (header !== undefined) this.#heldSinceMs.delete(partKey(header, message.part.index));
  }

  newHeight(): void {
    this.#heldSinceMs.clear();
  }

  /**
   * Sends a peer what it lacks; returns after how long to do so again, or undefined when that is not
   * needed.
   */
  serve(peer: PeerState, consensus: ConsensusReader): number | undefined {
    this.#againMs = undefined;
    const { height } = consensus.view();
    if (peer.height === 0n || peer.height > height) return undefined;
    const all =
      peer.height === height
        ? this.#serveHeight(peer, consensus)
        : this.#serveBehind(peer, consensus, height);
    if (!all) this.#again(this.#options.retryDelayMs);
    return this.#againMs;
  }

  /** Sends one message unless the peer has it; false when its queue was full. */
  send(peer: PeerState, message: ConsensusMessage, encoded?: Uint8Array): boolean {
    const put = (channel: string): boolean =>
      this.#ports.network.send(peer.id, channel, encoded ?? encodeConsensusMessage(message));
    switch (message.kind) {
      case 'vote': {
        const { height, round, type, validatorIndex } = message.vote;
        const known = peer.votes(height, round, type);
        if (known.has.has(validatorIndex)) return true;
        if (!put(VOTES_CHANNEL.name)) return false;
        known.has.add(validatorIndex);
        known.exchanged.add(validatorIndex);
        this.#metrics.votesSent++;
        return true;
      }
      case 'proposal': {
        const { round, blockId } = message.proposal;
        if (peer.hasProposal(round)) return true;
        if (!put(DATA_CHANNEL.name)) return false;
        peer.addProposal(round, blockId.partSetHeader);
        this.#metrics.proposalsSent++;
        return true;
      }
      case 'blockPart': {
        const { index } = message.part;
        if (peer.parts?.has.has(index) === true) return true;
        if (!put(DATA_CHANNEL.name)) return false;
        peer.parts?.has.add(index);
        this.#metrics.partsSent++;
        return true;
      }
      default:
        return unreachable(message, 'consensus message');
    }
  }

  /**
   * A peer that stands where it stood a summary ago gets the votes of majorities whether it seems to have
   * them or not: see `majorityVotes`. What does not fit its queue comes with the next summary.
   */
  serveMajorities(peer: PeerState): void {
    const { engine, store, network } = this.#ports;
    const consensus = engine.consensus();
    if (consensus === undefined || peer.step === 'newHeight' || peer.step === 'commit') return;
    const commit = store.commit(peer.height);
    const ofCommit = commit === undefined ? [] : votesIn(votesOfCommit(commit));
    const isHere = peer.height === consensus.view().height;
    const votes = isHere ? majorityVotes(consensus, peer.round) : ofCommit;
    for (const vote of votes) {
      if (!network.send(peer.id, VOTES_CHANNEL.name, encodeConsensusMessage({ kind: 'vote', vote }))) return;
      this.#metrics.votesSent++;
    }
  }

  #again(delayMs: number): void {
    this.#againMs = Math.min(this.#againMs ?? delayMs, delayMs);
  }

  /** A peer at our height; false when its queue was full. */
  #serveHeight(peer: PeerState, consensus: ConsensusReader): boolean {
    const proposal = peer.hasProposal(peer.round) ? undefined : consensus.proposal(peer.round);
    if (proposal !== undefined && !this.send(peer, { kind: 'proposal', proposal })) return false;
    if (peer.step === 'newHeight' && !this.#serveLastCommit(peer, consensus)) return false;
    return this.#serveRounds(peer, consensus, peer.round) && this.#serveParts(peer);
  }

  #serveRounds(peer: PeerState, consensus: ConsensusReader, peerRound: number): boolean {
    const { height } = consensus.view();
    for (const round of relevantRounds(consensus, peerRound))
      for (const type of VOTE_TYPES) {
        const votes = consensus.votes(round, type);
        if (votes !== undefined && !this.#serveVotes(peer, votes, { height, round, type })) return false;
      }
    return true;
  }

  /**
   * Parts of the block that the peer collects. Parts of others' blocks wait, and come a few at a time: the
   * peer may be getting them from where this node got them, and a block is sent often enough as it is.
   */
  #serveParts(peer: PeerState): boolean {
    const { engine } = this.#ports;
    if (peer.parts === undefined) return true;
    const { header, has } = peer.parts;
    const held = engine.partBits(header);
    if (held === undefined) return true;
    const { height, round } = peer;
    let room = this.#options.relayedPartsMax;
    for (const index of setBits(held)) {
      if (has.has(index)) continue;
      const waitMs = this.#relayWaitMs(peer, partKey(header, index));
      if (waitMs !== undefined && (waitMs > 0 || room-- === 0)) {
        this.#again(Math.max(waitMs, this.#options.retryDelayMs));
        if (waitMs > 0) continue;
        return true;
      }
      const part = engine.part(header, index);
      if (part === undefined) continue;
      if (!this.send(peer, { kind: 'blockPart', height, round, part })) return false;
    }
    return true;
  }

  /** How long to hold a part back from a peer; undefined for a part of our own block. */
  #relayWaitMs(peer: PeerState, key: string): number | undefined {
    const sinceMs = this.#heldSinceMs.get(key);
    if (sinceMs === undefined) return undefined;
    const { partRelayDelayMs, othersServeMs } = this.#options;
    const fromMs = Math.max(sinceMs + partRelayDelayMs, peer.othersServedAtMs + othersServeMs);
    return Math.max(0, fromMs - this.#ports.timers.nowMs());
  }

  #serveLastCommit(peer: PeerState, consensus: ConsensusReader): boolean {
    const votes = consensus.lastPrecommits();
    const round = consensus.lastCommit()?.round;
    if (votes === undefined || round === undefined) return true;
    return this.#serveVotes(peer, votes, { height: peer.height - 1n, round, type: 'precommit' });
  }

  /**
   * A peer at a height that is decided: the precommits that decided it, then the parts once it collects
   * them.
   */
  #serveBehind(peer: PeerState, consensus: ConsensusReader, height: bigint): boolean {
    const { store } = this.#ports;
    const isLast = peer.height + 1n === height;
    if (isLast && peer.step === 'commit' && !this.#wake(peer, consensus)) return false;
    const commit = store.commit(peer.height) ?? (isLast ? consensus.lastCommit() : undefined);
    if (commit === undefined) return true;
    const about = { height: peer.height, round: commit.round, type: 'precommit' } as const;
    if (!this.#serveVotes(peer, votesOfCommit(commit), about)) return false;
    const header = store.blockId(peer.height)?.partSetHeader;
    if (header === undefined || peer.parts === undefined) return true;
    if (!equalPartSetHeader(header, peer.parts.header)) return true;
    return this.#serveStoredParts(peer, header, commit.round);
  }

  #serveStoredParts(peer: PeerState, header: PartSetHeader, round: number): boolean {
    const { height } = peer;
    for (let index = 0; index < header.total; index++) {
      if (peer.parts?.has.has(index) === true) continue;
      const part = this.#ports.store.part(height, index);
      if (part === undefined) return true;
      if (!this.send(peer, { kind: 'blockPart', height, round, part })) return false;
      this.#metrics.catchUpSent++;
    }
    return true;
  }

  /**
   * A peer that has decided the height before ours and does not begin the next: it may be waiting for
   * transactions that only others have. A vote or a proposal of our height tells it that there is something
   * to do.
   */
  #wake(peer: PeerState, consensus: ConsensusReader): boolean {
    const waitMs = peer.movedAtMs + this.#options.wakeDelayMs - this.#ports.timers.nowMs();
    if (waitMs > 0) {
      this.#again(waitMs);
      return true;
    }
    const { height, proposal } = consensus.view();
    if (proposal !== undefined && peer.wokenFor !== height) {
      const bytes = encodeConsensusMessage({ kind: 'proposal', proposal });
      if (!this.#ports.network.send(peer.id, DATA_CHANNEL.name, bytes)) return false;
      peer.wokenFor = height;
    }
    return this.#serveRounds(peer, consensus, 0);
  }

  #serveVotes(peer: PeerState, votes: ServedVotes, about: VoteSetName): boolean {
    const known = peer.votes(about.height, about.round, about.type);
    for (const index of setBits(votes.bits)) {
      if (known.has.has(index)) continue;
      const vote = votes.vote(index);
      if (vote !== undefined && !this.send(peer, { kind: 'vote', vote })) return false;
    }
    return true;
  }
}

function votesIn(votes: ServedVotes): readonly Vote[] {
  return [...setBits(votes.bits)].flatMap((index) => votes.vote(index) ?? []);
}

function partKey(header: PartSetHeader, index: number): string {
  return `${index}/${toHex(header.hash)}`;
}
