import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { concatBytes, toHex, uint64BigEndian } from '../../core/bytes.ts';
import { sha256 } from '../../core/hash.ts';
import { ALLOCATIONS, RECEIPTS } from '../../modules/settlement/proof/kinds.ts';
import { ALLOCATION_BYTES, sumsOfLeaf, writeAllocation } from '../../modules/settlement/proof/leaves.ts';
import {
  addSums,
  followToRoot,
  leavesBelow,
  type OpenedNode,
  sumLeafHash,
} from '../../modules/settlement/proof/sum-tree.ts';
import { PlaceKind } from '../../proto/gen/openledger/settlement/v1/epoch.ts';
import { forgedTree, leavesOf } from '../../test/settlement/epochs/forged-tree.ts';
import { levelOver, openLeaves, openNode, type PublishedTree } from './published.ts';
import { buildSumTree } from './sum-tree.ts';

function allocationTree(amounts: readonly bigint[]): PublishedTree {
  const bytes = new Uint8Array(amounts.length * ALLOCATION_BYTES);
  const place = { kind: PlaceKind.PLACE_KIND_DATANET, id: 1n, level: 0, index: 0 };
  for (const [receipt, amount] of amounts.entries())
    writeAllocation({ place, receipt, amount }, bytes, receipt * ALLOCATION_BYTES);
  return buildSumTree(ALLOCATIONS, { bytes, width: ALLOCATION_BYTES, count: amounts.length });
}

const amounts = fc.array(fc.bigInt(1n, 1n << 40n), { minLength: 1, maxLength: 70 });

test('trees are those of a plain second implementation, node for node', () => {
  fc.assert(
    fc.property(amounts, (list) => {
      const built = allocationTree(list);
      const plain = forgedTree(ALLOCATIONS, leavesOf(built));
      expect(built.tree).toEqual(plain.tree);
      expect(built.tree.sums[0]).toBe(list.reduce((sum, amount) => sum + amount, 0n));
      for (let level = 0; level <= levelOver(list.length); level++)
        for (let index = 0; index * 2 ** level < list.length; index++)
          expect(built.node(level, index)).toEqual(plain.node(level, index));
    }),
    { numRuns: 40 },
  );
});

test('any leaves open with the sums before them; no other leaf, place, sum or sibling does', () => {
  fc.assert(
    fc.property(amounts, fc.infiniteStream(fc.nat()), (list, chance) => {
      const tree = allocationTree(list);
      const next = (below: number): number => (chance.next().value ?? 0) % below;
      const indices = [...new Set([next(list.length), next(list.length), next(list.length)])].sort(
        (a, b) => a - b,
      );
      const { leaves, siblings } = openLeaves(tree, indices);
      const opened = leaves.map((leaf, i): OpenedNode => {
        const from = indices[i] ?? 0;
        return { from, to: from + 1, hash: sumLeafHash(leaf), sums: sumsOfLeaf(ALLOCATIONS, leaf) ?? [] };
      });
      const before = indices.map((index) => [list.slice(0, index).reduce((sum, amount) => sum + amount, 0n)]);
      expect(followToRoot(ALLOCATIONS, tree.tree, { opened, siblings })).toEqual({ before });
      const at = next(opened.length);
      const changes: readonly ((node: OpenedNode) => OpenedNode)[] = [
        (node) => ({ ...node, sums: [(node.sums[0] ?? 0n) + 1n] }),
        (node) => ({ ...node, hash: sha256(node.hash) }),
        (node) => ({ ...node, sums: [] }),
        (node) => ({ ...node, from: node.from + 1, to: node.to + 1 }),
      ];
      for (const change of changes) {
        const wrong = opened.map((node, i) => (i === at ? change(node) : node));
        expect(followToRoot(ALLOCATIONS, tree.tree, { opened: wrong, siblings })).toBeUndefined();
      }
      const longer = concatBytes(siblings, new Uint8Array(40));
      expect(followToRoot(ALLOCATIONS, tree.tree, { opened, siblings: longer })).toBeUndefined();
      const otherSum = { ...tree.tree, sums: [(tree.tree.sums[0] ?? 0n) + 1n] };
      expect(followToRoot(ALLOCATIONS, otherSum, { opened, siblings })).toBeUndefined();
      if (siblings.length === 0) return;
      expect(followToRoot({ ...ALLOCATIONS, kind: 35 }, tree.tree, { opened, siblings })).toBeUndefined();
      const flipped = siblings.map((byte, i) => (i === next(siblings.length) ? byte ^ 1 : byte));
      if (toHex(flipped) === toHex(siblings)) return;
      expect(followToRoot(ALLOCATIONS, tree.tree, { opened, siblings: flipped })).toBeUndefined();
    }),
    { numRuns: 60 },
  );
});

