/**
 * Carries evidence between pools. New evidence goes to every peer at once, and again after the next block;
 * all that is pending goes to a peer that connects. What no block has taken after a while is sent again: a
 * peer that did not have the height yet could not judge it.
 */
import {
  decodeEvidenceList,
  encodeEvidenceList,
  type Evidence,
  evidenceHeight,
} from '../../consensus/types/evidence.ts';
import { DecodeError, LedgerError } from '../../core/errors.ts';
import { EVIDENCE_CHANNEL } from '../../p2p/channels.ts';
import type { Network, PeerInfo } from '../../p2p/network.ts';
import type { Timers } from '../../p2p/timers.ts';
import { isDamage } from '../checksum.ts';
import { DamageLog } from '../damage-log.ts';
import type { EvidencePool } from './evidence-pool.ts';
import type { EvidenceLogger } from './ports.ts';
import { UNKNOWN_HEIGHT } from './verify.ts';

/** How long evidence waits for a block before it is sent again: CometBFT's interval. */
export const REPEAT_INTERVAL_MS = 10_000;
/** Pieces in one message: a correct node sends one. */
const PIECES_PER_MESSAGE_MAX = 16;
/**
 * Refusals that say nothing about who sent the evidence: our heights differ, it has just expired, or the
 * parameters have changed.
 */
const BLAMELESS: readonly string[] = [UNKNOWN_HEIGHT, 'evidence.expired', 'evidence.too_large'];

/** What the gossip is made of. */
export interface EvidenceGossipPorts {
  readonly network: Network;
  readonly pool: EvidencePool;
  readonly timers: Timers;
  readonly log: EvidenceLogger;
}

/** The evidence gossip of one node. */
export class EvidenceGossip {
  readonly #ports: EvidenceGossipPorts;
  readonly #damage: DamageLog;
  readonly #stops: (() => void)[] = [];
  /** Who sent what is being added: it is not sent back. */
  #origin: string | undefined;
  #cancelRepeat: (() => void) | undefined;

  constructor(ports: EvidenceGossipPorts) {
    this.#ports = ports;
    this.#damage = new DamageLog(ports.log);
    ports.network.handle(EVIDENCE_CHANNEL.name, (peer, bytes) => this.#receive(peer, bytes));
  }

  start(): void {
    const { network, pool } = this.#ports;
    this.#stops.push(
      pool.onEvidence((evidence) => this.#share(evidence)),
      network.onPeer({
        connected: (peer) => this.#sendAll([peer.id]),
        disconnected: () => undefined,
      }),
    );
    this.#repeat();
  }

  stop(): void {
    this.#cancelRepeat?.();
    for (const stop of this.#stops.splice(0)) stop();
  }

  /** @throws DecodeError for what is no evidence: the network penalises the peer */
  #receive(peer: PeerInfo, bytes: Uint8Array): void {
    const list = decodeEvidenceList(bytes);
    if (list.length === 0 || list.length > PIECES_PER_MESSAGE_MAX)
      throw new DecodeError('a message holds no evidence, or too much', { pieces: list.length });
    for (const evidence of list) {
      if (!this.#add(evidence, peer.id)) return;
    }
  }

  /** False when the evidence is false. */
  #add(evidence: Evidence, peer: string): boolean {
    const { network, pool, log } = this.#ports;
    this.#origin = peer;
    try {
      pool.add(evidence);
      return true;
    } catch (error) {
      if (isDamage(error)) {
        this.#damage.tell(error);
        return true;
      }
      if (!(error instanceof LedgerError)) throw error;
      if (BLAMELESS.includes(error.code)) return true;
      log.warn(
        { peer, height: evidenceHeight(evidence), reason: error.message },
        'false evidence from a peer',
      );
      network.penalize(peer, { reason: `false evidence: ${error.message}` });
      return false;
    } finally {
      this.#origin = undefined;
    }
  }

  #share(evidence: Evidence): void {
    const peers = this.#ports.network.peers().map(({ id }) => id);
    this.#send(
      peers.filter((id) => id !== this.#origin),
      evidence,
    );
  }

  #sendAll(peers: readonly string[]): void {
    for (const evidence of this.#ports.pool.all()) this.#send(peers, evidence);
  }

  /** An attack by many thousands, which a block has brought, can be larger than a message: it is not sent. */
  #send(peers: readonly string[], evidence: Evidence): void {
    const bytes = encodeEvidenceList([evidence]);
    if (bytes.length > EVIDENCE_CHANNEL.messageBytesMax) return;
    for (const id of peers) this.#ports.network.send(id, EVIDENCE_CHANNEL.name, bytes);
  }

  #repeat(): void {
    this.#cancelRepeat = this.#ports.timers.after(REPEAT_INTERVAL_MS, () => {
      this.#sendAll(this.#ports.network.peers().map(({ id }) => id));
      this.#repeat();
    });
  }
}
