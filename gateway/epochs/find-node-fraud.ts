/**
 * Follows a tree from its root to the leaves and finds the first node whose sums are not those of what is
 * below it: everything above that one adds up, so it can be opened.
 */
import { equalBytes } from '../../core/bytes.ts';
import { sha256 } from '../../core/hash.ts';
import { sumsOfLeaf } from '../../modules/settlement/proof/leaves.ts';
import {
  addSums,
  equalSums,
  leavesBelow,
  sumLeafHash,
  sumNodeHash,
} from '../../modules/settlement/proof/sum-tree.ts';
import { type EpochFraud, EpochRule, EpochTree } from '../../proto/gen/openledger/settlement/v1/epoch.ts';
import { childrenOf, openEpochFraud } from './open-fraud.ts';
import {
  levelOver,
  NotServedError,
  type PublishedEpoch,
  type PublishedTree,
  statedNode,
} from './published.ts';

/** @throws NotServedError when a node is not the one that the node above it, or the root, is the hash of */
export function findNodeFraud(served: PublishedEpoch, tree: EpochTree): EpochFraud | undefined {
  const published = publishedTree(served, tree);
  const { leaves, root } = published.tree;
  if (leaves === 0) return undefined;
  const level = levelOver(leaves);
  if (!equalBytes(published.node(level, 0).hash, root))
    throw new NotServedError('the top node of a tree', { tree });
  const wrong = wrongNode(published, level, 0);
  return wrong && openEpochFraud(served, wrong.rule, { tree, ...wrong });
}

function publishedTree(
  { receipts, allocations, entitlements }: PublishedEpoch,
  tree: EpochTree,
): PublishedTree {
  if (tree === EpochTree.EPOCH_TREE_RECEIPTS) return receipts;
  return tree === EpochTree.EPOCH_TREE_ALLOCATIONS ? allocations : entitlements;
}

interface WrongNode {
  readonly rule: EpochRule;
  readonly level: number;
  readonly index: number;
}

function wrongNode(tree: PublishedTree, level: number, index: number): WrongNode | undefined {
  const range = leavesBelow(tree.tree.leaves, { level, index });
  // A lone last node: the same one stands a level lower.
  if (range === undefined) return wrongNode(tree, level - 1, 2 * index);
  const stated = statedNode(tree, level, index);
  if (level === 0) return wrongLeaf(tree, index);
  const [left, right] = childrenOf(tree, level, index);
  if (!equalBytes(sumNodeHash(tree.of, left, right), stated.hash)) {
    // A leaf where the number of leaves demands a node.
    if (equalBytes(sumLeafHash(tree.leaf(range.from)), stated.hash))
      return { rule: EpochRule.EPOCH_RULE_FORM, level, index };
    throw new NotServedError('a node', { level, index });
  }
  const sums = addSums(left.sums, right.sums);
  if (sums === undefined || !equalSums(sums, stated.sums))
    return { rule: EpochRule.EPOCH_RULE_SUM, level, index };
  return wrongNode(tree, level - 1, 2 * index) ?? wrongNode(tree, level - 1, 2 * index + 1);
}

function wrongLeaf(tree: PublishedTree, index: number): WrongNode | undefined {
  const stated = statedNode(tree, 0, index);
  const leaf = tree.leaf(index);
  // What a node is the hash of, where the number of leaves demands a leaf.
  if (equalBytes(sha256(leaf), stated.hash)) return { rule: EpochRule.EPOCH_RULE_FORM, level: 0, index };
  if (!equalBytes(sumLeafHash(leaf), stated.hash)) throw new NotServedError('a leaf', { index });
  const sums = sumsOfLeaf(tree.of, leaf);
  if (sums === undefined) return { rule: EpochRule.EPOCH_RULE_FORM, level: 0, index };
  return equalSums(sums, stated.sums) ? undefined : { rule: EpochRule.EPOCH_RULE_SUM, level: 0, index };
}
