/**
 * The nodes of all trees of a multistore, in flat typed arrays: 53 bytes a node, no object per node.
 *
 * | field | leaf | inner node |
 * | --- | --- | --- |
 * | left, right | value reference, 0 | the two children |
 * | key | its key | key of the leftmost leaf of the right subtree |
 * | version | of the commit that wrote it | the same |
 *
 * Only leaves count as owners of a key record: an inner node's key is always that of a leaf of the same tree version.
 * A node of the working version is changed in place; a committed one never is. Node 0 is the empty tree.
 */
import { assert } from '../../core/errors.ts';
import { HASH_BYTES } from '../../core/hash.ts';
import { ByteArena, type ByteRef } from './byte-arena.ts';

/** A node's place in the arena; 0 is no node. */
export type NodeId = number;

/** Version mark of a node of the working version whose hash is not known. */
const DIRTY = 0xffff_ffff;
/** Version mark of a node of the working version whose hash is known. */
const HASHED = 0xffff_fffe;
/** Highest version that can be committed. */
export const NODE_VERSION_MAX = 0xffff_fff0;
const FIRST_CAPACITY = 1024;
/** Node identifiers are 32-bit integers for the engine's sake. */
const CAPACITY_MAX = 2 ** 30;

/** Bytes of one node over all arrays. */
export const NODE_BYTES: number = 4 * 5 + 1 + HASH_BYTES;

/** Allocates, reads and frees nodes. */
export class NodeArena {
  /** Keys and values. */
  readonly bytes: ByteArena = new ByteArena();
  /** Hashes by node, `HASH_BYTES` each. Replaced when the arena grows: do not keep. */
  hashes: Buffer = Buffer.alloc(FIRST_CAPACITY * HASH_BYTES);
  #left = new Int32Array(FIRST_CAPACITY);
  #right = new Int32Array(FIRST_CAPACITY);
  #key = new Uint32Array(FIRST_CAPACITY);
  #version = new Uint32Array(FIRST_CAPACITY);
  #size = new Uint32Array(FIRST_CAPACITY);
  #height = new Uint8Array(FIRST_CAPACITY);
  #value = new Uint32Array(this.#left.buffer);
  #next: NodeId = 1;
  #free: NodeId = 0;
  #live = 0;

  /** Nodes in use. */
  get live(): number {
    return this.#live;
  }

  /** Bytes allocated for nodes, keys and values. */
  get allocatedBytes(): number {
    return this.#height.length * NODE_BYTES + this.bytes.allocatedBytes;
  }

  /** A new leaf of the working version. It takes over one reference of the key. */
  newLeaf(key: ByteRef, value: Uint8Array): NodeId {
    const node = this.#take();
    this.#value[node] = this.bytes.store(value);
    this.#right[node] = 0;
    this.#key[node] = key;
    this.#size[node] = 1;
    this.#height[node] = 0;
    return node;
  }

  /** A new inner node of the working version. */
  newInner(key: ByteRef, left: NodeId, right: NodeId): NodeId {
    const node = this.#take();
    this.#left[node] = left;
    this.#right[node] = right;
    this.#key[node] = key;
    this.update(node);
    return node;
  }

  /** A copy of an inner node, of the working version. */
  copyInner(from: NodeId): NodeId {
    const node = this.#take();
    this.#left[node] = this.left(from);
    this.#right[node] = this.right(from);
    this.#key[node] = this.key(from);
    this.#size[node] = this.size(from);
    this.#height[node] = this.height(from);
    return node;
  }

  /** Frees a node, and what a leaf owns. Its children stay. */
  free(node: NodeId): void {
    if (this.isLeaf(node)) {
      this.bytes.release(this.value(node));
      this.bytes.release(this.key(node));
    }
    this.#left[node] = this.#free;
    this.#free = node;
    this.#live--;
  }

  left(node: NodeId): NodeId {
    return this.#left[node] ?? 0;
  }

  right(node: NodeId): NodeId {
    return this.#right[node] ?? 0;
  }

  key(node: NodeId): ByteRef {
    return this.#key[node] ?? 0;
  }

  /** Value reference of a leaf. */
  value(leaf: NodeId): ByteRef {
    return this.#value[leaf] ?? 0;
  }

  size(node: NodeId): number {
    return this.#size[node] ?? 0;
  }

  height(node: NodeId): number {
    return this.#height[node] ?? 0;
  }

  /** Version of a committed node. */
  version(node: NodeId): number {
    return this.#version[node] ?? 0;
  }

  isLeaf(node: NodeId): boolean {
    return this.#height[node] === 0;
  }

  /** True for nodes made since the last commit. */
  isWorking(node: NodeId): boolean {
    return (this.#version[node] ?? 0) >= HASHED;
  }

  /** True when the node's hash has to be computed. */
  isDirty(node: NodeId): boolean {
    return this.#version[node] === DIRTY;
  }

  markDirty(node: NodeId): void {
    this.#version[node] = DIRTY;
  }

  markHashed(node: NodeId): void {
    this.#version[node] = HASHED;
  }

  markCommitted(node: NodeId, version: number): void {
    this.#version[node] = version;
  }

  /** Sets a child of a node of the working version. */
  setLeft(node: NodeId, child: NodeId): void {
    this.#left[node] = child;
  }

  setRight(node: NodeId, child: NodeId): void {
    this.#right[node] = child;
  }

  setKey(node: NodeId, key: ByteRef): void {
    this.#key[node] = key;
  }

  /** Gives a leaf of the working version another value. */
  setValue(leaf: NodeId, value: Uint8Array): void {
    this.bytes.release(this.value(leaf));
    this.#value[leaf] = this.bytes.store(value);
    this.#version[leaf] = DIRTY;
  }

  /** Recomputes size and height of an inner node from its children. */
  update(node: NodeId): void {
    const left = this.left(node);
    const right = this.right(node);
    this.#size[node] = this.size(left) + this.size(right);
    const leftHeight = this.height(left);
    const rightHeight = this.height(right);
    this.#height[node] = 1 + (leftHeight > rightHeight ? leftHeight : rightHeight);
  }

  /** Height of the left subtree less that of the right one. */
  balance(node: NodeId): number {
    return this.height(this.left(node)) - this.height(this.right(node));
  }

  /** A copy of a node's hash. */
  hash(node: NodeId): Uint8Array {
    return Uint8Array.prototype.slice.call(this.hashes, node * HASH_BYTES, (node + 1) * HASH_BYTES);
  }

  #take(): NodeId {
    this.#live++;
    let node = this.#free;
    if (node !== 0) {
      this.#free = this.left(node);
    } else {
      if (this.#next === this.#height.length) this.#grow();
      node = this.#next++;
    }
    this.#version[node] = DIRTY;
    return node;
  }

  #grow(): void {
    const capacity = this.#height.length * 2;
    assert(capacity <= CAPACITY_MAX, 'the node arena is full', { capacity });
    const left = new Int32Array(capacity);
    left.set(this.#left);
    this.#left = left;
    this.#value = new Uint32Array(left.buffer);
    const right = new Int32Array(capacity);
    right.set(this.#right);
    this.#right = right;
    this.#key = grown(this.#key, capacity);
    this.#version = grown(this.#version, capacity);
    this.#size = grown(this.#size, capacity);
    const height = new Uint8Array(capacity);
    height.set(this.#height);
    this.#height = height;
    const hashes = Buffer.alloc(capacity * HASH_BYTES);
    hashes.set(this.hashes);
    this.hashes = hashes;
  }
}

function grown(array: Uint32Array, capacity: number): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(capacity);
  larger.set(array);
  return larger;
}
