/** Which peer offers which snapshot, and which of them is the best. What a peer offers is a claim. */
import { toHex } from '../../core/bytes.ts';
import { sha256 } from '../../core/hash.ts';
import type { Snapshot } from '../../proto/gen/tendermint/abci/types.ts';

/** Snapshots that are remembered as refused. */
const REJECTED_MAX = 10_000;
/** Peers of which it is remembered how often what they offered came to nothing. */
const FAILURES_MAX = 10_000;

interface Offer {
  readonly snapshot: Snapshot;
  readonly peers: Set<string>;
}

/** A name for a snapshot: equal for what is the same in all parts. */
export function snapshotKey({ height, format, chunks, hash, metadata }: Snapshot): string {
  return `${height}/${format}/${chunks}/${toHex(hash)}/${toHex(sha256(metadata))}`;
}

/** The offers of the peers that are connected. */
export class Offers {
  readonly #offers = new Map<string, Offer>();
  readonly #rejected = new Set<string>();
  readonly #rejectedFormats = new Set<number>();
  /** Until when a snapshot is not tried. */
  readonly #setAside = new Map<string, number>();
  /** How often what a peer offered came to nothing, connected or not. */
  readonly #failures = new Map<string, number>();

  /** All that a peer offers now. */
  offered(peerId: string, snapshots: readonly Snapshot[]): void {
    this.removePeer(peerId);
    for (const snapshot of snapshots) {
      const key = snapshotKey(snapshot);
      const offer = this.#offers.get(key) ?? { snapshot, peers: new Set<string>() };
      offer.peers.add(peerId);
      this.#offers.set(key, offer);
    }
  }

  removePeer(peerId: string): void {
    for (const [key, { peers }] of this.#offers) {
      peers.delete(peerId);
      if (peers.size === 0) this.#offers.delete(key);
    }
  }

  /** A peer does not have a snapshot after all. */
  withdraw(snapshot: Snapshot, peerId: string): void {
    const key = snapshotKey(snapshot);
    const offer = this.#offers.get(key);
    this.#failed([peerId]);
    offer?.peers.delete(peerId);
    if (offer?.peers.size === 0) this.#offers.delete(key);
  }

  /** Never try a snapshot again. */
  reject(snapshot: Snapshot): void {
    this.#failed(this.peersOf(snapshot));
    if (this.#rejected.size < REJECTED_MAX) this.#rejected.add(snapshotKey(snapshot));
  }

  rejectFormat(format: number): void {
    if (this.#rejectedFormats.size < REJECTED_MAX) this.#rejectedFormats.add(format);
  }

  /** Do not try a snapshot for a while. */
  setAside(snapshot: Snapshot, untilMs: number): void {
    this.#failed(this.peersOf(snapshot));
    if (this.#setAside.size < REJECTED_MAX) this.#setAside.set(snapshotKey(snapshot), untilMs);
  }

  isRejected(snapshot: Snapshot): boolean {
    return this.#rejected.has(snapshotKey(snapshot)) || this.#rejectedFormats.has(snapshot.format);
  }

  /** Who offers a snapshot. */
  peersOf(snapshot: Snapshot): readonly string[] {
    return [...(this.#offers.get(snapshotKey(snapshot))?.peers ?? [])];
  }

  /**
   * That of the peer whose offers came to nothing least often, so that who makes up ever new ones keeps
   * nobody from the others; of these the highest; of one height that of the newest format; of these the one
   * that most peers offer.
   */
  best(nowMs: number): Snapshot | undefined {
    let best: Offer | undefined;
    for (const [key, offer] of this.#offers) {
      if (this.isRejected(offer.snapshot) || (this.#setAside.get(key) ?? 0) > nowMs) continue;
      if (best === undefined || this.#isBetter(offer, best)) best = offer;
    }
    return best?.snapshot;
  }

  #isBetter(a: Offer, b: Offer): boolean {
    const [failuresA, failuresB] = [this.#failuresOf(a), this.#failuresOf(b)];
    return failuresA === failuresB ? isHigher(a, b) : failuresA < failuresB;
  }

  #failuresOf({ peers }: Offer): number {
    return Math.min(...[...peers].map((peerId) => this.#failures.get(peerId) ?? 0));
  }

  #failed(peerIds: readonly string[]): void {
    for (const peerId of peerIds) {
      const before = this.#failures.get(peerId) ?? 0;
      if (before === 0 && this.#failures.size >= FAILURES_MAX) this.#failures.clear();
      this.#failures.set(peerId, before + 1);
    }
  }
}

function isHigher(a: Offer, b: Offer): boolean {
  if (a.snapshot.height !== b.snapshot.height) return a.snapshot.height > b.snapshot.height;
  if (a.snapshot.format !== b.snapshot.format) return a.snapshot.format > b.snapshot.format;
  return a.peers.size > b.peers.size;
}
