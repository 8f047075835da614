import type { TxBatch, TxGossip } from './ports.ts';

/** Starts a one-shot timer and returns how to stop it; tests put in their own. */
export type StartTimer = (callback: () => void, delayMs: number) => () => void;

/** How long and how much is gathered. */
export interface BatchLimits {
  readonly windowMs: number;
  readonly bytesMax: number;
}

/** A transaction that was accepted. `senders` may still grow until it is sent. */
export interface AcceptedTx {
  readonly tx: Uint8Array;
  readonly signers: readonly string[];
  readonly senders: readonly string[];
  readonly order: number;
}

interface Batch {
  readonly senders: readonly string[];
  readonly first: number;
  readonly txs: Uint8Array[];
}

/** Most transactions of one batch: far fewer than a peer takes in one message. */
export const BATCH_TXS_MAX: number = 1_000;

/**
 * Gathers accepted transactions for a few milliseconds and hands them to the gossip in batches, one for all
 * that the same peers sent, so that nobody gets back what it sent. One gossip message per transaction
 * saturates at 1–2 thousand a second; batches cost a few microseconds per transaction. One timer per window,
 * none per transaction.
 */
export class GossipBatcher {
  readonly #gossip: TxGossip;
  readonly #limits: BatchLimits;
  readonly #startTimer: StartTimer;
  #gathered: AcceptedTx[] = [];
  #bytes = 0;
  #stopTimer: (() => void) | undefined;

  constructor(gossip: TxGossip, limits: BatchLimits, startTimer: StartTimer) {
    this.#gossip = gossip;
    this.#limits = limits;
    this.#startTimer = startTimer;
  }

  /** Takes a transaction that was accepted. */
  add(accepted: AcceptedTx): void {
    // A large one goes alone: a batch and it together could be more than one message carries.
    if (this.#gathered.length > 0 && this.#bytes + accepted.tx.length > this.#limits.bytesMax) this.flush();
    this.#gathered.push(accepted);
    this.#bytes += accepted.tx.length;
    if (this.#bytes >= this.#limits.bytesMax || this.#gathered.length >= BATCH_TXS_MAX) this.flush();
    else this.#stopTimer ??= this.#startTimer(() => this.flush(), this.#limits.windowMs);
  }

  /** Sends what was gathered. */
  flush(): void {
    this.#stopTimer?.();
    this.#stopTimer = undefined;
    const gathered = this.#gathered;
    this.#gathered = [];
    this.#bytes = 0;
    for (const batch of batchesOf(gathered)) this.#gossip.publish(batch);
  }

  /** Drops what was gathered. */
  stop(): void {
    this.#stopTimer?.();
    this.#stopTimer = undefined;
    this.#gathered = [];
    this.#bytes = 0;
  }
}

/**
 * By the peers that sent them. Batches are sent in the order of their first transactions; where that would
 * put a sender's later one before an earlier one, it goes into a new batch.
 */
function batchesOf(gathered: readonly AcceptedTx[]): readonly TxBatch[] {
  const batches: Batch[] = [];
  let open = new Map<string, Batch>();
  /** The batch with the latest transaction of each signer. */
  let latest = new Map<string, Batch>();
  for (const { tx, signers, senders, order } of gathered) {
    const key = senders.length < 2 ? (senders[0] ?? '') : [...senders].sort(byText).join();
    let batch = open.get(key);
    if (batch !== undefined && signers.some((signer) => (latest.get(signer) ?? batch) !== batch)) {
      open = new Map();
      latest = new Map();
      batch = undefined;
    }
    if (batch === undefined) {
      batch = { senders: [...senders], first: order, txs: [] };
      batches.push(batch);
      open.set(key, batch);
    }
    batch.txs.push(tx);
    for (const signer of signers) latest.set(signer, batch);
  }
  return batches;
}

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
