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

/** A tree of which not every leaf may be known. Those that are can be opened; a node that is not known throws. */
export interface KnownTree {
  readonly leaves: readonly (Uint8Array | undefined)[];
  readonly tree: TreeInMemory;
}

/** A tree of sums: a leaf for each node, and the coordinates of each. */
export interface ServedSums extends ServedTree {
  /** Leaves of the coordinates of a node. */
  readonly coordinates: readonly (readonly Uint8Array[])[];
}

/** A tree of sums of which some nodes are known, and of one of them some coordinates that are not the expected ones. */
export interface KnownSums extends KnownTree {
  readonly coordinates: readonly (readonly Uint8Array[])[];
  readonly wrong?: { readonly node: number; readonly coordinates: KnownTree };
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

/** A card of which some leaves are known. */
export interface KnownCard {
  readonly card: InfluenceCard;
  readonly weights: KnownTree;
  readonly examples: KnownTree;
  readonly residuals: KnownTree;
  readonly groups: KnownTree;
  /** Undefined: nothing of them. */
  readonly sums?: KnownSums;
}

/** A claim of which some leaves are known. */
export interface KnownClaim {
  readonly claim: InfluenceClaim;
  readonly solution: KnownTree;
  readonly effects: KnownTree;
  /** Undefined: nothing of them. */
  readonly sums?: KnownSums;
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
export function openLeaves({ leaves, tree }: KnownTree, indices: readonly number[]): OpenedLeaves {
  return {
    leaves: indices.map((index) => defined(leaves[index], `leaf ${index}`)),
    hashes: openingHashes(tree.leaves, indices, tree.node),
  };
}

/** Opens one leaf of the coordinates of a node. */
export function openCoordinates(sums: KnownSums, node: number, leaf: number): OpenedLeaves {
  if (sums.wrong?.node === node) return openLeaves(sums.wrong.coordinates, [leaf]);
  const leaves = defined(sums.coordinates[node], `node ${node}`);
  return openLeaves(servedTree('coordinates', leaves), [leaf]);
}
