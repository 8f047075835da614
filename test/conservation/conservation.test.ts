import { expect, test } from 'vitest';
import { checkEpoch } from '../../modules/settlement/proof/epoch.ts';
import { PlaceKind } from '../../proto/gen/openledger/settlement/v1/epoch.ts';
import { Random } from '../fuzz/random.ts';
import { EpochBook, type StatedEpoch, type StatedRound } from './epoch-book.ts';
import { roundOver } from './epoch-work.ts';
import { F1Book, ONE } from './f1-book.ts';
import { Game } from './game.ts';
import { StoreBook } from './store-book.ts';
import { memoryRows } from './memory-rows.ts';
import { TreeBook } from './tree-book.ts';
import { Workload } from './workload.ts';

const SLOTS = 300;

interface Played {
  readonly slots: number;
  readonly game: Game;
}

function played(books: readonly (TreeBook | F1Book)[], operations: number): Played {
  const workload = new Workload(new Random(7), SLOTS);
  for (let slot = 0n; slot < BigInt(SLOTS); slot++) {
    const weight = workload.weight();
    for (const book of books) book.weigh(slot, weight);
  }
  const game = new Game(books);
  for (let i = 0; i < operations; i++) game.take(workload.next());
  return { slots: workload.slots, game };
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
  const game = new Game([book]);
  for (let i = 0; i < 300; i++) game.take(workload.next());
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

test('rounds and bonds of epochs are somewhere to the unit: paid, held, returned or divided', () => {
  const tree = new TreeBook();
  const { game } = played([tree], 100_000);
  const { epochs, direct } = game;
  const { claimed, bonds, held, paid, bondsOut, isEqual } = epochs.money();
  expect(isEqual).toBe(true);
  expect(claimed + bonds).toBe(held + paid + bondsOut);
  for (const amount of [held, paid, bondsOut]) expect(amount).toBeGreaterThan(0n);
  for (const count of Object.values(epochs.counts)) expect(count).toBeGreaterThan(0);
  expect(epochs.counts.convicted).toBeGreaterThan(4);
  expect(tree.balance().isEqual).toBe(true);
  expect(tree.balance().paid + tree.residual).toBe(direct + epochs.nodes);
  expect(epochs.nodes).toBeGreaterThan(0n);
});

test('a convicted epoch pays nothing, its bond is divided, and its round is paid when it is stated right', () => {
  const paid: bigint[] = [];
  const book = new EpochBook((_, amount) => paid.push(amount));
  const round = wrongRound();
  book.take({ kind: 'settle', round });
  expect(book.money()).toMatchObject({ held: round.claimed + round.bond, paid: 0n, bondsOut: 0n });
  book.take({ kind: 'dispute', which: 1 });
  expect(book.counts).toMatchObject({ stated: 1, convicted: 1, final: 0 });
  expect(book.money()).toMatchObject({ held: round.claimed, paid: 0n, bondsOut: round.bond });
  // Stated right; from then on nobody convicts it.
  book.take({ kind: 'dispute', which: 0 });
  book.take({ kind: 'dispute', which: 0 });
  expect(book.counts).toMatchObject({ stated: 2, convicted: 1 });
  for (let i = 0; i < 8; i++) book.take({ kind: 'settle', round: { ...wrongRound(), lie: undefined } });
  expect(book.counts.final).toBe(1);
  const { rows } = round.right.commitment;
  const toNodes = rows.filter(({ place }) => place.kind === PlaceKind.PLACE_KIND_DATANET);
  expect(paid).toEqual(toNodes.map(({ amount }) => amount));
  expect(book.money()).toMatchObject({ isEqual: true, bondsOut: 2n * round.bond });
});

/** A round that is stated wrong first. */
function wrongRound(): StatedRound {
  const random = new Random(5);
  for (;;) {
    const round = roundOver(random, SLOTS);
    const { lie } = round;
    if (lie !== undefined && lie.entitlements.length === 0 && addsUp(lie, round.claimed)) return round;
  }
}

function addsUp({ commitment }: StatedEpoch, claimed: bigint): boolean {
  try {
    checkEpoch(commitment, claimed);
    return true;
  } catch {
    return false;
  }
}
