/** Building of sum trees: Σ factor_i ⊗ x_i over 8 examples, over 8 such sums, and so on to the top. */
import { coordinates, type Shape } from '../../modules/attribution/proof/influence/bounds.ts';
import {
  encodeCoordinates,
  encodeNode,
  LEAF_COORDINATES,
} from '../../modules/attribution/proof/influence/leaves.ts';
import { sumChildren, sumNodes } from '../../modules/attribution/proof/influence/sum-tree.ts';
import { INFLUENCE_TREES } from '../../modules/attribution/proof/influence/trees.ts';
import { treeOf } from '../../modules/attribution/proof/tree.ts';
import { byClass } from './hessian.ts';
import { plus } from './linear-algebra.ts';
import { type ServedSums, servedTree } from './published.ts';
import { type SparseRows, type TrainingSet, weightedSum } from './training-set.ts';

/** Coordinates of every node, from below, laid out by class. */
export type NodeSums = readonly Float64Array[];

/** @param factors n · K integers, example by example */
export function nodeSums(set: TrainingSet, rows: SparseRows, factors: Float64Array): NodeSums {
  const { shape } = set;
  const nodes: Float64Array[] = [];
  for (let node = 0; node < sumNodes(shape.examples); node++) {
    const children = sumChildren(shape.examples, node);
    if (children === undefined) break;
    const { first, end } = children;
    if (children.of === 'examples') {
      nodes.push(byClass(shape, weightedSum(rows, factors, { shape, first, end })));
      continue;
    }
    let sum = new Float64Array(coordinates(shape));
    for (const child of nodes.slice(first, end)) sum = new Float64Array(plus(sum, 1, child));
    nodes.push(sum);
  }
  return nodes;
}

/** The sum over all examples. */
export function topOf(nodes: NodeSums): Float64Array {
  return nodes.at(-1) ?? new Float64Array(0);
}

/** The tree of sums over nodes. */
export function sumsOfNodes(shape: Shape, nodes: NodeSums): ServedSums {
  return servedSums(nodes.map((node) => coordinateLeavesOf(shape, node)));
}

function coordinateLeavesOf(shape: Shape, node: Float64Array): Uint8Array[] {
  const leaves: Uint8Array[] = [];
  for (let c = 0; c < coordinates(shape); c += LEAF_COORDINATES)
    leaves.push(encodeCoordinates(node.subarray(c, c + LEAF_COORDINATES)));
  return leaves;
}

/** The tree of sums over the coordinates of nodes. */
export function servedSums(coordinateLeaves: readonly (readonly Uint8Array[])[]): ServedSums {
  const roots = coordinateLeaves.map((leaves) => treeOf(INFLUENCE_TREES.coordinates, leaves).root);
  return { ...servedTree('sums', roots.map(encodeNode)), coordinates: coordinateLeaves };
}
