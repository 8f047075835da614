/**
 * Committed trees and the opening of several of their leaves at once. A tree is that of RFC 6962
 * (`core/merkle.ts`); what is committed binds its kind and its number of leaves:
 * `SHA-256(0x02 ‖ kind ‖ u64 leaves ‖ RFC 6962 root)`. An opening is a set of leaves and the hashes of the
 * subtrees that hold none of them, from the root to the leaves and left to right:
 *
 * ```
 *           root            opened: leaves 1 and 4 of 5
 *          /    \           hashes: [l0, h23]
 *      h0-3      [4]
 *      /   \
 *   h01    h23
 *   /  \
 * l0   [1]
 * ```
 *
 * Which hashes there are follows from the number of leaves and the set, so an opening has one form only.
 */
import { equalBytes } from '../../../core/bytes.ts';
import { assert } from '../../../core/errors.ts';
import { HASH_BYTES, sha256, sha256Into } from '../../../core/hash.ts';

const LEAF_PREFIX = 0;
const INNER_PREFIX = 1;
const ROOT_PREFIX = 2;

/** Most leaves of a tree. */
export const TREE_LEAVES_MAX: number = 2 ** 32;

/** Levels of inner nodes that a tree can have: one input buffer for each, so that hashing copies nothing. */
const LEVELS_MAX = 33;
const innerInputs: readonly HashInput[] = Array.from({ length: LEVELS_MAX }, () =>
  hashInput(INNER_PREFIX, 2 * HASH_BYTES),
);
const rootSlot: HashInput = hashInput(ROOT_PREFIX, 1 + 8 + HASH_BYTES);
const rootInput: Buffer = rootSlot.bytes;
const ROOT_AT = 10;
const rootOutput: Buffer = Buffer.alloc(HASH_BYTES);

/** Prefix and leaf, filled anew for each leaf that fits. */
const leafInput: Buffer = Buffer.alloc(2048);

/** What is hashed; through its view hashes are copied in half the time. */
interface HashInput {
  readonly bytes: Buffer;
  readonly view: DataView;
}

function hashInput(prefix: number, length: number): HashInput {
  const bytes = Buffer.alloc(1 + length);
  bytes[0] = prefix;
  return { bytes, view: viewOf(bytes) };
}

function viewOf({ buffer, byteOffset, length }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, length);
}

function copyHash(from: DataView, at: number, to: DataView, toAt: number): void {
  for (let i = 0; i < HASH_BYTES; i += 4) to.setUint32(toAt + i, from.getUint32(at + i));
}

/** A committed tree: what a root says besides the leaves. */
export interface CommittedTree {
  /** Byte by which its leaves begin too: `kinds.ts`. */
  readonly kind: number;
  /** 1 to 2^32. */
  readonly leaves: number;
  /** 32 bytes. */
  readonly root: Uint8Array;
}

/** Hash of a node of a tree built from the leaves upwards, a lone last node promoted. Level 0: leaf hashes. */
export type TreeNode = (level: number, index: number) => Uint8Array;

/** The root that is committed to: 32 bytes. `root` is that of RFC 6962. */
export function committedRoot({ kind, leaves, root }: CommittedTree): Uint8Array {
  rootInput[1] = kind;
  writeLeafCount(leaves);
  rootInput.set(root, ROOT_AT);
  return sha256(rootInput);
}

function writeLeafCount(leaves: number): void {
  rootInput.writeUInt32BE(Math.floor(leaves / 2 ** 32), 2);
  rootInput.writeUInt32BE(leaves % 2 ** 32, 6);
}

/** Writes the hash of a leaf's bytes to `out` at `at`. */
export function leafHashInto(leaf: Uint8Array, out: Buffer, at: number): void {
  const length = 1 + leaf.length;
  const input = length <= leafInput.length ? leafInput.subarray(0, length) : Buffer.alloc(length);
  input[0] = LEAF_PREFIX;
  input.set(leaf, 1);
  sha256Into(input, out, at);
}

