/** What convicts a sum tree: one coordinate of one node is not the sum of its children's. */
import type { CommittedTree } from '../tree.ts';
import type { Shape } from './bounds.ts';
import { classAndFeature, coordinateTree, takeCoordinate } from './committed.ts';
import { type FraudOpenings, refuse, wellFormed } from './fraud.ts';
import type { Numbers } from './fixed-point.ts';
import { decodeCoordinates, decodeExample, decodeNode } from './leaves.ts';
import { coordinatesOfLeaf, sumChildren } from './sum-tree.ts';

/** The trees that a sum is over. */
export interface SumTrees {
  readonly shape: Shape;
  readonly sums: CommittedTree;
  readonly examples: CommittedTree;
  /** The tree whose leaf i holds the vector that the features of example i are multiplied by. */
  readonly factors: CommittedTree;
  /** That vector of K integers, from such a leaf. */
  readonly factor: (leaf: Uint8Array) => Numbers | undefined;
}

/**
 * Openings, for a node on level 1: the node, its coordinate, its examples, their factors. For one above: its
 * children and it, then the coordinate of each child, then its own.
 * @returns true when the sum is right
 * @throws DecodeError when the openings are not these
 */
export function sumHolds(
  trees: SumTrees,
  where: { readonly node: number; readonly coordinate: number },
  openings: FraudOpenings,
): boolean {
  const { shape, sums } = trees;
  const { node, coordinate } = where;
  const { k, j } = classAndFeature(shape, coordinate);
  const children = sumChildren(shape.examples, node) ?? refuse(`no node ${node}`);
  const indices = Array.from({ length: children.end - children.first }, (_, i) => children.first + i);
  let sum = 0;
  if (children.of === 'nodes') {
    const nodes = openings.take(sums, [...indices, node]);
    const values = nodes.map((leaf) => takeCoordinate(openings, shape, { node: leaf, coordinate }));
    for (const value of values.slice(0, -1)) sum += value;
    return sum === values.at(-1);
  }
  const stated = takeCoordinate(openings, shape, { node: openings.takeOne(sums, node), coordinate });
  const examples = openings.take(trees.examples, indices);
  const factors = openings.take(trees.factors, indices);
  for (const [i, leaf] of examples.entries()) {
    const { features } = wellFormed(decodeExample(leaf, shape));
    const factor = wellFormed(trees.factor(factors[i] ?? new Uint8Array(0)));
    sum += (features[j] ?? 0) * (factor[k] ?? 0);
  }
  return sum === stated;
}

/** True when the leaf of node `index` is a root. */
export function nodeHolds(sums: CommittedTree, index: number, openings: FraudOpenings): boolean {
  return decodeNode(openings.takeOne(sums, index)) !== undefined;
}

/**
 * True when leaf `leaf` of the coordinates of node `node` is well-formed.
 * @throws DecodeError when the openings are not these
 */
export function coordinatesHolds(
  trees: { readonly shape: Shape; readonly sums: CommittedTree },
  where: { readonly node: number; readonly leaf: number },
  openings: FraudOpenings,
): boolean {
  const root = wellFormed(decodeNode(openings.takeOne(trees.sums, where.node)));
  const bytes = openings.takeOne(coordinateTree(trees.shape, root), where.leaf);
  return decodeCoordinates(bytes, coordinatesOfLeaf(trees.shape, where.leaf)) !== undefined;
}
