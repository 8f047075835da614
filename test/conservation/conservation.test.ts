import { expect, test } from 'vitest';
import { Random } from '../fuzz/random.ts';
import { F1Book, ONE } from './f1-book.ts';
import { StoreBook } from './store-book.ts';
import { memoryRows } from './memory-rows.ts';
import { TreeBook } from './tree-book.ts';
import { Workload } from './workload.ts';

const SLOTS = 300;

function played(books: readonly (TreeBook | F1Book)[], operations: number): Workload {
  const workload = new Workload(new Random(7), SLOTS);
  for (let slot = 0n; slot < BigInt(SLOTS); slot++) {
    const weight = workload.weight();
    for (const book of books) book.weigh(slot, weight);
  }
  for (let i = 0; i < operations; i++) {
    const operation = workload.next();
    for (const book of books) book.take(operation);
  }
  return workload;
}

test('the tree’s books balance as integers; F1’s only with what it takes from the slots', () => {
  const [tree, f1] = [new TreeBook(), new F1Book()];
  const { slots } = played([tree, f1], 5000);
  expect(tree.balance().isEqual).toBe(true);
  expect(tree.balance().out).toBeGreaterThan(0n);
  for (let slot = 0n; slot < BigInt(slots); slot++) f1.claim(slot);
  const out = f1.taken.reduce((sum, one) => sum + one, 0n);
  expect([f1.paid, f1.residual]).toEqual([tree.balance().paid, tree.residual]);
  expect(out * ONE + f1.community + f1.outstanding).toBe(f1.paid * ONE);
  // Fractions of claims, and what periods cut off.
  expect(f1.community).toBeGreaterThan(100n * ONE);
  expect(f1.outstanding).toBeGreaterThan(0n);
});

test('both agree on what slots earn, but for what F1 cuts off', () => {
  const [tree, f1] = [new TreeBook(), new F1Book()];
  const { slots } = played([tree, f1], 3000);
  let short = 0;
  for (let slot = 0n; slot < BigInt(slots); slot++) {
    tree.claim(slot);
    f1.claim(slot);
    const difference = (tree.taken[Number(slot)] ?? 0n) - (f1.taken[Number(slot)] ?? 0n);
    // A unit is lost with each claim at most.
    expect(difference >= 0n && difference < 60n).toBe(true);
    if (difference > 0n) short++;
  }
  expect(short).toBeGreaterThan(SLOTS / 2);
});

test('the module over its store keeps its invariants', () => {
  const workload = new Workload(new Random(7), 20);
  const book = new StoreBook();
  for (let slot = 0n; slot < 20n; slot++) book.take({ kind: 'order', slot, weight: workload.weight() });
  book.endEpoch();
  for (let i = 0; i < 300; i++) book.take(workload.next());
  expect(book.broken()).toEqual([]);
  expect(book.taken).toBeGreaterThan(0n);
});

test('a book in which 2^-64 of a unit is lost is found out', () => {
  const rows = memoryRows();
  const setDebt: typeof rows.setDebt = (slot, denom, debt) =>
    rows.setDebt(slot, denom, { ...debt, owed: debt.owed - (debt.owed & 1n) });
  const leaking = new TreeBook({ ...rows, setDebt });
  played([leaking], 500);
  expect(leaking.balance().isEqual).toBe(false);
});
