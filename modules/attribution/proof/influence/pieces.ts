/**
 * Pieces of a card or of a claim that can be demanded: runs of leaves of one of its trees. Coordinates
 * hang below a node of the tree of sums, so an answer opens the node as well. Every fraud opens such leaves,
 * and several openings of one leaf each hold all hashes that one opening of these leaves takes.
 */
import { HASH_BYTES } from '../../../../core/hash.ts';
import { chunkCount } from '../../range-proof.ts';
import { leavesOfRun, type Run, runAt, runLeaves } from '../../../../core/leaf-run.ts';
import { type CommittedTree, verifyOpening } from '../tree.ts';
import type { Work } from '../work.ts';
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
  leafBytes,
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
  /** Any of the run. */
  readonly leaf: number;
}

/** What a request is answered with: see `MsgServeChunk`. */
export interface OpenedPiece {
  /** Of a section of a content; else no bytes. */
  readonly content: Uint8Array;
  readonly leaves: readonly Uint8Array[];
  /** From these to the root, 32 bytes each. */
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

/** How many leaves of a tree are asked for together: see `Run`. */
export function runLeavesIn(shape: Shape, tree: InfluenceTree): number {
  return runLeaves(leafBytes(shape, tree));
}

/**
 * True when these are the leaves of the run at that place, and such that a fraud can be shown with: one that
 * is malformed convicts, so it is no answer.
 */
export function isPiece(trees: PieceTrees, place: PiecePlace, piece: OpenedPiece): boolean {
  const tree = piece.content.length > 0 ? undefined : treeOf(trees, place, piece);
  if (tree === undefined) return false;
  const { shape } = trees;
  const run = runAt(place.leaf, { size: runLeavesIn(shape, place.tree), leaves: tree.leaves });
  const areLeaves = piece.leaves.every((leaf, i) => isLeaf(shape, { ...place, leaf: run.first + i }, leaf));
  return areLeaves && opensRun(tree, run, piece);
}

function treeOf(trees: PieceTrees, place: PiecePlace, piece: OpenedPiece): CommittedTree | undefined {
  const { node, nodeHashes } = piece;
  if (place.tree !== 'coordinates')
    return node.length === 0 && nodeHashes.length === 0 ? trees.treeNamed(place.tree) : undefined;
  const sums = trees.treeNamed('sums');
  const root = decodeNode(node);
  const opening = { leaves: [node], hashes: nodeHashes };
  if (sums === undefined || root === undefined || !opensRun(sums, oneAt(place.node), opening))
    return undefined;
  return coordinateTree(trees.shape, root);
}

/** Hashes that a piece has checked, and the bytes that it has: what its gas is for. */
export function workOfPiece({ content, leaves, hashes, node, nodeHashes }: OpenedPiece): Work {
  const ways = hashes.length + nodeHashes.length;
  const shown = leaves.reduce((sum, leaf) => sum + leaf.length, content.length);
  // Each chunk of a section and each leaf is hashed, and then with its neighbour; the ways end in roots.
  const inside = 2 * (chunkCount(content.length) + leaves.length);
  return { hashes: 4 + inside + ways, bytes: shown + node.length + ways * HASH_BYTES };
}

/** A single leaf. */
export function oneAt(leaf: number): Run {
  return { first: leaf, end: leaf + 1 };
}

/** True when these leaves are those of the run, all of them. */
export function opensRun(
  tree: CommittedTree,
  run: Run,
  { leaves, hashes }: Pick<OpenedPiece, 'leaves' | 'hashes'>,
): boolean {
  const joined = joinHashes(hashes);
  if (joined === undefined || leaves.length !== run.end - run.first) return false;
  return verifyOpening(tree, { indices: leavesOfRun(run), leaves, hashes: joined });
}

/** Hashes one after another; undefined when one is none. */
function joinHashes(hashes: readonly Uint8Array[]): Uint8Array | undefined {
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
