import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { memoryRows } from '../../test/conservation/memory-rows.ts';
import { SCALE, SLOT_WEIGHT_MAX } from './arithmetic.ts';
import {
  creditNode,
  creditPrefix,
  creditSlot,
  grow,
  heightOf,
  isPlace,
  placeOver,
  rootOf,
  setSlotWeight,
  settledDebt,
  sweep,
  takeOut,
} from './tree.ts';

const DENOM = 'uopen';

/** What people do to a pool; numbers are taken modulo what there is. */
type Step =
  | { readonly kind: 'join'; readonly weight: bigint }
  | { readonly kind: 'weigh'; readonly slot: number; readonly weight: bigint }
  | { readonly kind: 'pay'; readonly level: number; readonly index: number; readonly amount: bigint }
  | { readonly kind: 'payPrefix'; readonly count: number; readonly amount: bigint }
  | { readonly kind: 'claim'; readonly slot: number };

/** A pool by the tree, and beside it a book with one line for each slot, which a payment walks over. */
class Twins {
  readonly rows = memoryRows();
  slots = 0;
  height = 0;
  closed = false;
  readonly got: bigint[] = [];
  left = 0n;
  /** The book: weights, 1/S owed, base units taken; remainders by node. */
  readonly weights: bigint[] = [];
  readonly owed: bigint[] = [];
  readonly taken: bigint[] = [];
  readonly rems = new Map<string, bigint>();

  take(step: Step): void {
    switch (step.kind) {
      case 'join':
        this.join(step.weight);
        break;
      case 'weigh':
        if (this.slots > 0) this.weigh(step.slot % this.slots, step.weight);
        break;
      case 'pay':
        if (this.slots > 0) this.pay(step);
        break;
      case 'payPrefix':
        // Also more than there are.
        if (this.slots > 0) this.payPrefix(1 + (step.count % (this.slots + 3)), step.amount);
        break;
      case 'claim':
        if (this.slots > 0) this.claim(step.slot % this.slots);
        break;
      default:
        step satisfies never;
    }
  }

  join(weight: bigint): void {
    const slot = this.slots++;
    const to = heightOf(BigInt(this.slots));
    grow(this.rows, { from: this.height, to });
    this.height = to;
    this.weights.push(0n);
    this.owed.push(0n);
    this.taken.push(0n);
    this.got.push(0n);
    this.weigh(slot, weight);
  }

  weigh(slot: number, weight: bigint): void {
    this.rows.setDebt(BigInt(slot), DENOM, this.debt(slot));
    setSlotWeight(this.rows, { slot: BigInt(slot), height: this.height, weight });
    this.weights[slot] = weight;
  }

  pay({ level, index, amount }: { level: number; index: number; amount: bigint }): boolean {
    const at = level % (this.height + 1);
    const place = { level: at, index: BigInt(index % 2 ** (this.height - at)) };
    const first = Number(place.index) * 2 ** at;
    const below = this.weights.slice(first, first + 2 ** at);
    const weight = below.reduce((sum, one) => sum + one, 0n);
    expect(this.rows.weight(place)).toBe(weight);
    if (at === 0) {
      if (first >= this.slots) return false;
      creditSlot(this.rows, { slot: BigInt(first), denom: DENOM, amount });
      this.owed[first] = (this.owed[first] ?? 0n) + amount * SCALE;
      return true;
    }
    if (weight === 0n) return false;
    creditNode(this.rows, { place, denom: DENOM, amount });
    this.divide({ key: `${at}/${place.index}`, first, below, amount });
    return true;
  }

  /** To the first so many slots: the book knows nothing of nodes but whose remainder it is. */
  payPrefix(count: number, amount: bigint): boolean {
    const below = this.weights.slice(0, count);
    // A root that is a slot is paid as that slot.
    if (this.height === 0 || below.every((one) => one === 0n)) return false;
    creditPrefix(this.rows, { count: BigInt(count), height: this.height, denom: DENOM, amount });
    this.divide({ key: `${this.height}/0`, first: 0, below, amount });
    return true;
  }

