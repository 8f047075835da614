/**
 * Merkle-sum trees and the opening of nodes with the sums that they were committed with. The shape is that of
 * RFC 6962; every node has a hash and, for each column, a sum:
 *
 * | what | SHA-256 of |
 * | --- | --- |
 * | leaf | `0x00 ‖ leaf`; its sums follow from its bytes, which begin with the kind |
 * | node | `0x01 ‖ kind ‖ left hash ‖ left sums ‖ right hash ‖ right sums` |
 *
 * A tree is committed to by its top node (hash and sums) and its number of leaves. If the number is another,
 * a leaf stands where a node has to be, or a node where a leaf has to be: that convicts.
 *
 * Integers are big-endian, sums u64. A node hashes *both* children's sums. Where only their sum is hashed
 * (Maxwell's form), each proof may name another sum for the sibling, and a root may state less than its leaves
 * add up to while everybody's proof holds (Hu, Zhang, Guo 2019). Here a node states one sum for each child, and
 * whoever opens that child shows whether it is right.
 */
import { equalBytes } from '../../../core/bytes.ts';
import { HASH_BYTES, sha256 } from '../../../core/hash.ts';
import type { SumNode, SumTree } from '../../../proto/gen/openledger/settlement/v1/epoch.ts';
import type { SumTreeKind } from './kinds.ts';

const LEAF_PREFIX = 0;
const NODE_PREFIX = 1;
const SUM_BYTES = 8;
const SUM_MAX: bigint = (1n << 64n) - 1n;

/** Most leaves of a tree. */
export const SUM_TREE_LEAVES_MAX: number = 2 ** 32 - 1;

/** Bytes of a node in an opening: its hash and its sums. */
export function nodeBytes({ columns }: SumTreeKind): number {
  return HASH_BYTES + columns * SUM_BYTES;
}

/** Hash of a leaf's bytes. */
export function sumLeafHash(leaf: Uint8Array): Uint8Array {
  const input = new Uint8Array(1 + leaf.length);
  input[0] = LEAF_PREFIX;
  input.set(leaf, 1);
  return sha256(input);
}

/** Hash of the node above two others. */
export function sumNodeHash(of: SumTreeKind, left: SumNode, right: SumNode): Uint8Array {
  return sha256(sumNodeInput(of, left, right));
}

/** What a node above two others is the hash of. */
export function sumNodeInput(of: SumTreeKind, left: SumNode, right: SumNode): Uint8Array {
  const width = nodeBytes(of);
  const input = new Uint8Array(2 + 2 * width);
  input[0] = NODE_PREFIX;
  input[1] = of.kind;
  writeSumNode(left, input, 2);
  writeSumNode(right, input, 2 + width);
  return input;
}

/** True when a node above two others can be the hash of these bytes. */
export function isSumNodeInput(of: SumTreeKind, input: Uint8Array): boolean {
  return input.length === 2 + 2 * nodeBytes(of) && input[0] === NODE_PREFIX && input[1] === of.kind;
}

/** The bytes of the leaf that is the hash of these; undefined when no leaf is. */
export function leafOfInput(input: Uint8Array): Uint8Array | undefined {
  return input[0] === LEAF_PREFIX ? input.subarray(1) : undefined;
}

/** Writes a hash and its sums. */
export function writeSumNode({ hash, sums }: SumNode, out: Uint8Array, at: number): void {
  out.set(hash, at);
  const view = new DataView(out.buffer, out.byteOffset, out.length);
  for (const [i, sum] of sums.entries()) view.setBigUint64(at + HASH_BYTES + i * SUM_BYTES, sum);
}

/** Reads what `writeSumNode` wrote. */
export function readSumNode({ columns }: SumTreeKind, bytes: Uint8Array, at: number): SumNode {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const sums: bigint[] = [];
  for (let i = 0; i < columns; i++) sums.push(view.getBigUint64(at + HASH_BYTES + i * SUM_BYTES));
  return { hash: new Uint8Array(bytes.subarray(at, at + HASH_BYTES)), sums };
}

