/**
 * The same pool by the arithmetic of Cosmos' F1 distribution (x/distribution of the Cosmos SDK: keeper
 * `IncrementValidatorPeriod`, `calculateDelegationRewardsBetween`, `withdrawDelegationRewards`), as far as it
 * goes without slashes: decimals of 18 digits, truncated.
 *
 * | there                                               | here                                      |
 * | --------------------------------------------------- | ----------------------------------------- |
 * | a validator; its tokens                             | a node; its weight                        |
 * | a delegation                                        | a slot, to each node of its path          |
 * | rewards of the period, until it ends                | `current` of a node                       |
 * | ratio += rewards / tokens, truncated; rewards = 0   | the same; what was cut off is in nobody's account |
 * | a period ends when a delegation changes or withdraws | of all nodes of the slot's path          |
 * | several validators, each paid by its tokens         | the nodes that tile a prefix of the slots |
 * | no tokens: rewards go to the community pool         | the same                                  |
 * | no counterpart: money for one delegation            | a transfer, which loses nothing           |
 * | reward = stake · (ratio − ratio at the beginning), truncated | the same, the sum along the path |
 * | at most what is outstanding                         | of the whole pool                         |
 * | whole coins are paid, the rest goes to the community pool | the same, once for the sum          |
 * | a change of the delegation withdraws first          | the same                                  |
 *
 * One sum for a path instead of 21 delegations that are each truncated to whole coins: kinder to it than a
 * chain would be.
 */
import { heightOf, nodesOfPrefix, type Place, placeOver } from '../../modules/pools/tree.ts';
import type { Book, Operation } from './workload.ts';

/** A decimal's one. */
export const ONE: bigint = 10n ** 18n;

/** What a withdrawal left over when the books of F1 ran out, and other money, in 10^-18 of the base unit. */
export class F1Book implements Book {
  readonly #weights: bigint[][] = [];
  readonly #current: bigint[][] = [];
  readonly #ratios: bigint[][] = [];
  readonly #stakes: bigint[] = [];
  /** Sum of the ratios along the path when the slot withdrew last. */
  readonly #starts: bigint[] = [];
  readonly #orders: { readonly slot: bigint; readonly weight: bigint }[] = [];
  #slots = 0n;
  #height = 0;
  /** Base units that came in. */
  paid = 0n;
  /** Paid in and not paid out. */
  outstanding = 0n;
  /** Went to the community pool: fractions, and rewards of nodes without tokens. */
  community = 0n;
  /** Base units that slots took out, by slot. */
  readonly taken: bigint[] = [];
  /** Withdrawals that were cut to what was outstanding. */
  clamped = 0;
  /** Base units that came for nodes without weight. */
  residual = 0n;

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
      const slot = Number(place.index);
      this.paid += amount;
      this.taken[slot] = (this.taken[slot] ?? 0n) + amount;
      return;
    }
    if (at(this.#weights, place) === 0n) {
      this.residual += amount;
      return;
    }
    this.paid += amount;
    this.outstanding += amount * ONE;
    put(this.#current, place, at(this.#current, place) + amount * ONE);
  }

  /** Several validators are paid by their tokens. */
  #payPrefix(count: bigint, amount: bigint): void {
    const nodes = nodesOfPrefix(count, this.#height);
    const weight = nodes.reduce((sum, place) => sum + at(this.#weights, place), 0n);
    if (weight === 0n) {
      this.residual += amount;
      return;
    }
    this.paid += amount;
    this.community += amount * ONE;
    for (const place of nodes) {
      const part = (amount * ONE * at(this.#weights, place)) / weight;
      put(this.#current, place, at(this.#current, place) + part);
      this.outstanding += part;
      this.community -= part;
    }
  }

  #reserve(slot: bigint): void {
    if (slot < this.#slots) return;
    this.#slots = slot + 1n;
    const to = heightOf(this.#slots);
    // What a new root weighs is what the old one does; nothing was paid to it yet.
    const weight = at(this.#weights, { level: this.#height, index: 0n });
    for (let level = this.#height + 1; level <= to; level++) put(this.#weights, { level, index: 0n }, weight);
    this.#height = to;
  }

  /** Ends the period of every node over a slot; the sum of their ratios. */
  #endPeriods(slot: bigint): bigint {
    let sum = 0n;
    for (let level = 0; level <= this.#height; level++) {
      const place = placeOver(slot, level);
      const rewards = at(this.#current, place);
      let ratio = at(this.#ratios, place);
      if (rewards > 0n) {
        const tokens = at(this.#weights, place);
        if (tokens === 0n) {
          this.community += rewards;
          this.outstanding -= rewards;
        } else ratio += rewards / tokens;
        put(this.#ratios, place, ratio);
        put(this.#current, place, 0n);
      }
      sum += ratio;
    }
    return sum;
  }

  /** Withdraws what a slot has earned. */
  claim(slot: bigint): void {
    const i = Number(slot);
    const sum = this.#endPeriods(slot);
    const raw = (this.#stakes[i] ?? 0n) * (sum - (this.#starts[i] ?? 0n));
    const rewards = raw < this.outstanding ? raw : this.outstanding;
    if (rewards < raw) this.clamped++;
    const whole = rewards / ONE;
    this.taken[i] = (this.taken[i] ?? 0n) + whole;
    this.community += rewards - whole * ONE;
    this.outstanding -= rewards;
    this.#starts[i] = sum;
  }

  /** Withdraws for a slot, then gives it another weight. */
  weigh(slot: bigint, weight: bigint): void {
    this.#reserve(slot);
    this.claim(slot);
    const change = weight - (this.#stakes[Number(slot)] ?? 0n);
    this.#stakes[Number(slot)] = weight;
    for (let level = 0; level <= this.#height; level++) {
      const place = placeOver(slot, level);
      put(this.#weights, place, at(this.#weights, place) + change);
    }
  }
}

function at(levels: readonly (readonly bigint[])[], { level, index }: Place): bigint {
  return levels[level]?.[Number(index)] ?? 0n;
}

function put(levels: bigint[][], { level, index }: Place, value: bigint): void {
  while (levels.length <= level) levels.push([]);
  const row = levels[level];
  if (row !== undefined) row[Number(index)] = value;
}
