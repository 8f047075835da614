/** Who may become a peer: one set of rules for every implementation of the network. */
import { LedgerError } from '../core/errors.ts';
import { hostOf } from './address.ts';
import type { NetworkLimits, PeerInfo } from './network.ts';

/** What the rules look at. */
export interface AdmissionPorts {
  readonly nodeId: string;
  readonly limits: NetworkLimits;
  readonly unconditionalPeers: ReadonlySet<string>;
  readonly isPersistent: (peerId: string) => boolean;
  readonly isBanned: (peerId: string) => boolean;
  /** In the order in which their sessions began. */
  readonly peers: () => Iterable<PeerInfo>;
}

/** A connection that wants to become a session. */
export interface Candidate {
  readonly peerId: string;
  readonly direction: 'inbound' | 'outbound';
  /** Multiaddr of the other end. */
  readonly remoteAddress: string;
}

/** See the file comment. */
export class Admission {
  readonly #ports: AdmissionPorts;
  /** Peers that proved a validator's key. */
  readonly #preferred: Set<string> = new Set();

  constructor(ports: AdmissionPorts) {
    this.#ports = ports;
  }

  /** Why the candidate is refused; undefined: it is let in. */
  refusal(candidate: Candidate): LedgerError | undefined {
    const { nodeId, limits, isBanned } = this.#ports;
    const { peerId, direction } = candidate;
    if (peerId === nodeId) return new LedgerError('p2p.self', 'the address leads to this node itself');
    if (isBanned(peerId)) return new LedgerError('p2p.banned', 'peer is banned for a while');
    if (this.isExempt(peerId)) return undefined;
    const max = direction === 'inbound' ? limits.inboundPeersMax : limits.outboundPeersMax;
    const probation = direction === 'inbound' ? limits.inboundProbationMax : 0;
    const others = [...this.#ports.peers()].filter(({ id }) => id !== peerId && !this.isExempt(id));
    if (others.filter((peer) => peer.direction === direction).length >= max + probation) {
      const facts = { peerId, max };
      return new LedgerError('p2p.full', `no room for another ${direction} peer (${max} at most)`, facts);
    }
    const host = hostOf(candidate.remoteAddress);
    if (limits.unlimitedHosts.includes(host)) return undefined;
    const same = others.filter(({ remoteAddress }) => hostOf(remoteAddress) === host).length;
    if (same < limits.peersPerHostMax) return undefined;
    return new LedgerError('p2p.same_host', `${same} peers are connected from ${host} already`, { peerId });
  }

  /**
   * False for an inbound peer that is there on probation: neither exempt, nor with fewer others before it
   * than there are places. Also for one that is not connected.
   */
  hasRoomFor(peerId: string): boolean {
    const peers = [...this.#ports.peers()];
    const index = peers.findIndex(({ id }) => id === peerId);
    const direction = peers[index]?.direction;
    if (direction === undefined) return false;
    if (direction === 'outbound' || this.isExempt(peerId)) return true;
    const before = peers.slice(0, index).filter((peer) => peer.direction === direction);
    return before.filter(({ id }) => !this.isExempt(id)).length < this.#ports.limits.inboundPeersMax;
  }

  /** True for peers that no limit counts: persistent, unconditional, and validators that proved it. */
  isExempt(peerId: string): boolean {
    const { unconditionalPeers, isPersistent } = this.#ports;
    return isPersistent(peerId) || unconditionalPeers.has(peerId) || this.#preferred.has(peerId);
  }

  prefer(peerId: string): void {
    this.#preferred.add(peerId);
  }

  unprefer(peerId: string): void {
    this.#preferred.delete(peerId);
  }

  /** To be told of every session that ended: a proof is worth one session. */
  disconnected(peerId: string): void {
    this.#preferred.delete(peerId);
  }

  isPreferred(peerId: string): boolean {
    return this.#preferred.has(peerId);
  }
}