  divide(of: { key: string; first: number; below: readonly bigint[]; amount: bigint }): void {
    const weight = of.below.reduce((sum, one) => sum + one, 0n);
    const due = of.amount * SCALE + (this.rems.get(of.key) ?? 0n);
    for (const [i, one] of of.below.entries())
      this.owed[of.first + i] = (this.owed[of.first + i] ?? 0n) + one * (due / weight);
    this.rems.set(of.key, due % weight);
  }

  debt(slot: number): ReturnType<typeof settledDebt> {
    const of = { slot: BigInt(slot), denom: DENOM, height: this.height };
    return settledDebt(this.rows, of);
  }

  claim(slot: number): bigint {
    const debt = this.debt(slot);
    const { paid, left } = takeOut(this.rows, {
      slot: BigInt(slot),
      denom: DENOM,
      debt,
      closed: this.closed,
      credit: 0n,
    });
    this.got[slot] = (this.got[slot] ?? 0n) + paid;
    this.left += left;
    const owed = this.owed[slot] ?? 0n;
    this.taken[slot] = (this.taken[slot] ?? 0n) + owed / SCALE;
    this.owed[slot] = this.closed ? 0n : owed % SCALE;
    return paid;
  }

  /** Both agree slot by slot, and the equation of ADR 26 holds of the tree. */
  check(): void {
    let owed = 0n;
    for (let slot = 0; slot < this.slots; slot++) {
      const debt = this.debt(slot);
      expect(debt.owed).toBe(this.owed[slot]);
      owed += debt.owed;
    }
    expect(this.got).toEqual(this.taken);
    const { paid, out, rem } = this.rows.totals(DENOM);
    if (!this.closed) expect(rem).toBe(this.rows.sumOfRems());
    expect(paid * SCALE).toBe(owed + rem + out * SCALE);
    expect(out).toBe(this.got.reduce((sum, one) => sum + one, 0n) + this.left);
  }
}

const weight = fc.oneof(fc.bigInt(0n, 5n), fc.bigInt(0n, SLOT_WEIGHT_MAX), fc.constant(0n));
const amount = fc.oneof(fc.bigInt(1n, 20n), fc.bigInt(1n, 1n << 40n), fc.bigInt(1n, 1n << 200n));
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('join' as const), weight }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('weigh' as const), slot: fc.nat(), weight }) },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('pay' as const),
      level: fc.nat(),
      index: fc.nat(),
      amount,
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('payPrefix' as const), count: fc.nat(), amount }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('claim' as const), slot: fc.nat() }) },
);
const steps = fc.array(step, { minLength: 20, maxLength: 120 });

function played(list: readonly Step[]): Twins {
  const twins = new Twins();
  for (const one of list) twins.take(one);
  return twins;
}

describe('a tree beside a book with a line for each slot', () => {
  test('every slot has to get the same, and no unit is made or lost', () => {
    fc.assert(
      fc.property(steps, (list) => {
        const twins = new Twins();
        for (const one of list) {
          twins.take(one);
          twins.check();
        }
      }),
      { numRuns: 100, endOnFailure: true },
    );
  });

  test('when, in which order and how often slots claim changes nothing of what they get', () => {
    fc.assert(
      fc.property(steps, fc.infiniteStream(fc.nat()), (list, order) => {
        const eager = played(list);
        const late = played(list.filter(({ kind }) => kind !== 'claim'));
        const slots = [...late.got.keys()];
        for (const slot of slots) eager.claim(slot);
        for (let left = slots; left.length > 0; ) {
          const at = (order.next().value ?? 0) % left.length;
          late.claim(left[at] ?? 0);
          left = left.toSpliced(at, 1);
        }
        expect(late.got).toEqual(eager.got);
        for (const slot of slots) expect(late.claim(slot)).toBe(0n);
        late.check();
      }),
      { numRuns: 60, endOnFailure: true },
    );
  });

  test('a closed pool pays out to the last unit: what was owed, and the fractions to who gets what is left', () => {
    fc.assert(
      fc.property(steps, (list) => {
        const twins = played(list);
        twins.left += sweep(twins.rows, DENOM);
        twins.closed = true;
        twins.check();
        const owed = twins.owed.map((one) => one / SCALE);
        for (const slot of twins.got.keys()) expect(twins.claim(slot)).toBe(owed[slot]);
        twins.check();
        const { paid, out, rem } = twins.rows.totals(DENOM);
        expect([out, rem]).toEqual([paid, 0n]);
      }),
      { numRuns: 60, endOnFailure: true },
    );
  });
});

