/**
 * What the publisher of a card or a claim serves: the leaves behind the roots; and openings made from them.
 */
import { defined } from '../../core/errors.ts';
import type { InfluenceCard } from '../../modules/attribution/proof/influence/card.ts';
import type { InfluenceClaim } from '../../modules/attribution/proof/influence/claim.ts';
import type { OpenedLeaves } from '../../modules/attribution/proof/influence/fraud.ts';
import { INFLUENCE_TREES, type InfluenceTree } from '../../modules/attribution/proof/influence/trees.ts';
import { openingHashes, treeOf, type TreeInMemory } from '../../modules/attribution/proof/tree.ts';

/** Leaves of a tree with its inner nodes. */
export interface ServedTree {
  readonly leaves: readonly Uint8Array[];
  readonly tree: TreeInMemory;
}

/** A tree of sums: a leaf for each node, and the coordinates of each. */
export interface ServedSums extends ServedTree {
  /** Leaves of the coordinates of a node. */
  readonly coordinates: readonly (readonly Uint8Array[])[];
}

/** A card and what is behind its roots. */
export interface ServedCard {
  readonly card: InfluenceCard;
  readonly weights: ServedTree;
  readonly examples: ServedTree;
  readonly residuals: ServedTree;
  readonly groups: ServedTree;
  readonly sums: ServedSums;
}

/** A claim and what is behind its roots. */
export interface ServedClaim {
  readonly claim: InfluenceClaim;
  readonly solution: ServedTree;
  readonly effects: ServedTree;
  readonly sums: ServedSums;
}

/** A tree over leaves. */
export function servedTree(tree: InfluenceTree, leaves: readonly Uint8Array[]): ServedTree {
  return { leaves, tree: treeOf(INFLUENCE_TREES[tree], leaves) };
}

/** Opens leaves at these places. */
export function openLeaves({ leaves, tree }: ServedTree, indices: readonly number[]): OpenedLeaves {
  return {
    leaves: indices.map((index) => defined(leaves[index], `leaf ${index}`)),
    hashes: openingHashes(tree.leaves, indices, tree.node),
  };
}

/** Opens one leaf of the coordinates of a node. */
export function openCoordinates(sums: ServedSums, node: number, leaf: number): OpenedLeaves {
  const leaves = defined(sums.coordinates[node], `node ${node}`);
  return openLeaves(servedTree('coordinates', leaves), [leaf]);
}
