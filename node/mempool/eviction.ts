/**
 * Who leaves when the pool is full. Only a transaction that no other follows may leave, so that no sender's
 * order gets a hole. Of these the worst is, in this order:
 *
 * 1. the one with the lowest price, where none is worth more than the cheapest it has to wait for;
 * 2. the one that came in over the way (a peer, or our RPC) over which most of the pool came: who has many
 *    accounts has no more ways in for it;
 * 3. the one with most transactions of its senders before it: everybody's first goes before anybody's second;
 * 4. the one that came last.
 *
 * Ranks and heaps are made when room is wanted for the first time after a block, and kept until the next one.
 */
import { Heap } from './heap.ts';
import type { HeldTx, Origin } from './held-tx.ts';

/** What decides between two transactions. */
export interface Rank {
  readonly price: bigint;
  readonly origin: Origin | undefined;
  /** Transactions that its way in holds, with itself. */
  readonly originCount: number;
  /** How many must be executed before it. */
  readonly position: number;
}

/** Whether a held transaction must make way for a new one: by rule 1, 2 or 3; never for having come later. */
export function makesWayFor(held: Rank, newcomer: Rank): boolean {
  if (held.price !== newcomer.price) return held.price < newcomer.price;
  if (held.origin !== newcomer.origin && held.originCount !== newcomer.originCount)
    return held.originCount > newcomer.originCount;
  return held.position > newcomer.position;
}

/** The rank of a transaction after those it follows. */
export function rankAfter(
  price: bigint,
  before: readonly (HeldTx | undefined)[],
): { readonly price: bigint; readonly position: number } {
  const rank = { price, position: 0 };
  for (const earlier of before) {
    if (earlier === undefined) continue;
    if (earlier.rankPrice < rank.price) rank.price = earlier.rankPrice;
    if (earlier.position >= rank.position) rank.position = earlier.position + 1;
  }
  return rank;
}

/** True when no transaction that stays follows. */
export function isLast({ links }: HeldTx): boolean {
  return links.every(({ after }) => after === undefined || after.held.isLeaving);
}

/** The worst of the transactions that may leave, by the way they came in. */
export class EvictionOrder {
  readonly #heaps = new Map<Origin, Heap<HeldTx>>();

  /** @param held all transactions, in the order in which they were accepted */
  constructor(held: readonly HeldTx[]) {
    for (const one of held) {
      one.isRanked = false;
      this.rank(one);
    }
    for (const one of held) if (isLast(one)) this.#push(one);
  }

  /** A transaction was added at the end. */
  add(held: HeldTx): void {
    this.rank(held);
    this.#push(held);
  }

  rank(held: HeldTx): void {
    const { price, position } = rankAfter(
      held.price,
      held.links.map(({ before }) => before?.held),
    );
    held.rankPrice = price;
    held.position = position;
  }

  /** Those that it followed may be the last now. */
  uncover(held: HeldTx): void {
    for (const { before } of held.links)
      if (before !== undefined && isLast(before.held)) this.#push(before.held);
  }

  /** The worst, and its rank. It stays where it is until it `isLeaving`. */
  worst(): { readonly held: HeldTx; readonly rank: Rank } | undefined {
    let worst: { readonly held: HeldTx; readonly rank: Rank } | undefined;
    for (const [origin, heap] of this.#heaps) {
      const held = settledTop(heap);
      if (held === undefined) {
        this.#heaps.delete(origin);
        continue;
      }
      const { rankPrice: price, position } = held;
      const rank = { price, origin, originCount: origin.count, position };
      if (worst === undefined || makesWayFor(rank, worst.rank)) worst = { held, rank };
    }
    return worst;
  }

  /** Puts one back that does not leave after all. */
  restore(held: HeldTx): void {
    this.#push(held);
  }

  #push(held: HeldTx): void {
    if (held.isRanked) return;
    held.isRanked = true;
    let heap = this.#heaps.get(held.origin);
    if (heap === undefined) {
      heap = new Heap(isWorse);
      this.#heaps.set(held.origin, heap);
    }
    heap.push(held);
  }
}

/** The top that still may leave; what may not is dropped. */
function settledTop(heap: Heap<HeldTx>): HeldTx | undefined {
  for (;;) {
    const top = heap.top;
    if (top === undefined || (top.isHeld && !top.isLeaving && isLast(top))) return top;
    heap.pop();
    top.isRanked = false;
  }
}

function isWorse(a: HeldTx, b: HeldTx): boolean {
  if (a.rankPrice !== b.rankPrice) return a.rankPrice < b.rankPrice;
  if (a.position !== b.position) return a.position > b.position;
  return a.order > b.order;
}
