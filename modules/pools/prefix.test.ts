import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { memoryRows } from '../../test/conservation/memory-rows.ts';
import { SCALE, SLOT_WEIGHT_MAX } from './arithmetic.ts';
import {
  creditNode,
  creditPrefix,
  heightOf,
  initWeights,
  nodesOfPrefix,
  rootOf,
  settledDebt,
} from './tree.ts';

const DENOM = 'uopen';

/** A tree of these weights, in memory. */
class Tree {
  readonly rows = memoryRows();
  readonly weights: readonly bigint[];
  readonly height: number;
  written = 0;

  constructor(weights: readonly bigint[]) {
    this.weights = weights;
    this.height = heightOf(BigInt(weights.length));
    initWeights(this.rows, this.height, new Map(weights.map((weight, i) => [BigInt(i), weight])));
    const { setBalance } = this.rows;
    this.rows.setBalance = (place, denom, balance) => {
      this.written++;
      setBalance(place, denom, balance);
    };
  }

  weightOf(count: number): bigint {
    return this.weights.slice(0, count).reduce((sum, one) => sum + one, 0n);
  }

  pay(count: number, amount: bigint): bigint {
    return creditPrefix(this.rows, { count: BigInt(count), height: this.height, denom: DENOM, amount });
  }

  owed(): readonly bigint[] {
    const { height } = this;
    return this.weights.map((_, i) => settledDebt(this.rows, { slot: BigInt(i), denom: DENOM, height }).owed);
  }
}

const weights = fc.array(fc.oneof(fc.bigInt(0n, 9n), fc.bigInt(1n, SLOT_WEIGHT_MAX)), {
  minLength: 2,
  maxLength: 40,
});
const payment = fc.record({ count: fc.nat(), amount: fc.bigInt(1n, 1n << 90n) });

/** Prefixes of the tree that weigh something. */
function payable(tree: Tree, list: readonly { readonly count: number; readonly amount: bigint }[]) {
  return list
    .map(({ count, amount }) => ({ count: 1 + (count % tree.weights.length), amount }))
    .filter(({ count }) => tree.weightOf(count) > 0n);
}

describe('a payment to the slots below a number', () => {
  test('gives each of them its exact share of all payments but for less than a unit, and others nothing', () => {
    fc.assert(
      fc.property(weights, fc.array(payment, { maxLength: 12 }), (list, payments) => {
        const tree = new Tree(list);
        const made = payable(tree, payments);
        for (const { count, amount } of made) tree.pay(count, amount);
        const owed = tree.owed();
        for (const [slot, weight] of list.entries()) {
          const shares = made.filter(({ count }) => slot < count);
          if (shares.length === 0) expect(owed[slot]).toBe(0n);
          // Each payment adds `weight * Δ`: between what its amount alone and what it with the remainder gives.
          const [least, most] = shares.reduce(
            ([low, high], { count, amount }) => {
              const all = tree.weightOf(count);
              return [
                low + weight * ((amount * SCALE) / all),
                high + weight * (((amount + 1n) * SCALE) / all),
              ];
            },
            [0n, 0n],
          );
          const got = owed[slot] ?? 0n;
          expect(got >= least && got <= most).toBe(true);
        }
        const { paid, rem } = tree.rows.totals(DENOM);
        expect(owed.reduce((sum, one) => sum + one, rem)).toBe(paid * SCALE);
        expect(rem).toBe(tree.rows.balance(rootOf(tree.height), DENOM).rem);
        expect(rem < SCALE).toBe(true);
      }),
      { numRuns: 200 },
    );
  });

  test('one after the other or in another order: nobody has a unit more or less for each of them', () => {
    fc.assert(
      fc.property(weights, fc.array(payment, { minLength: 2, maxLength: 8 }), (list, payments) => {
        const [one, other] = [new Tree(list), new Tree(list)];
        const made = payable(one, payments);
        for (const { count, amount } of made) one.pay(count, amount);
        for (const { count, amount } of made.toReversed()) other.pay(count, amount);
        const there = other.owed();
        for (const [slot, here] of one.owed().entries()) {
          const apart = here - (there[slot] ?? 0n);
          expect((apart < 0n ? -apart : apart) <= BigInt(made.length) * SCALE).toBe(true);
        }
        expect(one.rows.totals(DENOM).paid).toBe(other.rows.totals(DENOM).paid);
      }),
      { numRuns: 100 },
    );
  });

  test('of all slots is a payment to the root, to the last fraction, in whichever order they come', () => {
    fc.assert(
      fc.property(weights, fc.array(payment, { minLength: 1, maxLength: 8 }), (list, payments) => {
        fc.pre(list.some((weight) => weight > 0n));
        const [byPrefix, byRoot] = [new Tree(list), new Tree(list)];
        for (const { count, amount } of payments) {
          // All that there are, or more.
          const all = byPrefix.pay(list.length + (count % 5), amount);
          const root = creditNode(byRoot.rows, { place: rootOf(byRoot.height), denom: DENOM, amount });
          expect(all).toBe(root);
        }
        expect(byPrefix.owed()).toEqual(byRoot.owed());
        expect(byPrefix.rows.totals(DENOM)).toEqual(byRoot.rows.totals(DENOM));
      }),
      { numRuns: 100 },
    );
  });

  test('writes as many balances as nodes tile it and the root’s, one when it is the root', () => {
    const tree = new Tree(Array.from({ length: 1_000 }, () => 5n));
    for (const [count, rows] of [
      [1_000, 7],
      [999, 9],
      [512, 2],
      [1, 2],
      [1_024, 1],
      [5_000, 1],
    ] as const) {
      tree.written = 0;
      tree.pay(count, 1_000n);
      expect([count, tree.written]).toEqual([count, rows]);
    }
  });

  test('of slots without weight is not taken', () => {
    expect(() => new Tree([0n, 0n, 7n]).pay(2, 1n)).toThrow('a prefix without weight cannot be paid');
  });
});

test('the nodes of a prefix are over its slots, each once, and over no other', () => {
  fc.assert(
    fc.property(fc.bigInt(1n, 70n), fc.bigInt(1n, 80n), (slots, count) => {
      const height = heightOf(slots);
      const nodes = nodesOfPrefix(count, height);
      for (let slot = 0n; slot < 1n << BigInt(height); slot++) {
        const over = nodes.filter(({ level, index }) => slot >> BigInt(level) === index);
        expect(over.length).toBe(slot < count ? 1 : 0);
      }
      expect(nodes.length <= Math.max(1, height)).toBe(true);
      expect(new Set(nodes.map(({ level }) => level)).size).toBe(nodes.length);
    }),
  );
  expect(nodesOfPrefix(13n, 4)).toEqual([
    { level: 3, index: 0n },
    { level: 2, index: 2n },
    { level: 0, index: 12n },
  ]);
  expect(nodesOfPrefix((1n << 32n) - 1n, 32).length).toBe(32);
});