/** Level of the smallest full subtree that holds `count` leaves: 0 for one. */
export function levelOf(count: number): number {
  return count <= 1 ? 0 : LEVELS_MAX - 1 - Math.clz32(count - 1);
}

/** Largest power of two below `count`, which is 2 to 2^32: where RFC 6962 splits. */
function splitPoint(count: number): number {
  return (1 << (31 - Math.clz32(count - 1))) >>> 0;
}

/** True for a set of leaves that can be opened: not empty, ascending, each once, inside the tree. */
export function isLeafSet(leaves: number, indices: readonly number[]): boolean {
  if (!Number.isSafeInteger(leaves) || leaves < 1 || leaves > TREE_LEAVES_MAX || indices.length === 0)
    return false;
  let last = -1;
  for (const index of indices) {
    if (!Number.isSafeInteger(index) || index <= last || index >= leaves) return false;
    last = index;
  }
  return true;
}

/** First of `indices` from `from` to `to` (exclusive) that is not below `middle`; `to` when none is. */
function partition(indices: readonly number[], from: number, to: number, middle: number): number {
  let at = from;
  while (at < to && (indices[at] ?? 0) < middle) at++;
  return at;
}

/** Number of hashes that an opening of these leaves has. `indices` is a leaf set. */
export function openingHashCount(leaves: number, indices: readonly number[]): number {
  const walk = (from: number, to: number, a: number, b: number): number => {
    if (a === b) return 1;
    if (to - from === 1) return 0;
    const middle = from + splitPoint(to - from);
    const cut = partition(indices, a, b, middle);
    return walk(from, middle, a, cut) + walk(middle, to, cut, b);
  };
  return walk(0, leaves, 0, indices.length);
}

/**
 * The hashes that open these leaves, one after another.
 * @throws AssertionError when `indices` is no leaf set of the tree
 */
export function openingHashes(leaves: number, indices: readonly number[], node: TreeNode): Uint8Array {
  assert(isLeafSet(leaves, indices), 'not a set of leaves of the tree', { leaves });
  const hashes = new Uint8Array(openingHashCount(leaves, indices) * HASH_BYTES);
  let at = 0;
  const walk = (from: number, to: number, a: number, b: number): void => {
    if (a === b) {
      const level = levelOf(to - from);
      hashes.set(node(level, Math.floor(from / 2 ** level)), at);
      at += HASH_BYTES;
      return;
    }
    if (to - from === 1) return;
    const middle = from + splitPoint(to - from);
    const cut = partition(indices, a, b, middle);
    walk(from, middle, a, cut);
    walk(middle, to, cut, b);
  };
  walk(0, leaves, 0, indices.length);
  return hashes;
}

/** Leaves of a tree, by their hashes, and bytes that hold the other hashes from some offset on. */
export interface HashedLeaves {
  readonly indices: readonly number[];
  /** 32 bytes for each index. */
  readonly leafHashes: Uint8Array;
  readonly source: Uint8Array;
  readonly offset: number;
}

/**
 * Offset behind the hashes that this opening takes of `source`; undefined when they do not lead to the tree's
 * root, are too few, or the indices are no leaf set.
 */
export function checkOpening(tree: CommittedTree, opened: HashedLeaves): number | undefined {
  const { indices, leafHashes, source } = opened;
  if (!isLeafSet(tree.leaves, indices) || leafHashes.length < indices.length * HASH_BYTES) return undefined;
  let offset = opened.offset;
  const sourceView = viewOf(source);
  const leafView = viewOf(leafHashes);
  const walk = (
    from: number,
    to: number,
    a: number,
    b: number,
    level: number,
    out: HashInput,
    at: number,
  ) => {
    if (a === b) {
      if (offset + HASH_BYTES > source.length) return false;
      copyHash(sourceView, offset, out.view, at);
      offset += HASH_BYTES;
      return true;
    }
    if (to - from === 1) {
      copyHash(leafView, a * HASH_BYTES, out.view, at);
      return true;
    }
    const input = innerInputs[level];
    if (input === undefined) return false;
    const middle = from + splitPoint(to - from);
    const cut = partition(indices, a, b, middle);
    if (!walk(from, middle, a, cut, level + 1, input, 1)) return false;
    if (!walk(middle, to, cut, b, level + 1, input, 1 + HASH_BYTES)) return false;
    sha256Into(input.bytes, out.bytes, at);
    return true;
  };
  rootInput[1] = tree.kind;
  writeLeafCount(tree.leaves);
  if (!walk(0, tree.leaves, 0, indices.length, 0, rootSlot, ROOT_AT)) return undefined;
  sha256Into(rootInput, rootOutput, 0);
  return equalBytes(rootOutput, tree.root) ? offset : undefined;
}

