import type { ResponseCheckTx } from '../../proto/gen/tendermint/abci/types.ts';
import { Fifo } from './fifo.ts';

/** A transaction that the application is to check. */
export interface Check {
  readonly key: string;
  readonly tx: Uint8Array;
  /** The peer it came from; undefined when it was submitted here. */
  readonly from: string | undefined;
  /** Every peer that is known to have it; grows. */
  readonly senders: string[];
  /** Undefined for what peers send: nobody waits for the outcome. */
  readonly settle: Settle | undefined;
}

/** Where the outcome of a check goes. */
export interface Settle {
  readonly resolve: (response: ResponseCheckTx) => void;
  readonly reject: (error: unknown) => void;
}

/** Room of the queue. */
export interface QueueLimits {
  readonly txsMax: number;
  readonly bytesMax: number;
}

interface Waiting {
  readonly check: Check;
  readonly way: Way;
  isWaiting: boolean;
}

/** What came in over one peer, or over our RPC. */
interface Way {
  readonly from: string | undefined;
  readonly waiting: Fifo<Waiting>;
  count: number;
  bytes: number;
}

const SPARE_PLACES = 1_024;

/**
 * Checks wait here in the order in which they came: a sender's order is kept. When there is no room, the
 * newest of the way in that holds most makes way, so that one peer's flood is at its own cost and not at that
 * of others ("longest queue drop").
 */
export class CheckQueue {
  readonly #limits: QueueLimits;
  readonly #ways = new Map<string | undefined, Way>();
  readonly #byKey = new Map<string, Waiting>();
  #fifo = new Fifo<Waiting>();
  #bytes = 0;

  constructor(limits: QueueLimits) {
    this.#limits = limits;
  }

  get length(): number {
    return this.#byKey.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get(key: string): Check | undefined {
    return this.#byKey.get(key)?.check;
  }

  /** Adds a check when there is room, or can be made: `dropped` are those that had to make way. */
  push(check: Check): { readonly isTaken: boolean; readonly dropped: readonly Check[] } {
    const dropped: Check[] = [];
    while (this.#lacks(check) !== undefined) {
      const waiting = this.#makingWayFor(check);
      if (waiting === undefined) return { isTaken: false, dropped };
      this.#take(waiting);
      dropped.push(waiting.check);
    }
    const way = this.#wayOf(check.from);
    const waiting = { check, way, isWaiting: true };
    way.waiting.push(waiting);
    way.count++;
    way.bytes += check.tx.length;
    this.#fifo.push(waiting);
    this.#byKey.set(check.key, waiting);
    this.#bytes += check.tx.length;
    return { isTaken: true, dropped };
  }

  shift(): Check | undefined {
    for (;;) {
      const next = this.#fifo.shift();
      if (next === undefined) return undefined;
      if (!next.isWaiting) continue;
      this.#take(next);
      return next.check;
    }
  }

  /** Takes one out of its turn. */
  remove(key: string): Check | undefined {
    const waiting = this.#byKey.get(key);
    if (waiting === undefined) return undefined;
    this.#take(waiting);
    return waiting.check;
  }

  /** What there is too little of. */
  #lacks(check: Check): 'places' | 'bytes' | undefined {
    if (this.#byKey.size >= this.#limits.txsMax) return 'places';
    return this.#bytes + check.tx.length > this.#limits.bytesMax ? 'bytes' : undefined;
  }

  /** The newest check of the way that holds most, when that is more than the new one's way would hold. */
  #makingWayFor(check: Check): Waiting | undefined {
    const load = this.#lacks(check) === 'places' ? ({ count }: Way) => count : ({ bytes }: Way) => bytes;
    const added = this.#lacks(check) === 'places' ? 1 : check.tx.length;
    const own = this.#ways.get(check.from);
    let heaviest: Way | undefined;
    let most = added + (own === undefined ? 0 : load(own));
    for (const way of this.#ways.values()) {
      if (load(way) <= most) continue;
      heaviest = way;
      most = load(way);
    }
    return heaviest?.waiting.last;
  }

  #wayOf(from: string | undefined): Way {
    let way = this.#ways.get(from);
    if (way === undefined) {
      way = { from, waiting: new Fifo(), count: 0, bytes: 0 };
      this.#ways.set(from, way);
    }
    return way;
  }

  #take(waiting: Waiting): void {
    const { check, way } = waiting;
    waiting.isWaiting = false;
    this.#byKey.delete(check.key);
    this.#bytes -= check.tx.length;
    way.count--;
    way.bytes -= check.tx.length;
    if (way.count === 0) this.#ways.delete(way.from);
    while (way.waiting.first?.isWaiting === false) way.waiting.shift();
    while (way.waiting.last?.isWaiting === false) way.waiting.pop();
    if (this.#fifo.length > 2 * this.#byKey.size + SPARE_PLACES) this.#compact();
  }

  /** Drops the places of those that left out of their turn. */
  #compact(): void {
    const fifo = new Fifo<Waiting>();
    for (let next = this.#fifo.shift(); next !== undefined; next = this.#fifo.shift())
      if (next.isWaiting) fifo.push(next);
    this.#fifo = fifo;
  }
}
