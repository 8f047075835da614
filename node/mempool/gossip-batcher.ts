import type { TxGossip } from './ports.ts';

/** Starts a one-shot timer and returns how to stop it; tests put in their own. */
export type StartTimer = (callback: () => void, delayMs: number) => () => void;

/** How long and how much is gathered. */
export interface BatchLimits {
  readonly windowMs: number;
  readonly bytesMax: number;
}

interface Batch {
  readonly origin: string | undefined;
  txs: Uint8Array[];
  bytes: number;
}

/**
 * Gathers accepted transactions for a few milliseconds and hands them to the gossip in batches, one batch per
 * peer they came from, so that nobody gets back what it sent. One gossip message per transaction saturates at
 * 1–2 thousand a second; batches cost a few microseconds per transaction. One timer per window, none per
 * transaction.
 */
export class GossipBatcher {
  readonly #gossip: TxGossip;
  readonly #limits: BatchLimits;
  readonly #startTimer: StartTimer;
  readonly #batches = new Map<string | undefined, Batch>();
  #stopTimer: (() => void) | undefined;

  constructor(gossip: TxGossip, limits: BatchLimits, startTimer: StartTimer) {
    this.#gossip = gossip;
    this.#limits = limits;
    this.#startTimer = startTimer;
  }

  /** Takes a transaction that was accepted; `origin` as in `TxGossip.publish`. */
  add(tx: Uint8Array, origin: string | undefined): void {
    let batch = this.#batches.get(origin);
    if (batch === undefined) {
      batch = { origin, txs: [], bytes: 0 };
      this.#batches.set(origin, batch);
    }
    batch.txs.push(tx);
    batch.bytes += tx.length;
    if (batch.bytes >= this.#limits.bytesMax) {
      this.#batches.delete(origin);
      this.#gossip.publish(batch.txs, batch.origin);
    } else {
      this.#stopTimer ??= this.#startTimer(() => this.flush(), this.#limits.windowMs);
    }
  }

  /** Sends what was gathered. */
  flush(): void {
    this.#stopTimer?.();
    this.#stopTimer = undefined;
    const batches = [...this.#batches.values()];
    this.#batches.clear();
    for (const { txs, origin } of batches) this.#gossip.publish(txs, origin);
  }

  /** Drops what was gathered. */
  stop(): void {
    this.#stopTimer?.();
    this.#stopTimer = undefined;
    this.#batches.clear();
  }
}
