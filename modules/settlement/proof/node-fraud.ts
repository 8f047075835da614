/** Rules about one node of a tree: it is one, and the sums stated for it are those of what is below it. */
import { equalBytes } from '../../../core/bytes.ts';
import { sha256 } from '../../../core/hash.ts';
import type {
  EpochCommitment,
  EpochFraud,
  SumNode,
  SumTree,
} from '../../../proto/gen/openledger/settlement/v1/epoch.ts';
import { ALLOCATIONS, kindOfTree, RECEIPTS, type SumTreeKind } from './kinds.ts';
import { sumsOfLeaf } from './leaves.ts';
import type { EpochOpenings } from './openings.ts';
import { refuse, wellFormed } from './refuse.ts';
import {
  addSums,
  equalSums,
  followToRoot,
  isSumNode,
  isSumNodeInput,
  leafOfInput,
  leavesBelow,
  sumLeafHash,
  sumNodeHash,
} from './sum-tree.ts';

/** A tree of an epoch. */
export function treeOf(epoch: EpochCommitment, of: SumTreeKind): SumTree {
  return of === RECEIPTS ? epoch.receipts : of === ALLOCATIONS ? epoch.allocations : epoch.entitlements;
}

/** True when the sums stated for a node are those of its children, or of its leaf. */
export function nodeHolds(epoch: EpochCommitment, fraud: EpochFraud, openings: EpochOpenings): boolean {
  const of = treeKind(fraud);
  const { level } = fraud;
  const [stated, left, right] = nodesOf(of, fraud.nodes, level === 0 ? 1 : 3);
  const { leaves, siblings } = openings.takeUnchecked();
  if (stated === undefined || leaves.length !== (level === 0 ? 1 : 0)) return refuse('a leaf has one leaf');
  follow(epoch, { of, fraud, stated, siblings });
  const [leaf] = leaves;
  if (leaf !== undefined) {
    if (!equalBytes(sumLeafHash(leaf), stated.hash)) refuse('this is not the leaf');
    return equalSums(wellFormed(sumsOfLeaf(of, leaf)), stated.sums);
  }
  if (left === undefined || right === undefined) return refuse('a node is missing');
  if (!equalBytes(sumNodeHash(of, left, right), stated.hash)) refuse('these are not the children');
  const sums = addSums(left.sums, right.sums);
  return sums !== undefined && equalSums(sums, stated.sums);
}

/** True when what stands at a place of a tree can stand there: a leaf of it on level 0, a node above. */
export function formHolds(epoch: EpochCommitment, fraud: EpochFraud, openings: EpochOpenings): boolean {
  const of = treeKind(fraud);
  const [stated] = nodesOf(of, fraud.nodes, 1);
  const { leaves, siblings } = openings.takeUnchecked();
  const [input] = leaves;
  if (stated === undefined || input === undefined || leaves.length !== 1)
    return refuse('what the node is the hash of is to be shown');
  follow(epoch, { of, fraud, stated, siblings });
  if (!equalBytes(sha256(input), stated.hash)) refuse('the node is not the hash of this');
  if (fraud.level > 0) return isSumNodeInput(of, input);
  const leaf = leafOfInput(input);
  return leaf !== undefined && sumsOfLeaf(of, leaf) !== undefined;
}

function treeKind({ tree }: EpochFraud): SumTreeKind {
  return kindOfTree(tree) ?? refuse(`there is no tree ${tree}`);
}

function nodesOf(of: SumTreeKind, nodes: readonly SumNode[], count: number): readonly SumNode[] {
  if (nodes.length !== count || nodes.some((node) => !isSumNode(of, node)))
    refuse(`${count} nodes of the tree are to be shown`);
  return nodes;
}

interface StatedNode {
  readonly of: SumTreeKind;
  readonly fraud: EpochFraud;
  readonly stated: SumNode;
  readonly siblings: Uint8Array;
}

function follow(epoch: EpochCommitment, { of, fraud, stated, siblings }: StatedNode): void {
  const tree = treeOf(epoch, of);
  const range = leavesBelow(tree.leaves, fraud);
  if (range === undefined) refuse(`the tree has no node ${fraud.index} on level ${fraud.level}`);
  const opened = [{ ...stated, ...range }];
  if (followToRoot(of, tree, { opened, siblings }) === undefined) refuse('the node leads elsewhere');
}
