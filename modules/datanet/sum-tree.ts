/**
 * The merkle-sum tree of a Datanet's accepted contributions: an append-only log of the shape of RFC 6962,
 * in which each node also carries the sum of the weights below it and hashes both children's sums (a tree
 * that hashes only their total can be forged). Full subtrees never change, so they are stored by (level,
 * index); the root at any size, and the path of any leaf in it, is made of O(log n) of them.
 *
 * leaf = SHA-256(0x00 ‖ "openledger/snapshot" ‖ contribution id ‖ weight ‖ content root)
 * node = SHA-256(0x01 ‖ left hash ‖ left sum ‖ right hash ‖ right sum); numbers are 8 bytes, big-endian.
 */
import { concatBytes, EMPTY_BYTES, equalBytes, uint64BigEndian, utf8 } from '../../core/bytes.ts';
import { assert } from '../../core/errors.ts';
import { sha256 } from '../../core/hash.ts';
import type { SumNode } from '../../proto/gen/openledger/datanet/v1/datanet.ts';

const LEAF_TAG = concatBytes(Uint8Array.of(0), utf8('openledger/snapshot'));
const NODE_TAG = Uint8Array.of(1);

/** What a leaf commits to. */
export interface SumLeaf {
  readonly contributionId: bigint;
  readonly weight: bigint;
  /** The contribution's content root: 32 bytes. */
  readonly root: Uint8Array;
}

/** Reads the full subtree of 2^level leaves that begins at leaf index × 2^level. */
export type NodeLookup = (level: number, index: bigint) => SumNode;

/** A full subtree that an append completes. */
export interface CompletedNode {
  readonly level: number;
  readonly index: bigint;
  readonly node: SumNode;
}

/** The root of no leaves. */
export const EMPTY_SUM_NODE: SumNode = { hash: sha256(EMPTY_BYTES), sum: 0n };

/** Node of a leaf. */
export function sumLeaf({ contributionId, weight, root }: SumLeaf): SumNode {
  const id = uint64BigEndian(contributionId);
  return { hash: sha256(concatBytes(LEAF_TAG, id, uint64BigEndian(weight), root)), sum: weight };
}

/** Node above two nodes. */
export function sumParent(left: SumNode, right: SumNode): SumNode {
  const hash = sha256(
    concatBytes(NODE_TAG, left.hash, uint64BigEndian(left.sum), right.hash, uint64BigEndian(right.sum)),
  );
  return { hash, sum: left.sum + right.sum };
}

/**
 * The full subtrees that a leaf at `position` completes: the leaf itself, then upwards while it is a right
 * child.
 */
export function appendLeaf(leaf: SumNode, position: bigint, stored: NodeLookup): readonly CompletedNode[] {
  const completed: CompletedNode[] = [];
  let node = leaf;
  let index = position;
  for (let level = 0; ; level++) {
    completed.push({ level, index, node });
    if ((index & 1n) === 0n) return completed;
    node = sumParent(stored(level, index - 1n), node);
    index >>= 1n;
  }
}

/** Root of the first `size` leaves. */
export function sumRoot(size: bigint, stored: NodeLookup): SumNode {
  if (size === 0n) return EMPTY_SUM_NODE;
  return rangeNode(0n, size, stored);
}

/** Siblings of the leaf at `position` in the tree of the first `size` leaves, from the leaf upwards. */
export function sumPath(position: bigint, size: bigint, stored: NodeLookup): readonly SumNode[] {
  assert(position < size, 'leaf is not in the tree');
  const siblings: SumNode[] = [];
  let from = 0n;
  let to = size;
  while (to - from > 1n) {
    const middle = from + splitPoint(to - from);
    const isLeft = position < middle;
    siblings.push(isLeft ? rangeNode(middle, to, stored) : rangeNode(from, middle, stored));
    if (isLeft) to = middle;
    else from = middle;
  }
  return siblings.reverse();
}

/** A claim that a leaf stands at `position` of a tree of `size` leaves. */
export interface SumProof {
  readonly leaf: SumLeaf;
  readonly position: bigint;
  readonly size: bigint;
  readonly siblings: readonly SumNode[];
}

/** True when the path leads from the leaf to this root and sum. */
export function verifySumPath(proof: SumProof, root: SumNode): boolean {
  const { position, size } = proof;
  if (position < 0n || position >= size) return false;
  const turns = turnsTo(position, size);
  if (turns.length !== proof.siblings.length) return false;
  let node = sumLeaf(proof.leaf);
  for (const [i, sibling] of proof.siblings.entries()) {
    if (sibling.hash.length !== 32) return false;
    node = turns[turns.length - 1 - i] === 'left' ? sumParent(node, sibling) : sumParent(sibling, node);
  }
  return node.sum === root.sum && equalBytes(node.hash, root.hash);
}

/** On which side the leaf stands at each level, from the root down. */
function turnsTo(position: bigint, size: bigint): readonly ('left' | 'right')[] {
  const turns: ('left' | 'right')[] = [];
  let from = 0n;
  let to = size;
  while (to - from > 1n) {
    const middle = from + splitPoint(to - from);
    if (position < middle) {
      turns.push('left');
      to = middle;
    } else {
      turns.push('right');
      from = middle;
    }
  }
  return turns;
}

/**
 * Node over leaves `from` to `to`; `from` is a multiple of the range's largest power of two, as splits keep
 * it.
 */
function rangeNode(from: bigint, to: bigint, stored: NodeLookup): SumNode {
  const count = to - from;
  const level = count.toString(2).length - 1;
  if (count === 1n << BigInt(level)) return stored(level, from >> BigInt(level));
  const middle = from + splitPoint(count);
  return sumParent(rangeNode(from, middle, stored), rangeNode(middle, to, stored));
}

/** Largest power of two below `count`, which is at least 2. */
function splitPoint(count: bigint): bigint {
  return 1n << BigInt((count - 1n).toString(2).length - 1);
}
