/** Finds what is wrong with a tree of sums. */
import { coordinates, type Shape } from '../../modules/attribution/proof/influence/bounds.ts';
import type { Numbers } from '../../modules/attribution/proof/influence/fixed-point.ts';
import {
  decodeCoordinates,
  decodeNode,
  LEAF_COORDINATES,
} from '../../modules/attribution/proof/influence/leaves.ts';
import { coordinatesOfLeaf, sumChildren } from '../../modules/attribution/proof/influence/sum-tree.ts';
import type { ServedSums } from './published.ts';

/** A tree of sums and what it is over. */
export interface SumsToCheck {
  readonly shape: Shape;
  readonly sums: ServedSums;
  /** Features of the examples. */
  readonly features: readonly Uint8Array[];
  /** What the features of each example are multiplied by. */
  readonly vectors: readonly Numbers[];
}

/** Where a tree of sums is wrong. */
export interface SumPlace {
  readonly rule: 'malformed-node' | 'malformed-coordinates' | 'sum';
  readonly index: number;
  readonly coordinate: number;
}

/** Where the tree is wrong; undefined when it is right. */
export function findSumPlace(check: SumsToCheck): SumPlace | undefined {
  const { shape, sums } = check;
  const nodes: Float64Array[] = [];
  for (const [index, leaf] of sums.leaves.entries()) {
    if (decodeNode(leaf) === undefined) return { rule: 'malformed-node', index, coordinate: 0 };
    const values = new Float64Array(coordinates(shape));
    for (const [at, bytes] of (sums.coordinates[index] ?? []).entries()) {
      const read = decodeCoordinates(bytes, coordinatesOfLeaf(shape, at));
      if (read === undefined) return { rule: 'malformed-coordinates', index, coordinate: at };
      values.set(Array.from(read), at * LEAF_COORDINATES);
    }
    const expected = expectedOf(check, index, nodes);
    const coordinate = values.findIndex((value, c) => value !== expected[c]);
    if (coordinate >= 0) return { rule: 'sum', index, coordinate };
    nodes.push(values);
  }
  return undefined;
}

function expectedOf(check: SumsToCheck, node: number, nodes: readonly Float64Array[]): Float64Array {
  const { shape } = check;
  const sum = new Float64Array(coordinates(shape));
  const children = sumChildren(shape.examples, node);
  if (children === undefined) return sum;
  for (let child = children.first; child < children.end; child++) {
    const below = children.of === 'nodes' ? nodes[child] : undefined;
    if (below === undefined) addProduct(check, child, sum);
    else for (let c = 0; c < sum.length; c++) sum[c] = (sum[c] ?? 0) + (below[c] ?? 0);
  }
  return sum;
}

function addProduct({ shape, features, vectors }: SumsToCheck, example: number, sum: Float64Array): void {
  const x = features[example] ?? new Uint8Array(0);
  const vector = vectors[example] ?? [];
  for (let k = 0; k < shape.classes; k++) {
    const factor = vector[k] ?? 0;
    for (let j = 0; j < shape.features; j++) {
      const c = k * shape.features + j;
      sum[c] = (sum[c] ?? 0) + factor * (x[j] ?? 0);
    }
  }
}

/** The coordinates of the node on top. */
export function topCoordinates(shape: Shape, sums: ServedSums): readonly number[] {
  return (sums.coordinates.at(-1) ?? []).flatMap((bytes, leaf) =>
    Array.from(decodeCoordinates(bytes, coordinatesOfLeaf(shape, leaf)) ?? []),
  );
}