test('every node opens where it stands, and a lone last one only there', () => {
  const tree = allocationTree([1n, 2n, 3n, 4n, 5n]);
  const at = (level: number, index: number): boolean => {
    const range = leavesBelow(5, { level, index });
    if (range === undefined) return false;
    const { siblings } = openNode(tree, level, index);
    const opened = [{ ...range, ...tree.node(level, index) }];
    return followToRoot(ALLOCATIONS, tree.tree, { opened, siblings }) !== undefined;
  };
  expect([at(0, 4), at(1, 1), at(2, 0), at(3, 0)]).toEqual([true, true, true, true]);
  expect([at(1, 2), at(2, 1), at(0, 5), at(4, 0), at(33, 0)]).toEqual([false, false, false, false, false]);
});

test('a tree without leaves is empty, a sum that does not fit into 64 bits is none', () => {
  expect(allocationTree([]).tree).toEqual({ root: new Uint8Array(0), leaves: 0, sums: [] });
  const most = (1n << 64n) - 1n;
  expect(allocationTree([most - 1n, 1n]).tree.sums).toEqual([most]);
  expect(() => allocationTree([most, 1n])).toThrow('does not fit into 64 bits');
  expect(addSums([most], [1n])).toBeUndefined();
  expect(addSums([most - 1n], [1n])).toEqual([most]);
});

test('the formats stand: roots of five allocations and of no receipts', () => {
  const { root } = allocationTree([1n, 2n, 3n, 4n, 5n]).tree;
  expect(toHex(root)).toBe('64e30bc92c0e522cd30d68e4fc2cf9b41c60097f779b2727e9f55828d8b125ff');
  expect(buildSumTree(RECEIPTS, { bytes: new Uint8Array(0), width: 195, count: 0 }).tree.root).toEqual(
    new Uint8Array(0),
  );
});

/**
 * Maxwell's form: a node is the hash of both children's hashes and of their sum. Its verifier is told a sum for
 * each sibling and compares the total.
 */
describe('the form that hashes only the sum of both children', () => {
  interface Node {
    readonly hash: Uint8Array;
    readonly sum: bigint;
  }
  const parent = (left: Node, right: Node, stated: bigint): Node => {
    return { hash: sha256(concatBytes(left.hash, right.hash, uint64BigEndian(stated))), sum: stated };
  };
  const leaf = (name: number, sum: bigint): Node => {
    return { hash: sha256(concatBytes(Uint8Array.of(name), uint64BigEndian(sum))), sum };
  };
  const verifies = (own: Node, path: readonly (Node & { readonly left: boolean })[], root: Node): boolean => {
    const top = path.reduce<Node>((node, sibling) => {
      const sum = node.sum + sibling.sum;
      return sibling.left ? parent(sibling, node, sum) : parent(node, sibling, sum);
    }, own);
    return toHex(top.hash) === toHex(root.hash) && top.sum === root.sum;
  };

  test('lets a root state less than its leaves hold, and every leaf is proved', () => {
    const leaves = [leaf(0, 30n), leaf(1, 70n), leaf(2, 60n), leaf(3, 40n)] as const;
    const [a, b, c, d] = leaves;
    // 200 in all; the root says 100. To each side the other one is said to hold nothing.
    const [left, right] = [parent(a, b, 100n), parent(c, d, 100n)];
    const root = parent(left, right, 100n);
    const nothing = (node: Node, isLeft: boolean) => ({ hash: node.hash, sum: 0n, left: isLeft });
    expect(verifies(a, [{ ...b, left: false }, nothing(right, false)], root)).toBe(true);
    expect(verifies(b, [{ ...a, left: true }, nothing(right, false)], root)).toBe(true);
    expect(verifies(c, [{ ...d, left: false }, nothing(left, true)], root)).toBe(true);
    expect(verifies(d, [{ ...c, left: true }, nothing(left, true)], root)).toBe(true);
  });

  test('and here no path leads to such a root, whatever is stated for the two sides', () => {
    const amounts = [30n, 70n, 60n, 40n];
    const leaves = leavesOf(allocationTree(amounts));
    for (const [left, right] of [
      [100n, 0n],
      [0n, 100n],
      [50n, 50n],
    ] as const) {
      const forged = forgedTree(ALLOCATIONS, leaves, [
        { level: 1, index: 0, sums: [left] },
        { level: 1, index: 1, sums: [right] },
      ]);
      expect(forged.tree.sums).toEqual([100n]);
      const provable = leaves.map((bytes, from) => {
        const opened = [{ from, to: from + 1, hash: sumLeafHash(bytes), sums: [amounts[from] ?? 0n] }];
        const { siblings } = openLeaves(forged, [from]);
        return followToRoot(ALLOCATIONS, forged.tree, { opened, siblings }) !== undefined;
      });
      expect(provable.every((proved) => proved)).toBe(false);
      // What was said to one side is in the siblings of the other: there is no second value to say.
      const other = openLeaves(forged, [2]).siblings;
      const half = other.length / 2;
      expect(toHex(other.slice(0, half))).toBe(
        toHex(concatBytes(forged.node(1, 0).hash, uint64BigEndian(left))),
      );
    }
  });
});
