import fc from 'fast-check';
import { expect, test } from 'vitest';
import { concatBytes, uint64BigEndian } from '../../../core/bytes.ts';
import { sha256 } from '../../../core/hash.ts';
import { merkleRoot } from '../../../core/merkle.ts';
import { isLeafSet, openingHashCount, openingHashes, treeOf, verifyOpening } from './tree.ts';

const KIND = 7;

function leavesOf(count: number): Uint8Array[] {
  return Array.from({ length: count }, (_, i) => Uint8Array.of(KIND, i >> 8, i & 0xff));
}

/** A tree size and a set of its leaves. */
const sets = fc.integer({ min: 1, max: 70 }).chain((count) =>
  fc.record({
    count: fc.constant(count),
    indices: fc
      .uniqueArray(fc.integer({ min: 0, max: count - 1 }), { minLength: 1, maxLength: 9 })
      .map((list) => list.sort((a, b) => a - b)),
  }),
);

test('the root is that of RFC 6962, with kind and number of leaves', () => {
  for (let count = 1; count <= 40; count++) {
    const leaves = leavesOf(count);
    const bound = concatBytes(Uint8Array.of(2, KIND), uint64BigEndian(BigInt(count)), merkleRoot(leaves));
    expect(treeOf(KIND, leaves).root).toEqual(sha256(bound));
  }
});

test('every set of leaves opens, with one hash less or more or changed it does not', () => {
  fc.assert(
    fc.property(sets, fc.nat(), ({ count, indices }, choice) => {
      const all = leavesOf(count);
      const tree = treeOf(KIND, all);
      const hashes = openingHashes(count, indices, tree.node);
      expect(hashes.length).toBe(32 * openingHashCount(count, indices));
      const leaves = indices.map((index) => all[index] ?? new Uint8Array(0));
      const opened = { indices, leaves, hashes };
      expect(verifyOpening(tree, opened)).toBe(true);
      expect(verifyOpening(tree, { ...opened, hashes: concatBytes(hashes, new Uint8Array(32)) })).toBe(false);
      expect(verifyOpening({ ...tree, kind: KIND + 1 }, opened)).toBe(false);
      expect(verifyOpening({ ...tree, leaves: count + 1 }, opened)).toBe(false);
      if (hashes.length > 0) {
        expect(verifyOpening(tree, { ...opened, hashes: hashes.slice(32) })).toBe(false);
        const changed = hashes.slice();
        changed[choice % hashes.length] = (changed[choice % hashes.length] ?? 0) ^ 1;
        expect(verifyOpening(tree, { ...opened, hashes: changed })).toBe(false);
      }
      const other = leaves.map((leaf, i) => (i === choice % leaves.length ? Uint8Array.of(KIND) : leaf));
      expect(verifyOpening(tree, { ...opened, leaves: other })).toBe(false);
      expect(verifyOpening(tree, { ...opened, leaves: leaves.slice(1) })).toBe(false);
    }),
  );
});

test('only ascending indices inside the tree are a set of leaves', () => {
  expect(isLeafSet(3, [0, 2])).toBe(true);
  for (const indices of [[], [1, 1], [2, 1], [3], [-1], [0.5], [Number.NaN]])
    expect(isLeafSet(3, indices)).toBe(false);
  expect(isLeafSet(0, [0])).toBe(false);
  expect(isLeafSet(2 ** 32 + 1, [0])).toBe(false);
});

test('hashes of a tree as large as there are go from its root to the leaf', () => {
  expect(openingHashCount(2 ** 32, [2 ** 32 - 1])).toBe(32);
  expect(openingHashCount(2 ** 31 + 1, [2 ** 31])).toBe(1);
});
