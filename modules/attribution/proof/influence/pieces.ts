/**
 * Pieces of a card or of a claim that can be demanded one by one: a leaf of one of its trees. Coordinates
 * hang below a node of the tree of sums, so an answer opens the node as well. Every fraud opens such leaves,
 * and several openings of one leaf each hold all hashes that one opening of these leaves takes.
 */
import { HASH_BYTES } from '../../../../core/hash.ts';
import { type CommittedTree, verifyOpening } from '../tree.ts';
import type { Shape } from './bounds.ts';
import type { InfluenceCard } from './card.ts';
import type { ClaimRoots } from './claim.ts';
import { cardTree, claimTree, coordinateTree } from './committed.ts';
import {
  decodeCoordinates,
  decodeEffect,
  decodeExample,
  decodeGroup,
  decodeNode,
  decodeResidual,
  decodeRow,
} from './leaves.ts';
import { coordinateLeaves, coordinatesOfLeaf } from './sum-tree.ts';
import type { InfluenceTree } from './trees.ts';

/** The trees that pieces are of. */
export interface PieceTrees {
  readonly shape: Shape;
  /** Undefined when there is no tree of this name; that of coordinates follows from its node. */
  readonly treeNamed: (name: InfluenceTree) => CommittedTree | undefined;
}

/** Where a piece is. */
export interface PiecePlace {
  readonly tree: InfluenceTree;
  /** Node of the tree of sums, for coordinates; else 0. */
  readonly node: number;
  readonly leaf: number;
}

/** A leaf and its way to the root, 32 bytes each; for coordinates also their node and its way. */
export interface OpenedPiece {
  readonly content: Uint8Array;
  readonly hashes: readonly Uint8Array[];
  readonly node: Uint8Array;
  readonly nodeHashes: readonly Uint8Array[];
}

/** The trees of a card. */
export function treesOfCard(card: InfluenceCard): PieceTrees {
  return {
    shape: card,
    treeNamed(name) {
      switch (name) {
        case 'weights':
        case 'examples':
        case 'residuals':
        case 'sums':
        case 'groups':
          return cardTree(card, name);
        case 'coordinates':
        case 'solution':
        case 'effects':
          return undefined;
      }
    },
  };
}

/** The trees of a claim on a card. */
export function treesOfClaim(card: InfluenceCard, roots: ClaimRoots): PieceTrees {
  return {
    shape: card,
    treeNamed(name) {
      switch (name) {
        case 'solution':
        case 'effects':
        case 'sums':
          return claimTree(card, { roots }, name);
        case 'weights':
        case 'examples':
        case 'residuals':
        case 'groups':
        case 'coordinates':
          return undefined;
      }
    },
  };
}

/** How many leaves there are to ask for: 0 when there is no such tree or node. */
export function leavesAt(
  { shape, treeNamed }: PieceTrees,
  { tree, node }: Pick<PiecePlace, 'tree' | 'node'>,
): number {
  if (tree !== 'coordinates') return node === 0 ? (treeNamed(tree)?.leaves ?? 0) : 0;
  return node < (treeNamed('sums')?.leaves ?? 0) ? coordinateLeaves(shape) : 0;
}

/**
 * True when this is the piece at that place, and a leaf that a fraud can be shown with: one that is malformed
 * convicts, so it is no answer.
 */
export function isPiece(trees: PieceTrees, place: PiecePlace, piece: OpenedPiece): boolean {
  const tree = treeOf(trees, place, piece);
  if (tree === undefined || !isLeaf(trees.shape, place, piece.content)) return false;
  return opens(tree, place.leaf, piece.content, piece.hashes);
}

function treeOf(trees: PieceTrees, place: PiecePlace, piece: OpenedPiece): CommittedTree | undefined {
  const { node, nodeHashes } = piece;
  if (place.tree !== 'coordinates')
    return node.length === 0 && nodeHashes.length === 0 ? trees.treeNamed(place.tree) : undefined;
  const sums = trees.treeNamed('sums');
  const root = decodeNode(node);
  if (sums === undefined || root === undefined || !opens(sums, place.node, node, nodeHashes))
    return undefined;
  return coordinateTree(trees.shape, root);
}

function opens(tree: CommittedTree, index: number, leaf: Uint8Array, hashes: readonly Uint8Array[]): boolean {
  const joined = joinHashes(hashes);
  return joined !== undefined && verifyOpening(tree, { indices: [index], leaves: [leaf], hashes: joined });
}

/** Hashes one after another; undefined when one is none. */
export function joinHashes(hashes: readonly Uint8Array[]): Uint8Array | undefined {
  const joined = new Uint8Array(hashes.length * HASH_BYTES);
  for (const [i, hash] of hashes.entries()) {
    if (hash.length !== HASH_BYTES) return undefined;
    joined.set(hash, i * HASH_BYTES);
  }
  return joined;
}

function isLeaf(shape: Shape, { tree, leaf: index }: PiecePlace, bytes: Uint8Array): boolean {
  switch (tree) {
    case 'weights':
    case 'solution':
      return decodeRow(tree, bytes, shape) !== undefined;
    case 'examples':
      return decodeExample(bytes, shape) !== undefined;
    case 'residuals':
      return decodeResidual(bytes, shape) !== undefined;
    case 'sums':
      return decodeNode(bytes) !== undefined;
    case 'coordinates':
      return decodeCoordinates(bytes, coordinatesOfLeaf(shape, index)) !== undefined;
    case 'groups':
      return decodeGroup(bytes, shape) !== undefined;
    case 'effects':
      return decodeEffect(bytes, shape) !== undefined;
  }
}
