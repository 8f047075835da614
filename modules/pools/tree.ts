/**
 * A pool's tree over any rows: those of the store, or others in memory (`test/conservation`). Node `index` of
 * level `l` is over the slots `index · 2^l` to `(index + 1) · 2^l − 1`; level 0 is the slots themselves.
 *
 * | what            | reads                           | writes                |
 * | --------------- | ------------------------------- | --------------------- |
 * | payment to a slot | debt, totals                  | debt, totals          |
 * | payment to a node above | weight, balance, totals | balance, totals       |
 * | payment to a prefix of the slots | n weights, n balances, the root's, totals | the same balances, totals |
 * | settlement      | weight, debt, h + 1 balances    | –                     |
 * | taking out      | totals                          | debt, totals          |
 * | change of weight | a settlement, h + 1 weights    | debt, h + 1 weights   |
 * | growth by a level | weight of the root            | weight of the new root |
 *
 * for each denomination, h being the height and n the nodes that tile the prefix, at most h. What is paid to
 * a slot alone is not divided: it is in the slot's debt at once, and not in its balance, which has only what
 * the slot gets as one of the nodes of a prefix. That is a range update and a point query, as in a Fenwick
 * tree: a prefix adds the same to each of its nodes, and a slot sums over its path.
 */
import { assert } from '../../core/errors.ts';
import {
  credited,
  type Debt,
  type NodeBalance,
  type PoolTotals,
  SCALE,
  settled,
  wholeUnits,
} from './arithmetic.ts';

/** A node. */
export interface Place {
  readonly level: number;
  readonly index: bigint;
}

/** What a tree is read from. Missing rows are zeros. */
export interface TreeView {
  weight(place: Place): bigint;
  balance(place: Place, denom: string): NodeBalance;
  debt(slot: bigint, denom: string): Debt;
  totals(denom: string): PoolTotals;
}

/** What a tree is kept in. */
export interface TreeRows extends TreeView {
  setWeight(place: Place, weight: bigint): void;
  setBalance(place: Place, denom: string, balance: NodeBalance): void;
  setDebt(slot: bigint, denom: string, debt: Debt): void;
  setTotals(denom: string, totals: PoolTotals): void;
}

/** A slot's money in one denomination. */
export interface SlotMoney {
  readonly slot: bigint;
  readonly denom: string;
}

/** Levels over so many slots: 0 for one. */
export function heightOf(slots: bigint): number {
  let height = 0;
  while (1n << BigInt(height) < slots) height++;
  return height;
}

/** The node over a slot on a level. */
export function placeOver(slot: bigint, level: number): Place {
  return { level, index: slot >> BigInt(level) };
}

/** The node over everything. */
export function rootOf(height: number): Place {
  return { level: height, index: 0n };
}

/**
 * The aligned nodes that tile the slots below `count`, from the left: the root alone when it is over no others.
 * Each slot below `count` has one of them on its path, and no other slot has any.
 */
export function nodesOfPrefix(count: bigint, height: number): readonly Place[] {
  if (count >= 1n << BigInt(height)) return [rootOf(height)];
  const nodes: Place[] = [];
  let first = 0n;
  for (let level = height - 1; level >= 0; level--) {
    const size = 1n << BigInt(level);
    if ((count & size) === 0n) continue;
    nodes.push(placeOver(first, level));
    first += size;
  }
  return nodes;
}

/** True for a node of a tree of that height. */
export function isPlace({ level, index }: Place, height: number): boolean {
  return level <= height && index >= 0n && index < 1n << BigInt(height - level);
}

/** Pays base units to one slot, whatever it weighs. */
export function creditSlot(
  rows: TreeRows,
  { slot, denom, amount }: SlotMoney & { readonly amount: bigint },
): void {
  const debt = rows.debt(slot, denom);
  const { paid, out, rem } = rows.totals(denom);
  rows.setDebt(slot, denom, { ...debt, owed: debt.owed + amount * SCALE });
  rows.setTotals(denom, { paid: paid + amount, out, rem });
}

/**
 * Pays base units to whoever is below a node above the slots, by weight.
 * @returns what a unit of weight got, in 1/S
 */
export function creditNode(
  rows: TreeRows,
  { place, denom, amount }: { readonly place: Place; readonly denom: string; readonly amount: bigint },
): bigint {
  assert(place.level > 0, 'a slot is paid as a whole');
  const weight = rows.weight(place);
  assert(weight > 0n, 'a node without weight cannot be paid');
  const before = rows.balance(place, denom);
  const after = credited(before, weight, amount);
  rows.setBalance(place, denom, after);
  addPaid(rows, { denom, amount, rem: after.rem - before.rem });
  return after.acc - before.acc;
}

/** The slots below `count`, in a tree of that height. */
export interface Prefix {
  readonly count: bigint;
  readonly height: number;
}

