/** What people do to a pool, out of a seed: the same for every way of keeping its books. */
import type { SlotPrefix } from '../../modules/pools/places.ts';
import { heightOf, type Place } from '../../modules/pools/tree.ts';
import type { EpochOperation } from './epoch-book.ts';
import { roundOver } from './epoch-work.ts';
import type { Random } from '../fuzz/random.ts';

/** Heaviest slot: the bytes of a long document. */
const WEIGHT_MAX = 2_000_000;
const AMOUNTS = [20, 5_000, 2_000_000_000] as const;
/** An epoch ends after so many operations for each thousand slots. */
const EPOCH_OPERATIONS = 50;
/** Of so many operations one is of a gateway's epochs: a settlement, a dispute, an entitlement. */
const SETTLEMENT_EVERY = 500;

/** One operation. A weight of 0 is an exit; orders wait for the next `epoch`. */
export type Operation =
  | { readonly kind: 'pay'; readonly place: Place | SlotPrefix; readonly amount: bigint }
  | { readonly kind: 'claim'; readonly slot: bigint }
  | { readonly kind: 'order'; readonly slot: bigint; readonly weight: bigint }
  | { readonly kind: 'epoch' };

/** Operations on the pool, and on epochs that pay it. */
export type AnyOperation = Operation | EpochOperation;

/** A way of keeping a pool's books. */
export interface Book {
  take(operation: Operation): void;
}

/** Makes operations over a pool that has so many slots, and more as people join. */
export class Workload {
  readonly #random: Random;
  #slots: number;
  readonly #epochEvery: number;

  constructor(random: Random, slots: number) {
    this.#random = random;
    this.#slots = slots;
    this.#epochEvery = Math.max(20, Math.round((slots / 1000) * EPOCH_OPERATIONS));
  }

  get slots(): number {
    return this.#slots;
  }

  /** The weight that somebody begins with. */
  weight(): bigint {
    return BigInt(1 + this.#random.below(WEIGHT_MAX));
  }

  /** Payments and claims twice as often as changes; a join once in fifty changes, an exit once in ten. */
  next(): AnyOperation {
    const random = this.#random;
    if (random.oneIn(SETTLEMENT_EVERY)) return this.#settlement();
    if (random.oneIn(this.#epochEvery)) return { kind: 'epoch' };
    const dice = random.below(5);
    if (dice < 2) return this.#payment();
    if (dice < 4) return { kind: 'claim', slot: BigInt(random.below(this.#slots)) };
    if (random.oneIn(50)) return { kind: 'order', slot: BigInt(this.#slots++), weight: this.weight() };
    const weight = random.oneIn(10) ? 0n : this.weight();
    return { kind: 'order', slot: BigInt(random.below(this.#slots)), weight };
  }

  #settlement(): EpochOperation {
    const random = this.#random;
    const which = random.uint32();
    if (random.oneIn(3)) return { kind: 'dispute', which };
    if (random.oneIn(2)) return { kind: 'entitle', which };
    return { kind: 'settle', round: roundOver(random, this.#slots) };
  }

  /** At the root, at a document, at a node of any level, or to the slots below any. */
  #payment(): Operation {
    const random = this.#random;
    const amount = BigInt(1 + random.below(random.pick(AMOUNTS)));
    if (random.oneIn(4))
      return { kind: 'pay', place: { slotsBelow: BigInt(1 + random.below(this.#slots)) }, amount };
    const height = heightOf(BigInt(this.#slots));
    const level = random.oneIn(3) ? height : random.oneIn(3) ? 0 : random.below(height + 1);
    const place = { level, index: BigInt(random.below(this.#slots) >> level) };
    return { kind: 'pay', place, amount };
  }
}
