/** Rules about one node of a tree: the sums stated for it are those of what is below it. */
import { equalBytes } from '../../../core/bytes.ts';
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
  const { level, index } = fraud;
  if (level === 0) return equalSums(...leafSums(epoch, fraud, openings, wellFormed));
  const of = treeKind(fraud);
  const [stated, left, right] = nodesOf(of, fraud.nodes, 3);
  const { leaves, siblings } = openings.takeUnchecked();
  if (leaves.length > 0) refuse('a node above others has no leaf');
  if (stated === undefined || left === undefined || right === undefined) return refuse('a node is missing');
  follow(epoch, { of, level, index, stated, siblings });
  if (!equalBytes(sumNodeHash(of, left, right), stated.hash)) refuse('these are not the children');
  const sums = addSums(left.sums, right.sums);
  return sums !== undefined && equalSums(sums, stated.sums);
}

/** True when a leaf is one of its tree. */
export function leafHolds(epoch: EpochCommitment, fraud: EpochFraud, openings: EpochOpenings): boolean {
  const malformed = (sums: readonly bigint[] | undefined): readonly bigint[] => sums ?? [];
  return leafSums(epoch, fraud, openings, malformed)[1].length > 0;
}

/** The sums stated for a leaf, and those that follow from its bytes. */
function leafSums(
  epoch: EpochCommitment,
  fraud: EpochFraud,
  openings: EpochOpenings,
  decoded: (sums: readonly bigint[] | undefined) => readonly bigint[],
): readonly [readonly bigint[], readonly bigint[]] {
  const of = treeKind(fraud);
  const [stated] = nodesOf(of, fraud.nodes, 1);
  const { leaves, siblings } = openings.takeUnchecked();
  const [leaf] = leaves;
  if (stated === undefined || leaf === undefined || leaves.length !== 1) return refuse('one leaf is opened');
  follow(epoch, { of, level: 0, index: fraud.index, stated, siblings });
  if (!equalBytes(sumLeafHash(leaf), stated.hash)) refuse('this is not the leaf');
  return [stated.sums, decoded(sumsOfLeaf(of, leaf))];
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
  readonly level: number;
  readonly index: number;
  readonly stated: SumNode;
  readonly siblings: Uint8Array;
}

function follow(epoch: EpochCommitment, { of, level, index, stated, siblings }: StatedNode): void {
  const tree = treeOf(epoch, of);
  const range = leavesBelow(tree.leaves, { level, index });
  if (range === undefined) refuse(`the tree has no node ${index} on level ${level}`);
  const opened = [{ ...stated, ...range }];
  if (followToRoot(of, tree, { opened, siblings }) === undefined) refuse('the node leads elsewhere');
}
