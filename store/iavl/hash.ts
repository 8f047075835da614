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
import type { ByteRef } from './byte-arena.ts';
import type { NodeArena, NodeId } from './node-arena.ts';

/** Inputs up to this length are hashed in place; longer ones in a buffer of their own. */
const SCRATCH_BYTES = 4096;
/** Most that a leaf's hash input has beside its key: three varints, two lengths, the value's hash. */
const LEAF_OVERHEAD_BYTES = 64;

const nodeInput = Buffer.alloc(SCRATCH_BYTES);
const nodeInputView = new DataView(nodeInput.buffer, nodeInput.byteOffset, SCRATCH_BYTES);
const valueInput = Buffer.alloc(SCRATCH_BYTES);
/** The buffers cut to each length, made when first needed: a view costs as much as a short hash. */
const nodeInputs: (Buffer | undefined)[] = [];
const valueInputs: (Buffer | undefined)[] = [];
const EMPTY_HASH = sha256(EMPTY_BYTES);

/**
 * Hash of the tree under `root`, computing what is dirty for a commit at `version`. The empty tree hashes
 * nothing.
 */
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
  const key = arena.keyRef(leaf);
  const keyLength = arena.bytes.length(key);
  const fits = keyLength + LEAF_OVERHEAD_BYTES <= SCRATCH_BYTES;
  const input = fits ? nodeInput : Buffer.alloc(keyLength + LEAF_OVERHEAD_BYTES);
  input[0] = 0;
  input[1] = 2;
  let end = writeZigzag(input, 2, version);
  end = writeUvarint(input, end, keyLength);
  end = arena.bytes.copyTo(key, input, end);
  input[end++] = HASH_BYTES;
  hashValueInto(arena, arena.value(leaf), { out: input, offset: end });
  end += HASH_BYTES;
  arena.writeHash(leaf, fits ? cut(nodeInput, nodeInputs, end) : input.subarray(0, end));
}

function hashValueInto(arena: NodeArena, value: ByteRef, to: { out: Buffer; offset: number }): void {
  const length = arena.bytes.length(value);
  const input = length <= SCRATCH_BYTES ? cut(valueInput, valueInputs, length) : Buffer.alloc(length);
  arena.bytes.copyTo(value, input, 0);
  sha256Into(input, to.out, to.offset);
}

function hashInner(arena: NodeArena, node: NodeId, version: number): void {
  let end = writeZigzag(nodeInput, 0, arena.height(node));
  end = writeZigzag(nodeInput, end, arena.size(node));
  end = writeZigzag(nodeInput, end, version);
  nodeInput[end++] = HASH_BYTES;
  end = arena.copyHash(arena.left(node), nodeInputView, end);
  nodeInput[end++] = HASH_BYTES;
  end = arena.copyHash(arena.right(node), nodeInputView, end);
  arena.writeHash(node, cut(nodeInput, nodeInputs, end));
}

function cut(buffer: Buffer, views: (Buffer | undefined)[], length: number): Buffer {
  let view = views[length];
  if (view === undefined) {
    view = buffer.subarray(0, length);
    views[length] = view;
  }
  return view;
}
