/** Opens what a rule is about, right or wrong: the table of modules/settlement/proof/fraud.ts, for provers. */
import { concatBytes, equalBytes } from '../../core/bytes.ts';
import { sha256 } from '../../core/hash.ts';
import { NO_ATTRIBUTION_BYTES } from '../../modules/settlement/proof/attribution.ts';
import { decodeAllocation, decodeEntitlement, decodeReceipt } from '../../modules/settlement/proof/leaves.ts';
import { leavesBelow, splitPoint, sumNodeInput } from '../../modules/settlement/proof/sum-tree.ts';
import {
  EpochFraud,
  type EpochOpening,
  EpochRule,
  EpochTree,
  type SumNode,
} from '../../proto/gen/openledger/settlement/v1/epoch.ts';
import {
  levelOver,
  openLeaves,
  openNode,
  type PublishedEpoch,
  type PublishedTree,
  statedNode,
} from './published.ts';

/** Where a rule is to be looked at; what a rule does not use is absent. */
export interface FraudPlace {
  readonly index: number;
  readonly tree?: EpochTree;
  readonly level?: number;
  /** A receipt that the gateway signed, and its signature. */
  readonly receipt?: Uint8Array;
  readonly signature?: Uint8Array;
}

/** The message that says that a rule is broken at a place of an epoch. */
export function openEpochFraud(served: PublishedEpoch, rule: EpochRule, place: FraudPlace): EpochFraud {
  const fraud = EpochFraud.create({ rule, ...place });
  const { index } = place;
  const { receipts, allocations } = served;
  switch (rule) {
    case EpochRule.EPOCH_RULE_SUM:
      return { ...fraud, ...openedNode(treeOf(served, fraud.tree), fraud) };
    case EpochRule.EPOCH_RULE_FORM:
      return { ...fraud, ...openedForm(treeOf(served, fraud.tree), fraud) };
    case EpochRule.EPOCH_RULE_LANE: {
      const around = [index - 1, index].filter((at) => at >= 0 && at < receipts.tree.leaves);
      return { ...fraud, openings: [openLeaves(receipts, around)] };
    }
    case EpochRule.EPOCH_RULE_ATTRIBUTION:
      return {
        ...fraud,
        openings: [openLeaves(receipts, [index])],
        attribution: attributionOf(served, index),
      };
    case EpochRule.EPOCH_RULE_ORDER:
      return { ...fraud, openings: [openLeaves(allocations, [index, index + 1])] };
    case EpochRule.EPOCH_RULE_ALLOCATION: {
      const { receipt = 0 } = decodeAllocation(allocations.leaf(index)) ?? {};
      const own = openLeaves(allocations, [index]);
      if (receipt >= receipts.tree.leaves) return { ...fraud, openings: [own] };
      const openings = [own, openLeaves(receipts, [receipt])];
      return { ...fraud, openings, attribution: attributionOf(served, receipt) };
    }
    case EpochRule.EPOCH_RULE_ROW:
      return { ...fraud, openings: rowOpenings(served, index) };
    case EpochRule.EPOCH_RULE_ENTITLEMENT:
      return { ...fraud, openings: entitlementOpenings(served, index) };
    default:
      return { ...fraud, openings: [openLeaves(receipts, [index])] };
  }
}

function treeOf({ receipts, allocations, entitlements }: PublishedEpoch, tree: EpochTree): PublishedTree {
  if (tree === EpochTree.EPOCH_TREE_RECEIPTS) return receipts;
  return tree === EpochTree.EPOCH_TREE_ALLOCATIONS ? allocations : entitlements;
}

/** A node as it is stated, what leads to it, and what is below it. */
function openedNode(
  tree: PublishedTree,
  { level, index }: { readonly level: number; readonly index: number },
): { readonly nodes: readonly SumNode[]; readonly openings: readonly EpochOpening[] } {
  const stated = statedNode(tree, level, index);
  const opening = openNode(tree, level, index);
  if (level === 0) return { nodes: [stated], openings: [{ ...opening, leaves: [tree.leaf(index).slice()] }] };
  return { nodes: [stated, ...childrenOf(tree, level, index)], openings: [opening] };
}

/** A node as it is stated, what leads to it, and what it is the hash of, as far as that is served. */
function openedForm(
  tree: PublishedTree,
  { level, index }: { readonly level: number; readonly index: number },
): { readonly nodes: readonly SumNode[]; readonly openings: readonly EpochOpening[] } {
  const stated = statedNode(tree, level, index);
  const leaf = tree.leaf(leavesBelow(tree.tree.leaves, { level, index })?.from ?? 0);
  const inputs = [concatBytes(Uint8Array.of(0), leaf), leaf.slice()];
  if (level > 0) inputs.push(sumNodeInput(tree.of, ...childrenOf(tree, level, index)));
  const input = inputs.find((bytes) => equalBytes(sha256(bytes), stated.hash)) ?? leaf;
  return { nodes: [stated], openings: [{ ...openNode(tree, level, index), leaves: [input] }] };
}

/** The two nodes below one. */
export function childrenOf(tree: PublishedTree, level: number, index: number): readonly [SumNode, SumNode] {
  const { from, to } = leavesBelow(tree.tree.leaves, { level, index }) ?? { from: 0, to: 2 };
  const middle = from + splitPoint(to - from);
  const right = levelOver(to - middle);
  return [tree.node(level - 1, 2 * index), tree.node(right, Math.floor(middle / 2 ** right))];
}

function attributionOf({ receipts, attribution }: PublishedEpoch, index: number): Uint8Array {
  const receipt = decodeReceipt(receipts.leaf(index));
  return (receipt && attribution(receipt.attribution)) ?? NO_ATTRIBUTION_BYTES;
}

function rowOpenings({ commitment, allocations }: PublishedEpoch, index: number): EpochOpening[] {
  const { rows } = commitment;
  return [openRange(allocations, rows[index - 1]?.end ?? 0, rows[index]?.end ?? 1)];
}

function openRange(allocations: PublishedTree, start: number, end: number): EpochOpening {
  return openLeaves(allocations, start === end - 1 ? [start] : [start, end - 1]);
}

function entitlementOpenings(served: PublishedEpoch, index: number): EpochOpening[] {
  const { commitment, allocations, entitlements } = served;
  const end = (at: number): number => decodeEntitlement(entitlements.leaf(at))?.end ?? 0;
  const own = openLeaves(entitlements, index === 0 ? [0] : [index - 1, index]);
  const start = index === 0 ? (commitment.rows.at(-1)?.end ?? 0) : end(index - 1);
  // Wrong by itself: no allocation is opened.
  if (end(index) <= start || end(index) > allocations.tree.leaves) return [own];
  return [own, openRange(allocations, start, end(index))];
}
