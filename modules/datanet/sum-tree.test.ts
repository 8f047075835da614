import fc from 'fast-check';
import { expect, test } from 'vitest';
import { toHex } from '../../core/bytes.ts';
import { sha256 } from '../../core/hash.ts';
import type { SumNode } from '../../proto/gen/openledger/datanet/v1/datanet.ts';
import {
  appendLeaf,
  EMPTY_SUM_NODE,
  type NodeLookup,
  type SumLeaf,
  sumLeaf,
  sumParent,
  sumPath,
  sumRoot,
  verifySumPath,
} from './sum-tree.ts';

function leafOf(i: number): SumLeaf {
  return { contributionId: BigInt(i + 1), weight: BigInt(100 + i * i), root: sha256(Uint8Array.of(i)) };
}

function logOf(count: number): NodeLookup {
  const nodes = new Map<string, SumNode>();
  const stored: NodeLookup = (level, index) => {
    const node = nodes.get(`${level}/${index}`);
    if (node === undefined) throw new Error(`no node ${level}/${index}`);
    return node;
  };
  for (let i = 0; i < count; i++)
    for (const { level, index, node } of appendLeaf(sumLeaf(leafOf(i)), BigInt(i), stored))
      nodes.set(`${level}/${index}`, node);
  return stored;
}

/** The same tree by its definition: split at the largest power of two below the count. */
function rootByDefinition(leaves: readonly SumNode[]): SumNode {
  const [only] = leaves;
  if (only === undefined) return EMPTY_SUM_NODE;
  if (leaves.length === 1) return only;
  let split = 1;
  while (split * 2 < leaves.length) split *= 2;
  return sumParent(rootByDefinition(leaves.slice(0, split)), rootByDefinition(leaves.slice(split)));
}

test('the root of every prefix of the log is the tree over its leaves, and every leaf is proved in it', () => {
  const count = 37;
  const stored = logOf(count);
  for (let size = 0; size <= count; size++) {
    const leaves = Array.from({ length: size }, (_, i) => sumLeaf(leafOf(i)));
    const root = sumRoot(BigInt(size), stored);
    const expected = rootByDefinition(leaves);
    expect([toHex(root.hash), root.sum]).toEqual([toHex(expected.hash), expected.sum]);
    for (let i = 0; i < size; i++) {
      const siblings = sumPath(BigInt(i), BigInt(size), stored);
      const proof = { leaf: leafOf(i), position: BigInt(i), size: BigInt(size), siblings };
      expect(verifySumPath(proof, root)).toBe(true);
    }
  }
});

test('a changed weight, sum, sibling, position or size does not lead to the root', () => {
  const stored = logOf(20);
  const root = sumRoot(20n, stored);
  fc.assert(
    fc.property(fc.nat(19), fc.nat(), (i, seed) => {
      const siblings = sumPath(BigInt(i), 20n, stored);
      const proof = { leaf: leafOf(i), position: BigInt(i), size: 20n, siblings };
      const at = seed % siblings.length;
      const sibling = siblings[at] ?? EMPTY_SUM_NODE;
      const other = siblings[(at + 1) % siblings.length] ?? EMPTY_SUM_NODE;
      // Moving weight from one sibling to another keeps the total: the form of tree that hashes only totals
      // accepts it.
      const moved = siblings
        .with(at, { ...sibling, sum: sibling.sum + 1n })
        .with((at + 1) % siblings.length, { ...other, sum: other.sum - 1n });
      expect(verifySumPath({ ...proof, siblings: moved }, root)).toBe(false);
      expect(
        verifySumPath({ ...proof, siblings: siblings.with(at, { ...sibling, hash: root.hash }) }, root),
      ).toBe(false);
      expect(verifySumPath({ ...proof, leaf: { ...leafOf(i), weight: 1n } }, root)).toBe(false);
      expect(verifySumPath({ ...proof, siblings: siblings.slice(1) }, root)).toBe(false);
      expect(verifySumPath({ ...proof, position: BigInt((i + 1) % 20) }, root)).toBe(false);
      expect(verifySumPath(proof, { ...root, sum: root.sum + 1n })).toBe(false);
    }),
  );
});