test('weight that comes and goes between two payments gets nothing, and what it leaves behind is whole again', () => {
  const twins = new Twins();
  twins.join(3n);
  twins.join(4n);
  twins.pay({ level: 1, index: 0, amount: 100n });
  twins.weigh(1, SLOT_WEIGHT_MAX);
  twins.weigh(1, 4n);
  twins.pay({ level: 1, index: 0, amount: 100n });
  twins.check();
  expect([twins.claim(0), twins.claim(1)]).toEqual([85n, 114n]);
});

test('what did not divide waits while a node has no weight, and goes to who has some then', () => {
  const twins = new Twins();
  twins.join(3n);
  twins.join(0n);
  twins.pay({ level: 1, index: 0, amount: 1n });
  const { rem } = twins.rows.balance(rootOf(1), DENOM);
  expect(rem).toBe(SCALE % 3n);
  twins.weigh(0, 0n);
  expect(twins.pay({ level: 1, index: 0, amount: 5n })).toBe(false);
  twins.weigh(0, 1n);
  twins.pay({ level: 1, index: 0, amount: 5n });
  expect(twins.claim(0)).toBe(6n);
  expect(twins.debt(0).owed).toBe(0n);
  twins.check();
});

test('what is paid to a slot alone is all its own, whatever it weighs and has weighed', () => {
  const twins = new Twins();
  twins.join(3n);
  twins.join(0n);
  for (const weight of [0n, 7n, 0n]) {
    twins.weigh(1, weight);
    twins.pay({ level: 0, index: 1, amount: 5n });
    expect(twins.claim(1)).toBe(5n);
    twins.check();
  }
  expect(twins.claim(0)).toBe(0n);
  expect(() => creditNode(twins.rows, { place: { level: 0, index: 0n }, denom: DENOM, amount: 1n })).toThrow(
    'a slot is paid as a whole',
  );
});

test('a remainder larger than the weight that is left is divided as a whole', () => {
  const twins = new Twins();
  twins.join(1n);
  twins.join(SLOT_WEIGHT_MAX - 2n);
  twins.pay({ level: 1, index: 0, amount: 1n });
  expect(twins.rows.balance(rootOf(1), DENOM).rem).toBe(4n);
  twins.weigh(1, 0n);
  twins.pay({ level: 1, index: 0, amount: 1n });
  expect(twins.rows.balance(rootOf(1), DENOM).rem).toBe(0n);
  twins.check();
});

test('whoever joins gets nothing of what was paid before, also when the tree grows', () => {
  const twins = new Twins();
  twins.join(5n);
  twins.pay({ level: 0, index: 0, amount: 1000n });
  for (let i = 0; i < 8; i++) twins.join(5n);
  expect(twins.height).toBe(4);
  for (let i = 1; i < 9; i++) expect(twins.claim(i)).toBe(0n);
  expect(twins.claim(0)).toBe(1000n);
  twins.pay({ level: 4, index: 0, amount: 900n });
  for (let i = 0; i < 9; i++) expect(twins.claim(i)).toBe(100n);
  twins.check();
});

test('heights, places and paths', () => {
  expect([0n, 1n, 2n, 3n, 4n, 5n, 1_000_000n, 1n << 32n].map(heightOf)).toEqual([0, 0, 1, 2, 2, 3, 20, 32]);
  expect(placeOver(13n, 2)).toEqual({ level: 2, index: 3n });
  expect(isPlace({ level: 1, index: 1n }, 2)).toBe(true);
  expect(isPlace({ level: 1, index: 2n }, 2)).toBe(false);
  expect(isPlace({ level: 3, index: 0n }, 2)).toBe(false);
});
