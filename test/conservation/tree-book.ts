/** The books of modules/pools, in memory: the very functions that the keeper calls, over other rows. */
import { SCALE } from '../../modules/pools/arithmetic.ts';
import {
  creditNode,
  creditPrefix,
  creditSlot,
  grow,
  heightOf,
  nodesOfPrefix,
  setSlotWeight,
  settledDebt,
  takeOut,
} from '../../modules/pools/tree.ts';
import { type MemoryRows, memoryRows } from './memory-rows.ts';
import type { Book, Operation } from './workload.ts';

const DENOM = 'uopen';

/** What a checkpoint found, in base units but for `owed` and `rem` (1/2^64). */
export interface Balance {
  readonly paid: bigint;
  readonly out: bigint;
  readonly owed: bigint;
  readonly rem: bigint;
  /** `paid · S = owed + rem + out · S`. */
  readonly isEqual: boolean;
}

/** See the file comment. */
export class TreeBook implements Book {
  readonly #rows: MemoryRows;
  #slots = 0n;
  #height = 0;
  readonly #orders: { readonly slot: bigint; readonly weight: bigint }[] = [];
  /** Base units that slots took out, by slot. */
  readonly taken: bigint[] = [];
  /** Base units that came for nodes without weight. */
  residual = 0n;

  constructor(rows: MemoryRows = memoryRows()) {
    this.#rows = rows;
  }

  get height(): number {
    return this.#height;
  }

  take(operation: Operation): void {
    switch (operation.kind) {
      case 'pay':
        this.#pay(operation);
        break;
      case 'claim':
        this.claim(operation.slot);
        break;
      case 'order':
        this.#reserve(operation.slot);
        this.#orders.push(operation);
        break;
      case 'epoch':
        for (const order of this.#orders) this.weigh(order.slot, order.weight);
        this.#orders.length = 0;
        break;
      default:
        operation satisfies never;
    }
  }

  #pay({ place, amount }: Extract<Operation, { readonly kind: 'pay' }>): void {
    if ('slotsBelow' in place) {
      this.#payPrefix(place.slotsBelow, amount);
      return;
    }
    if (place.level === 0) {
      creditSlot(this.#rows, { slot: place.index, denom: DENOM, amount });
      return;
    }
    if (this.#rows.weight(place) === 0n) {
      this.residual += amount;
      return;
    }
    creditNode(this.#rows, { place, denom: DENOM, amount });
  }

  #payPrefix(count: bigint, amount: bigint): void {
    const height = this.#height;
    const isWeighty = nodesOfPrefix(count, height).some((place) => this.#rows.weight(place) > 0n);
    if (isWeighty) creditPrefix(this.#rows, { count, height, denom: DENOM, amount });
    else this.residual += amount;
  }

  #reserve(slot: bigint): void {
    if (slot < this.#slots) return;
    this.#slots = slot + 1n;
    const to = heightOf(this.#slots);
    grow(this.#rows, { from: this.#height, to });
    this.#height = to;
  }

  /** Settles a slot and gives it another weight at once. */
  weigh(slot: bigint, weight: bigint): void {
    this.#reserve(slot);
    this.#rows.setDebt(slot, DENOM, this.#debt(slot));
    setSlotWeight(this.#rows, { slot, height: this.#height, weight });
  }

  #debt(slot: bigint): ReturnType<typeof settledDebt> {
    return settledDebt(this.#rows, { slot, denom: DENOM, height: this.#height });
  }

  /** Pays a slot's whole units. */
  claim(slot: bigint): void {
    const { paid } = takeOut(this.#rows, {
      slot,
      denom: DENOM,
      debt: this.#debt(slot),
      closed: false,
      credit: 0n,
    });
    this.taken[Number(slot)] = (this.taken[Number(slot)] ?? 0n) + paid;
  }

  /** Everything that a slot has earned, in 1/S. */
  earned(slot: bigint): bigint {
    return (this.taken[Number(slot)] ?? 0n) * SCALE + this.#debt(slot).owed;
  }

  /** Walks over all slots. */
  balance(): Balance {
    let owed = 0n;
    for (let slot = 0n; slot < this.#slots; slot++) owed += this.#debt(slot).owed;
    const { paid, out, rem } = this.#rows.totals(DENOM);
    const isEqual = rem === this.#rows.sumOfRems() && paid * SCALE === owed + rem + out * SCALE;
    return { paid, out, owed, rem, isEqual };
  }
}