/** Leaves of a tree with the hashes that lead from them to its root. */
export interface Opening {
  readonly indices: readonly number[];
  /** Bytes of each leaf, kind and salt included. */
  readonly leaves: readonly Uint8Array[];
  /** 32 bytes each, one after another. */
  readonly hashes: Uint8Array;
}

/** True when these leaves are the tree's, at these places. Malformed openings are false, never an exception. */
export function verifyOpening(tree: CommittedTree, { indices, leaves, hashes }: Opening): boolean {
  if (leaves.length !== indices.length || !isLeafSet(tree.leaves, indices)) return false;
  const leafHashes = Buffer.alloc(leaves.length * HASH_BYTES);
  for (const [i, leaf] of leaves.entries()) leafHashInto(leaf, leafHashes, i * HASH_BYTES);
  return checkOpening(tree, { indices, leafHashes, source: hashes, offset: 0 }) === hashes.length;
}

/** The nodes of a tree in memory, over the bytes of its leaves, and the root that is committed to. */
export interface TreeInMemory extends CommittedTree {
  readonly node: TreeNode;
}

/** Builds a tree over leaves that begin with its kind. @throws AssertionError without leaves */
export function treeOf(kind: number, leafBytes: readonly Uint8Array[]): TreeInMemory {
  assert(leafBytes.length > 0, 'a tree without leaves');
  const bottom = Buffer.alloc(leafBytes.length * HASH_BYTES);
  for (const [i, leaf] of leafBytes.entries()) leafHashInto(leaf, bottom, i * HASH_BYTES);
  const levels = [bottom];
  for (let below = bottom; below.length > HASH_BYTES; ) {
    const nodes = below.length / HASH_BYTES;
    const above = Buffer.alloc(Math.ceil(nodes / 2) * HASH_BYTES);
    for (let i = 0; i < nodes; i += 2) writeParent(below, i, above);
    levels.push(above);
    below = above;
  }
  const node: TreeNode = (level, index) => {
    const hash = levels[level]?.subarray(index * HASH_BYTES, (index + 1) * HASH_BYTES);
    assert(hash !== undefined && hash.length === HASH_BYTES, 'no such node', { level, index });
    return hash;
  };
  const leaves = leafBytes.length;
  return { kind, leaves, root: committedRoot({ kind, leaves, root: node(levels.length - 1, 0) }), node };
}

/** Hashes nodes `i` and `i + 1` of a level into the one above; a lone last one is promoted. */
function writeParent(below: Buffer, i: number, above: Buffer): void {
  const at = (i / 2) * HASH_BYTES;
  const pair = below.subarray(i * HASH_BYTES, (i + 2) * HASH_BYTES);
  const input = innerInputs[0];
  if (pair.length === HASH_BYTES || input === undefined) {
    above.set(pair.subarray(0, HASH_BYTES), at);
    return;
  }
  input.bytes.set(pair, 1);
  sha256Into(input.bytes, above, at);
}

/** The hashes of an opening one by one. */
export function splitHashes(joined: Uint8Array): readonly Uint8Array[] {
  return Array.from({ length: joined.length / HASH_BYTES }, (_, i) =>
    joined.slice(i * HASH_BYTES, (i + 1) * HASH_BYTES),
  );
}
