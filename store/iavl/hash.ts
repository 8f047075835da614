/**
 * Hashes of nodes, the dirty ones of the working version at once, in one scratch buffer.
 *
 * leaf: `sha256( zigzag(0) zigzag(1) zigzag(version) len(key) key 0x20 sha256(value) )`
 * inner: `sha256( zigzag(height) zigzag(size) zigzag(version) 0x20 leftHash 0x20 rightHash )`
 * Lengths are unsigned varints. Source: cosmos/iavl v1.2 `node.go` writeHashBytes.
 */
import { EMPTY_BYTES } from '../../core/bytes.ts';
import { HASH_BYTES, sha256, sha256Into } from '../../core/hash.ts';
import { writeUvarint } from '../../core/varint.ts';
import type { NodeArena, NodeId } from './node-arena.ts';

/** Inputs up to this length are hashed in place; longer ones in a buffer of their own. */
const SCRATCH_BYTES = 4096;
/** Most that a leaf's hash input has beside its key: three varints, two lengths, the value's hash. */
const LEAF_OVERHEAD_BYTES = 64;

const scratch = Buffer.alloc(SCRATCH_BYTES);
/** `scratch` cut to each length, made when first needed: a view costs as much as a short hash. */
const scratchViews: (Buffer | undefined)[] = [];
const EMPTY_HASH = sha256(EMPTY_BYTES);

/** Hash of the tree under `root`, computing what is dirty for a commit at `version`. The empty tree hashes nothing. */
export function hashTree(arena: NodeArena, root: NodeId, version: number): Uint8Array {
  if (root === 0) return EMPTY_HASH;
  hashNode(arena, root, version);
  return arena.hash(root);
}

/** Hashes a node that was committed at `version` elsewhere; its children have been hashed before. */
export function hashImported(arena: NodeArena, node: NodeId, version: number): void {
  if (arena.isLeaf(node)) hashLeaf(arena, node, version);
  else hashInner(arena, node, version);
  arena.markCommitted(node, version);
}

/** Writes the unsigned varint of the zig-zag form of a non-negative number. */
function writeZigzag(out: Uint8Array, offset: number, value: number): number {
  return writeUvarint(out, offset, value * 2);
}

function hashNode(arena: NodeArena, node: NodeId, version: number): void {
  if (!arena.isDirty(node)) return;
  if (arena.isLeaf(node)) {
    hashLeaf(arena, node, version);
  } else {
    hashNode(arena, arena.left(node), version);
    hashNode(arena, arena.right(node), version);
    hashInner(arena, node, version);
  }
  arena.markHashed(node);
}

function hashLeaf(arena: NodeArena, leaf: NodeId, version: number): void {
  const key = arena.key(leaf);
  const keyLength = arena.bytes.length(key);
  const input = keyLength + LEAF_OVERHEAD_BYTES > SCRATCH_BYTES ? Buffer.alloc(keyLength + 64) : scratch;
  const at = leaf * HASH_BYTES;
  hashValue(arena, leaf);
  let end = 0;
  input[end++] = 0;
  input[end++] = 2;
  end = writeZigzag(input, end, version);
  end = writeUvarint(input, end, keyLength);
  end = arena.bytes.copyTo(key, input, end);
  input[end++] = HASH_BYTES;
  end = copyHash(arena.hashes, at, input, end);
  sha256Into(cut(input, end), arena.hashes, at);
}

/** Puts the hash of the leaf's value where the leaf's hash will be. */
function hashValue(arena: NodeArena, leaf: NodeId): void {
  const value = arena.value(leaf);
  const length = arena.bytes.length(value);
  const input = length > SCRATCH_BYTES ? Buffer.alloc(length) : scratch;
  arena.bytes.copyTo(value, input, 0);
  sha256Into(cut(input, length), arena.hashes, leaf * HASH_BYTES);
}

function hashInner(arena: NodeArena, node: NodeId, version: number): void {
  let end = writeZigzag(scratch, 0, arena.height(node));
  end = writeZigzag(scratch, end, arena.size(node));
  end = writeZigzag(scratch, end, version);
  scratch[end++] = HASH_BYTES;
  end = copyHash(arena.hashes, arena.left(node) * HASH_BYTES, scratch, end);
  scratch[end++] = HASH_BYTES;
  end = copyHash(arena.hashes, arena.right(node) * HASH_BYTES, scratch, end);
  sha256Into(cut(scratch, end), arena.hashes, node * HASH_BYTES);
}

function copyHash(from: Buffer, at: number, to: Buffer, offset: number): number {
  for (let i = 0; i < HASH_BYTES; i++) to[offset + i] = from[at + i] ?? 0;
  return offset + HASH_BYTES;
}

function cut(input: Buffer, length: number): Buffer {
  if (input !== scratch) return input.subarray(0, length);
  let view = scratchViews[length];
  if (view === undefined) {
    view = scratch.subarray(0, length);
    scratchViews[length] = view;
  }
  return view;
}
