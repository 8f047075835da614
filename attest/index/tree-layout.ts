/**
 * Which nodes of a tree are kept. A tree is built from the leaves upwards, a lone last node promoted, which
 * is the tree of RFC 6962. Nodes of the three lowest levels are three quarters of all and cheap to make again
 * from at most four leaves; levels from the third on are kept, one behind another, 32 bytes a node.
 */

/** Lowest level that is kept: a node over eight leaves. */
export const FIRST_KEPT_LEVEL = 3;

/** Nodes of a level. Level 0 are the leaves. */
export function nodesOf(leaves: number, level: number): number {
  return Math.ceil(leaves / 2 ** level);
}

/** Level of the root: the first that has one node. */
export function rootLevel(leaves: number): number {
  return leaves <= 1 ? 0 : 32 - Math.clz32(leaves - 1);
}

/** Nodes that are kept below a level, which is where the level begins; of all levels without `level`. */
export function keptNodes(leaves: number, level: number = rootLevel(leaves) + 1): number {
  let nodes = 0;
  for (let below = FIRST_KEPT_LEVEL; below < level; below++) nodes += nodesOf(leaves, below);
  return nodes;
}
