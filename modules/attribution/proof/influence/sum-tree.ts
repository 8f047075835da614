/**
 * The shape of a sum tree: level 1 has a node for each 8 neighbouring examples, whose coordinate k · F + j is
 * Σ residual_ik · feature_ij (or curvature instead of residual); each node above adds up to 8 neighbours, to
 * the one node on top. All nodes are the leaves of one committed tree, level by level from below; so one
 * coordinate of a node and of its 8 children is opened by one proof of that tree and 9 of coordinate trees.
 */
import type { Shape } from './bounds.ts';
import { coordinates } from './bounds.ts';
import { LEAF_COORDINATES } from './leaves.ts';

/** Children of a node: nodes, or examples on level 1. */
export const SUM_ARITY = 8;

/** Where the children of a node are: indexes `first` to `end`, exclusive. */
export interface SumChildren {
  readonly of: 'examples' | 'nodes';
  readonly first: number;
  readonly end: number;
}

/** Nodes of each level, from level 1 to the one with a single node. */
export function sumLevels(examples: number): readonly number[] {
  const levels = [Math.ceil(examples / SUM_ARITY)];
  for (let nodes = levels[0] ?? 1; nodes > 1; levels.push(nodes)) nodes = Math.ceil(nodes / SUM_ARITY);
  return levels;
}

/** Nodes of all levels: leaves of the tree of sums. The last one is the sum over all examples. */
export function sumNodes(examples: number): number {
  return sumLevels(examples).reduce((sum, nodes) => sum + nodes, 0);
}

/** The children of a node; undefined when there is no such node. */
export function sumChildren(examples: number, node: number): SumChildren | undefined {
  if (!Number.isSafeInteger(node) || node < 0) return undefined;
  let below: Below = { of: 'examples', first: 0, count: examples };
  let first = 0;
  for (const count of sumLevels(examples)) {
    if (node < first + count) {
      const from = SUM_ARITY * (node - first);
      const end = Math.min(from + SUM_ARITY, below.count);
      return { of: below.of, first: below.first + from, end: below.first + end };
    }
    below = { of: 'nodes', first, count };
    first += count;
  }
  return undefined;
}

interface Below {
  readonly of: SumChildren['of'];
  readonly first: number;
  readonly count: number;
}

/** Leaves of a node's tree of coordinates. */
export function coordinateLeaves(shape: Shape): number {
  return Math.ceil(coordinates(shape) / LEAF_COORDINATES);
}

/** How many coordinates a leaf of that tree holds. */
export function coordinatesOfLeaf(shape: Shape, leaf: number): number {
  return Math.min(LEAF_COORDINATES, coordinates(shape) - LEAF_COORDINATES * leaf);
}
