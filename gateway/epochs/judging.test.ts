import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sha256 } from '../../core/hash.ts';
import { ALLOCATIONS, ENTITLEMENTS, RECEIPTS } from '../../modules/settlement/proof/kinds.ts';
import {
  comparePlaces,
  decodeAllocation,
  encodeEntitlement,
  encodeReceipt,
  sumsOfLeaf,
} from '../../modules/settlement/proof/leaves.ts';
import type { DeltaRow, Place } from '../../proto/gen/openledger/settlement/v1/epoch.ts';
import { randomFrom } from '../../test/attribution/fidelity/digits.ts';
import { Dice } from '../../test/settlement/epochs/dice.ts';
import { forgedTree, leavesOf } from '../../test/settlement/epochs/forged-tree.ts';
import { epochOf, makeWorld } from '../../test/settlement/epochs/world.ts';
import { Attributions } from './attributions.ts';
import { findEpochFraud } from './find-fraud.ts';
import { sumOfAmounts, writeLeafSums } from './leaf-sums.ts';
import { PlaceNumbers } from './place-numbers.ts';
import { NotServedError, type PublishedTree } from './published.ts';
import { sumTreeOf } from './sum-tree.ts';

/** A leaf's sums by bytes; undefined when it is malformed. */
function bySums(of: typeof RECEIPTS, leaf: Uint8Array): readonly bigint[] | undefined {
  const out = Buffer.alloc(8 * of.columns + 3);
  if (!writeLeafSums(of, leaf, out, 3)) return undefined;
  return Array.from({ length: of.columns }, (_, column) => out.readBigUInt64BE(3 + 8 * column));
}

test('sums of leaves are the same from bytes as from what they decode to, changed bytes too', () => {
  const dice = new Dice(randomFrom(21));
  let malformed = 0;
  for (let world = 0; world < 20; world++) {
    const { epoch } = makeWorld(dice);
    for (const tree of [epoch.receipts, epoch.allocations, epoch.entitlements])
      for (const leaf of leavesOf(tree)) {
        expect(bySums(tree.of, leaf)).toEqual(sumsOfLeaf(tree.of, leaf));
        const changed = leaf.slice(0, leaf.length - (dice.chance(0.05) ? 1 : 0));
        changed[dice.below(changed.length)] = dice.pick([0, 1, 2, 255, dice.below(256)]);
        if (dice.chance(0.3)) changed.fill(0, 19, 27);
        const sums = sumsOfLeaf(tree.of, changed);
        if (sums === undefined) malformed++;
        expect(bySums(tree.of, changed)).toEqual(sums);
      }
  }
  expect(malformed).toBeGreaterThan(100);
});

test('sums at the edges of 32 and 64 bits are whole', () => {
  const [receipt] = makeWorld(new Dice(randomFrom(3))).receipts;
  if (receipt === undefined) throw new Error('no receipts');
  const u64 = fc.oneof(fc.bigInt(0n, (1n << 64n) - 1n), fc.constantFrom(0n, 1n, 0xffffffffn, 1n << 32n));
  fc.assert(
    fc.property(u64, u64, u64, u64, u64, (platform, model, stakers, contributors, before) => {
      const parts = { platform, model, stakers, contributors };
      const after = BigInt.asUintN(64, before + platform + model + stakers + contributors);
      const leaf = encodeReceipt({ ...receipt, before, after, parts });
      expect(bySums(RECEIPTS, leaf)).toEqual(sumsOfLeaf(RECEIPTS, leaf));
    }),
  );
  const place = { kind: 1, id: 5n, level: 0, index: 0 };
  const amounts = [0xffffffffn, 1n, (1n << 40n) - 1n, 0xffffffffn];
  const leaves = amounts.map((amount, i) => encodeEntitlement({ place, end: i + 1, amount }));
  const sum = sumOfAmounts((index) => leaves[index] ?? new Uint8Array(0), 1, 4);
  expect(sum).toBe(amounts.slice(1).reduce((all, amount) => all + amount, 0n));
});