/** Column by column; undefined when one does not fit into 64 bits, and so is no sum of a node. */
export function addSums(a: readonly bigint[], b: readonly bigint[]): readonly bigint[] | undefined {
  const sums = a.map((value, i) => value + (b[i] ?? 0n));
  return sums.some((sum) => sum > SUM_MAX) ? undefined : sums;
}

/** True when both are the same, column by column. */
export function equalSums(a: readonly bigint[], b: readonly bigint[]): boolean {
  return a.length === b.length && a.every((value, i) => value === b[i]);
}

/** True for a hash with as many sums of 64 bits as the tree has columns. */
export function isSumNode({ columns }: SumTreeKind, { hash, sums }: SumNode): boolean {
  return hash.length === HASH_BYTES && sums.length === columns;
}

/** Largest power of two below `count`, which is at least 2: where RFC 6962 splits. */
export function splitPoint(count: number): number {
  return 2 ** (31 - Math.clz32(count - 1));
}

/** Leaves of the subtree that a node is the top of. */
export interface LeafRange {
  readonly from: number;
  /** Exclusive. */
  readonly to: number;
}

/**
 * The leaves below a node, of which the first is `index · 2^level`; undefined where the tree has none. A lone
 * last node is not written on the levels above.
 */
export function leavesBelow(
  leaves: number,
  { level, index }: { readonly level: number; readonly index: number },
): LeafRange | undefined {
  if (level > 32) return undefined;
  const from = index * 2 ** level;
  const to = Math.min(leaves, from + 2 ** level);
  return to - from > (level === 0 ? 0 : 2 ** (level - 1)) ? { from, to } : undefined;
}

/** A subtree that is opened, with the sums it is said to have. */
export interface OpenedNode extends SumNode, LeafRange {}

/** What an opening shows besides that the nodes are there. */
export interface SumsBefore {
  /** For each opened node, the sums of all leaves left of it. */
  readonly before: readonly (readonly bigint[])[];
}

/**
 * Follows nodes, which are in rising order and apart, to the root; undefined when they do not lead there,
 * with exactly these siblings and with every sum on the way that of its two children.
 */
export function followToRoot(
  of: SumTreeKind,
  tree: SumTree,
  { opened, siblings }: { readonly opened: readonly OpenedNode[]; readonly siblings: Uint8Array },
): SumsBefore | undefined {
  const width = nodeBytes(of);
  const before: (readonly bigint[])[] = [];
  let passed: readonly bigint[] = new Array<bigint>(of.columns).fill(0n);
  let at = 0;
  const pass = (node: SumNode): SumNode => {
    passed = passed.map((sum, i) => sum + (node.sums[i] ?? 0n));
    return node;
  };
  const walk = (from: number, to: number, a: number, b: number): SumNode | undefined => {
    if (a === b) {
      if (at + width > siblings.length) return undefined;
      at += width;
      return pass(readSumNode(of, siblings, at - width));
    }
    const first = opened[a];
    if (first === undefined) return undefined;
    if (b - a === 1 && first.from === from && first.to === to) {
      before.push(passed);
      return pass(first);
    }
    if (to - from < 2) return undefined;
    const middle = from + splitPoint(to - from);
    let cut = a;
    while (cut < b && (opened[cut]?.from ?? middle) < middle) cut++;
    const left = walk(from, middle, a, cut);
    const right = left && walk(middle, to, cut, b);
    const sums = right && addSums(left.sums, right.sums);
    return sums && { hash: sumNodeHash(of, left, right), sums };
  };
  if (!isInTree(of, tree, opened)) return undefined;
  const top = walk(0, tree.leaves, 0, opened.length);
  if (top === undefined || at !== siblings.length || !equalSums(top.sums, tree.sums)) return undefined;
  return equalBytes(top.hash, tree.root) ? { before } : undefined;
}

function isInTree(of: SumTreeKind, { leaves }: SumTree, opened: readonly OpenedNode[]): boolean {
  let end = 0;
  for (const node of opened) {
    if (!isSumNode(of, node) || node.from < end || node.to <= node.from || node.to > leaves) return false;
    end = node.to;
  }
  return opened.length > 0 && leaves <= SUM_TREE_LEAVES_MAX;
}
