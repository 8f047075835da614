/** The committed trees of a card and of a claim, and reading of opened coordinates. */
import type { CommittedTree } from '../tree.ts';
import { coordinates, type Shape } from './bounds.ts';
import type { InfluenceCard } from './card.ts';
import type { InfluenceClaim } from './claim.ts';
import { type FraudOpenings, refuse, wellFormed } from './fraud.ts';
import { decodeCoordinates, decodeNode, LEAF_COORDINATES } from './leaves.ts';
import { coordinateLeaves, coordinatesOfLeaf, sumNodes } from './sum-tree.ts';
import { INFLUENCE_TREES } from './trees.ts';

/** A tree of a card. */
export function cardTree(card: InfluenceCard, tree: keyof InfluenceCard['roots']): CommittedTree {
  const leaves = {
    weights: card.classes,
    examples: card.examples,
    residuals: card.examples,
    sums: sumNodes(card.examples),
    groups: card.groups,
  }[tree];
  return { kind: INFLUENCE_TREES[tree], leaves, root: card.roots[tree] };
}

/** A tree of a claim on a card. */
export function claimTree(
  card: InfluenceCard,
  claim: Pick<InfluenceClaim, 'roots'>,
  tree: keyof InfluenceClaim['roots'],
): CommittedTree {
  const leaves = {
    solution: card.classes,
    effects: card.examples,
    sums: sumNodes(card.examples),
  }[tree];
  return { kind: INFLUENCE_TREES[tree], leaves, root: claim.roots[tree] };
}

/** The coordinates of a node, as a tree. */
export function coordinateTree(shape: Shape, root: Uint8Array): CommittedTree {
  return { kind: INFLUENCE_TREES.coordinates, leaves: coordinateLeaves(shape), root };
}

/** Class and feature of a coordinate. @throws DecodeError when there is no such coordinate */
export function classAndFeature(
  shape: Shape,
  coordinate: number,
): { readonly k: number; readonly j: number } {
  if (coordinate >= coordinates(shape)) refuse(`no coordinate ${coordinate}`);
  const k = Math.floor(coordinate / shape.features);
  return { k, j: coordinate - k * shape.features };
}

/** Takes the opening of one coordinate of a node, whose own leaf was opened before. */
export function takeCoordinate(
  openings: FraudOpenings,
  shape: Shape,
  { node, coordinate }: { readonly node: Uint8Array | undefined; readonly coordinate: number },
): number {
  const root = wellFormed(decodeNode(node ?? new Uint8Array(0)));
  const leaf = Math.floor(coordinate / LEAF_COORDINATES);
  const bytes = openings.takeOne(coordinateTree(shape, root), leaf);
  const values = wellFormed(decodeCoordinates(bytes, coordinatesOfLeaf(shape, leaf)));
  return values[coordinate - leaf * LEAF_COORDINATES] ?? refuse('a coordinate is missing');
}
