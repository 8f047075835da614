/** The trees of an epoch. docs/adr/0030. */
import { EpochTree } from '../../../proto/gen/openledger/settlement/v1/epoch.ts';

/** What a tree's hashes bind besides its leaves. */
export interface SumTreeKind {
  /** First byte of its leaves, and in every hash of a node: no node of one tree passes for one of another. */
  readonly kind: number;
  /** Sums that a node has. */
  readonly columns: number;
}

/** Columns: platform, models, stakers, contributors. */
export const RECEIPTS: SumTreeKind = { kind: 33, columns: 4 };

/** Column: amount. */
export const ALLOCATIONS: SumTreeKind = { kind: 34, columns: 1 };

/** Column: amount. */
export const ENTITLEMENTS: SumTreeKind = { kind: 35, columns: 1 };

/** First byte of an attribution, which receipts name by its hash. */
export const ATTRIBUTION_KIND = 36;

/** The tree that a fraud names; undefined for a number that means none. */
export function kindOfTree(tree: EpochTree): SumTreeKind | undefined {
  if (tree === EpochTree.EPOCH_TREE_RECEIPTS) return RECEIPTS;
  if (tree === EpochTree.EPOCH_TREE_ALLOCATIONS) return ALLOCATIONS;
  if (tree === EpochTree.EPOCH_TREE_ENTITLEMENTS) return ENTITLEMENTS;
  return undefined;
}