/**
 * Pays base units to whoever has one of the slots below `count`, by weight, as if one node were over them. The
 * remainder of all prefixes is one, that of the root: what did not divide is divided by the next payment to
 * the root or to any prefix.
 * @returns what a unit of weight got, in 1/S
 */
export function creditPrefix(
  rows: TreeRows,
  { count, height, denom, amount }: Prefix & { readonly denom: string; readonly amount: bigint },
): bigint {
  const root = rootOf(height);
  if (count >= 1n << BigInt(height)) return creditNode(rows, { place: root, denom, amount });
  const nodes = nodesOfPrefix(count, height).filter((place) => rows.weight(place) > 0n);
  const weight = nodes.reduce((sum, place) => sum + rows.weight(place), 0n);
  assert(weight > 0n, 'a prefix without weight cannot be paid');
  const before = rows.balance(root, denom);
  const { acc, rem } = credited(before, weight, amount);
  const perWeight = acc - before.acc;
  rows.setBalance(root, denom, { acc: before.acc, rem });
  for (const place of nodes) {
    const balance = rows.balance(place, denom);
    rows.setBalance(place, denom, { acc: balance.acc + perWeight, rem: balance.rem });
  }
  addPaid(rows, { denom, amount, rem: rem - before.rem });
  return perWeight;
}

function addPaid(
  rows: TreeRows,
  of: { readonly denom: string; readonly amount: bigint; readonly rem: bigint },
): void {
  const { paid, out, rem } = rows.totals(of.denom);
  rows.setTotals(of.denom, { paid: paid + of.amount, out, rem: rem + of.rem });
}

/** What a slot has to get as of now. Writes nothing. */
export function settledDebt(
  view: TreeView,
  { slot, denom, height }: SlotMoney & { readonly height: number },
): Debt {
  let sum = 0n;
  for (let level = 0; level <= height; level++) sum += view.balance(placeOver(slot, level), denom).acc;
  return settled(view.debt(slot, denom), { weight: view.weight(placeOver(slot, 0)), sum });
}

/** What left a pool, in base units. */
export interface TakenOut {
  /** To the slot's owner. */
  readonly paid: bigint;
  /** To the residual party: fractions of a closed pool that became whole units. */
  readonly left: bigint;
}

/**
 * Takes the whole units of a debt that was just settled out of the pool. The fraction stays the slot's; in a
 * closed pool it joins the others'.
 * @param credit id of the chain's last credit
 */
export function takeOut(
  rows: TreeRows,
  {
    slot,
    denom,
    debt,
    closed,
    credit,
  }: SlotMoney & {
    readonly debt: Debt;
    readonly closed: boolean;
    readonly credit: bigint;
  },
): TakenOut {
  const paid = wholeUnits(debt.owed);
  const fraction = debt.owed % SCALE;
  const totals = rows.totals(denom);
  const paidCredit = paid > 0n ? credit : debt.paidCredit;
  rows.setDebt(slot, denom, { ...debt, owed: closed ? 0n : fraction, paidCredit });
  const rem = totals.rem + (closed ? fraction : 0n);
  const left = closed ? wholeUnits(rem) : 0n;
  if (paid > 0n || closed)
    rows.setTotals(denom, { paid: totals.paid, out: totals.out + paid + left, rem: rem - left * SCALE });
  return { paid, left };
}

/** Gives a slot another weight; its debts of all denominations have just been settled and written. */
export function setSlotWeight(
  rows: TreeRows,
  { slot, height, weight }: { readonly slot: bigint; readonly height: number; readonly weight: bigint },
): void {
  const change = weight - rows.weight(placeOver(slot, 0));
  if (change === 0n) return;
  for (let level = 0; level <= height; level++) {
    const place = placeOver(slot, level);
    rows.setWeight(place, rows.weight(place) + change);
  }
}

/** Weighs all slots of a new tree, level by level: each node is the sum of the two below it. */
export function initWeights(rows: TreeRows, height: number, slots: ReadonlyMap<bigint, bigint>): void {
  let nodes = slots;
  for (let level = 0; level <= height; level++) {
    const above = new Map<bigint, bigint>();
    for (const [index, weight] of nodes) {
      rows.setWeight({ level, index }, weight);
      above.set(index >> 1n, (above.get(index >> 1n) ?? 0n) + weight);
    }
    nodes = above;
  }
}

/** Puts new roots on top. They were never paid, so no slot's sum changes. */
export function grow(rows: TreeRows, { from, to }: { readonly from: number; readonly to: number }): void {
  const weight = rows.weight(rootOf(from));
  if (weight > 0n) for (let height = from + 1; height <= to; height++) rows.setWeight(rootOf(height), weight);
}

/** Takes out what no slot is owed in a pool that gets no more money. @returns base units */
export function sweep(rows: TreeRows, denom: string): bigint {
  const { paid, out, rem } = rows.totals(denom);
  const left = wholeUnits(rem);
  rows.setTotals(denom, { paid, out: out + left, rem: rem - left * SCALE });
  return left;
}
