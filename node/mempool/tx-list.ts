import { EvictionOrder, makesWayFor, rankAfter } from './eviction.ts';
import type { HeldTx, Lane, Link, NewTx, Origin } from './held-tx.ts';

/** Room of the list. */
export interface ListLimits {
  readonly txsMax: number;
  readonly txsBytesMax: number;
}

/** Most transactions that make way for one. */
const EVICTIONS_PER_TX_MAX = 100;
const SPARE_PLACES = 1_024;

/**
 * The transactions that wait, in the order in which the application accepted them, by key, by sender and by
 * the way they came in.
 */
export class TxList {
  readonly #limits: ListLimits;
  readonly #byKey = new Map<string, HeldTx>();
  readonly #lanes = new Map<string, Lane>();
  readonly #origins = new Map<string | undefined, Origin>();
  /** All peers that have left: whoever comes under ever new names has one share, not many. */
  readonly #departed: Origin = { name: undefined, count: 0 };
  /** In order, with gaps where one has left. */
  #inOrder: HeldTx[] = [];
  #nextOrder = 1;
  #bytes = 0;
  /** Undefined until room is wanted. */
  #eviction: EvictionOrder | undefined;

  constructor(limits: ListLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#byKey.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get(key: string): HeldTx | undefined {
    return this.#byKey.get(key);
  }

  values(): IterableIterator<HeldTx> {
    return this.#byKey.values();
  }

  lane(signer: string): Readonly<Lane> | undefined {
    return this.#lanes.get(signer);
  }

  /** Those that came at `order` or later. */
  *from(order: number): Generator<HeldTx> {
    const places = this.#inOrder;
    let low = 0;
    let high = places.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((places[middle]?.order ?? 0) < order) low = middle + 1;
      else high = middle;
    }
    for (let i = low; i < places.length; i++) {
      const held = places[i];
      if (held?.isHeld === true) yield held;
    }
  }

  /** Adds at the end. The caller has made room and knows that the key is not here. */
  add(tx: NewTx): HeldTx {
    const origin = this.#originOf(tx.from);
    const held: HeldTx = {
      ...tx,
      order: this.#nextOrder++,
      links: [],
      origin,
      isHeld: true,
      isLeaving: false,
      isRanked: false,
      rankPrice: tx.price,
      position: 0,
    };
    held.links = tx.signers.map((signer) => this.#append(signer, held));
    origin.count++;
    this.#byKey.set(tx.key, held);
    this.#inOrder.push(held);
    this.#bytes += tx.tx.length;
    this.#eviction?.add(held);
    return held;
  }

  remove(held: HeldTx): void {
    if (!held.isHeld) return;
    held.isHeld = false;
    this.#byKey.delete(held.key);
    this.#bytes -= held.tx.length;
    held.origin.count--;
    const { origin } = held;
    if (origin.count === 0 && this.#origins.get(origin.name) === origin) this.#origins.delete(origin.name);
    // What follows one that leaves gets better: the ranks no longer hold.
    if (held.links.some(({ after }) => after !== undefined)) this.#eviction = undefined;
    for (const link of held.links) this.#unlink(link);
    this.#eviction?.uncover(held);
    if (this.#inOrder.length > 2 * this.#byKey.size + SPARE_PLACES)
      this.#inOrder = this.#inOrder.filter(({ isHeld }) => isHeld);
  }

  /** Those that can only be executed after this one, later ones first. */
  followersOf(held: HeldTx): readonly HeldTx[] {
    const found = new Set<HeldTx>([held]);
    for (const one of found)
      for (const { after } of one.links) if (after !== undefined) found.add(after.held);
    found.delete(held);
    return [...found].sort((a, b) => b.order - a.order);
  }

  /** A block has been committed: ranks are made anew when they are wanted. */
  forgetRanks(): void {
    this.#eviction = undefined;
  }

  /** A peer has left. What came from it stays, and counts with that of all others who left. */
  forgetPeer(peer: string): void {
    const origin = this.#origins.get(peer);
    if (origin === undefined) return;
    this.#origins.delete(peer);
    for (const held of this.#byKey.values()) if (held.origin === origin) held.origin = this.#departed;
    this.#departed.count += origin.count;
    this.#eviction = undefined;
  }

  /**
   * The transactions that must leave so that this one fits, the last of each sender first; undefined when it
   * is the one that must not come in.
   */
  victimsFor(tx: NewTx): readonly HeldTx[] | undefined {
    const txsOver = this.size + 1 - this.#limits.txsMax;
    const bytesOver = this.#bytes + tx.tx.length - this.#limits.txsBytesMax;
    if (txsOver <= 0 && bytesOver <= 0) return [];
    this.#eviction ??= new EvictionOrder([...this.values()]);
    const order = this.#eviction;
    const before = tx.signers.map((signer) => this.#lanes.get(signer)?.last?.held);
    const origin = this.#origins.get(tx.from);
    const rank = { ...rankAfter(tx.price, before), origin, originCount: (origin?.count ?? 0) + 1 };
    const victims: HeldTx[] = [];
    let bytes = 0;
    while (victims.length < txsOver || bytes < bytesOver) {
      const worst = order.worst();
      // Nor may it put out what it has to wait for: it is worth no more than that.
      const mayStay = worst === undefined || before.includes(worst.held) || !makesWayFor(worst.rank, rank);
      if (mayStay || victims.length >= EVICTIONS_PER_TX_MAX) {
        for (const held of victims) held.isLeaving = false;
        for (const held of victims) order.restore(held);
        return undefined;
      }
      const { held } = worst;
      held.isLeaving = true;
      victims.push(held);
      bytes += held.tx.length;
      order.uncover(held);
    }
    return victims;
  }

  #originOf(name: string | undefined): Origin {
    let origin = this.#origins.get(name);
    if (origin === undefined) {
      origin = { name, count: 0 };
      this.#origins.set(name, origin);
    }
    return origin;
  }

  #append(signer: string, held: HeldTx): Link {
    let lane = this.#lanes.get(signer);
    if (lane === undefined) {
      lane = { signer, last: undefined, count: 0, bytes: 0 };
      this.#lanes.set(signer, lane);
    }
    const link: Link = { lane, held, before: lane.last, after: undefined };
    if (lane.last !== undefined) lane.last.after = link;
    lane.last = link;
    lane.count++;
    lane.bytes += held.tx.length;
    return link;
  }

  #unlink(link: Link): void {
    const { lane, before, after, held } = link;
    if (before !== undefined) before.after = after;
    if (after !== undefined) after.before = before;
    else lane.last = before;
    lane.count--;
    lane.bytes -= held.tx.length;
    if (lane.count === 0) this.#lanes.delete(lane.signer);
  }
}