test('places are numbered once each, and ordered as their bytes, more than a table begins with', () => {
  const dice = new Dice(randomFrom(22));
  const numbers = new PlaceNumbers();
  const known = new Map<string, number>();
  for (let i = 0; i < 9_000; i++) {
    const id = BigInt(dice.between(1, 3)) << BigInt(dice.pick([0, 8, 32, 60]));
    const kind = dice.chance(0.1) ? 1 : 2;
    const level = kind === 1 ? 0 : dice.pick([0, 0, 255]);
    const index = kind === 1 ? 0 : (dice.below(3_000) << dice.below(16)) + (level > 0 ? 1 : 0);
    const place: Place = { kind, id, level, index };
    const key = `${place.kind}/${place.id}/${place.level}/${place.index}`;
    const number = numbers.numberOf(place);
    expect(number).toBe(known.get(key) ?? known.size);
    known.set(key, number);
    expect(numbers.place(number)).toEqual(place);
  }
  expect(numbers.count).toBe(known.size);
  expect(known.size).toBeGreaterThan(4_000);
  const ordered = [...numbers.inOrder()].map((number) => numbers.place(number));
  expect(ordered).toEqual(ordered.toSorted(comparePlaces));
  expect(new Set(numbers.inOrder()).size).toBe(known.size);
});

test('receipts in any order make the same epoch', () => {
  const dice = new Dice(randomFrom(23));
  for (let i = 0; i < 20; i++) {
    const world = makeWorld(dice);
    const receipts = world.receipts
      .map((receipt) => ({ receipt, at: dice.below(1_000) }))
      .sort((a, b) => a.at - b.at)
      .map(({ receipt }) => receipt);
    expect(epochOf({ ...world, receipts }).commitment).toEqual(world.epoch.commitment);
  }
});

test('allocations are in rising order, and rows name where they end', () => {
  const { epoch } = makeWorld(new Dice(randomFrom(4)));
  const places = leavesOf(epoch.allocations).flatMap((leaf) => decodeAllocation(leaf)?.place ?? []);
  expect(places).toEqual(places.toSorted(comparePlaces));
  const ends = (rows: readonly DeltaRow[]): readonly number[] => rows.map(({ end }) => end);
  const last = places.flatMap((place, i) => {
    const next = places[i + 1];
    return next === undefined || comparePlaces(place, next) !== 0 ? [i + 1] : [];
  });
  expect(ends(epoch.commitment.rows)).toEqual(last.slice(0, epoch.commitment.rows.length));
});

test('a judge asks for leaves only: nodes that are served wrong hide no lie', () => {
  const { epoch, chain } = makeWorld(new Dice(randomFrom(24)));
  const withoutNodes = (tree: PublishedTree): PublishedTree => {
    const node: PublishedTree['node'] = () => {
      throw new Error('a node was asked for');
    };
    return { ...tree, node };
  };
  const served = {
    ...epoch,
    receipts: withoutNodes(epoch.receipts),
    allocations: withoutNodes(epoch.allocations),
    entitlements: withoutNodes(epoch.entitlements),
  };
  expect(findEpochFraud(served, chain)).toBeUndefined();
});

test('leaves that are not those of the root convict nobody, nor does an attribution that is not served', () => {
  const { epoch, chain } = makeWorld(new Dice(randomFrom(25)));
  const [first, ...others] = leavesOf(epoch.receipts);
  if (first === undefined) throw new Error('no receipts');
  first[70] = (first[70] ?? 0) ^ 1;
  const leaf = (index: number): Uint8Array => [first, ...others][index] ?? new Uint8Array(0);
  const other = { ...epoch, receipts: { ...epoch.receipts, leaf } };
  expect(() => findEpochFraud(other, chain)).toThrow(NotServedError);
  const none = { ...epoch, attribution: () => undefined };
  expect(() => findEpochFraud(none, chain)).toThrow(NotServedError);
  const attribution = (hash: Uint8Array): Uint8Array => sha256(hash);
  const fills = () => new Attributions(attribution).of({ attribution: sha256(first) });
  expect(fills).toThrow(NotServedError);
});

test('a number of leaves that nobody can serve takes no memory', () => {
  const found = sumTreeOf(ALLOCATIONS, { count: 2 ** 32 - 1, leaf: () => new Uint8Array(0) });
  expect(found).toEqual({ why: 'a leaf is malformed', index: 0 });
});

test('trees keep nodes in several chunks', () => {
  const count = 40_001;
  const place = { kind: 1, id: 5n, level: 0, index: 0 };
  const leaves = Array.from({ length: count }, (_, i) =>
    encodeEntitlement({ place, end: i + 1, amount: 3n }),
  );
  const built = sumTreeOf(ENTITLEMENTS, { count, leaf: (index) => leaves[index] ?? new Uint8Array(0) });
  if ('why' in built) throw new Error(built.why);
  const plain = forgedTree(ENTITLEMENTS, leaves);
  expect(built.tree).toEqual(plain.tree);
  for (const [level, index] of [
    [3, 4_095],
    [3, 4_096],
    [3, 5_000],
    [4, 2_500],
    [16, 0],
    [0, 40_000],
    [2, 10_000],
  ] as const)
    expect(built.node(level, index)).toEqual(plain.node(level, index));
});
