/**
 * The nodes of all trees of a multistore, in one flat typed array: 64 bytes a node, a cache line, no object
 * per node.
 *
 * | word | leaf | inner node |
 * | --- | --- | --- |
 * | 0, 1 | value reference, 0 | the two children |
 * | 2 | its key | key of the leftmost leaf of the right subtree |
 * | 3 | version of the commit that wrote it | the same |
 * | 4, 5 | size 1, height 0 | leaves below, height |
 * | 6, 7 | first eight bytes of the key | the same |
 * | 8 to 15 | hash | hash |
 *
 * Only leaves count as owners of a key record: an inner node's key is always that of a leaf of the same tree
 * version. A node of the working version is changed in place; a committed one never is. Node 0 is the empty
 * tree.
 */
import { AssertionError, assert } from '../../core/errors.ts';
import { HASH_BYTES, sha256Into } from '../../core/hash.ts';
import { ByteArena, type ByteRef } from './byte-arena.ts';

/** A node's place in the arena; 0 is no node. */
export type NodeId = number;

/** A key to look for, with its first eight bytes as two numbers: most comparisons end with these. */
export interface SearchKey {
  readonly bytes: Uint8Array;
  readonly high: number;
  readonly low: number;
}

/** A node's key: its record and the record's first eight bytes. */
export interface NodeKey {
  readonly ref: ByteRef;
  readonly high: number;
  readonly low: number;
}

/** Bytes of one node. */
export const NODE_BYTES = 64;
/** Where in a node its hash begins. */
const HASH_OFFSET = NODE_BYTES - HASH_BYTES;
const NODE_SHIFT = 4;
const RIGHT = 1;
const KEY = 2;
const VERSION = 3;
const SIZE = 4;
const HEIGHT = 5;
const HIGH = 6;
const LOW = 7;
const HASH = 8;

/** Version mark of a node of the working version whose hash is not known. */
const DIRTY = 0xffff_ffff;
/** Version mark of a node of the working version whose hash is known. */
const HASHED = 0xffff_fffe;
/** Version mark of a free node. */
const FREE = 0;
/** Highest version that can be committed. */
export const NODE_VERSION_MAX = 0xffff_fff0;
const FIRST_CAPACITY = 1024;
/** Beyond this a typed array would be larger than the engine allows. */
const CAPACITY_MAX = 2 ** 26;

const LITTLE_ENDIAN = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1;

/** The key with its first eight bytes, missing ones as zero. */
export function searchKey(bytes: Uint8Array): SearchKey {
  return { bytes, high: wordAt(bytes, 0), low: wordAt(bytes, 4) };
}

/** Four bytes as a number with the order of the bytes, in the range of signed 32-bit integers. */
function wordAt(bytes: Uint8Array, at: number): number {
  const high = ((bytes[at] ?? 0) << 24) | ((bytes[at + 1] ?? 0) << 16);
  return (high | ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0)) ^ 0x8000_0000;
}

/** Allocates, reads and frees nodes. */
export class NodeArena {
  /** Keys and values. */
  readonly bytes: ByteArena = new ByteArena();
  #words = new Int32Array(FIRST_CAPACITY << NODE_SHIFT);
  #unsigned = new Uint32Array(this.#words.buffer);
  #buffer = Buffer.from(this.#words.buffer);
  #capacity = FIRST_CAPACITY;
  #next: NodeId = 1;
  #free: NodeId = 0;
  #live = 0;
  /** Nodes allocated since the last commit; some may be free again or be there twice. */
  #recent: NodeId[] = [];

  /** Nodes in use. */
  get live(): number {
    return this.#live;
  }

  /** Bytes allocated for nodes, keys and values. */
  get allocatedBytes(): number {
    return this.#buffer.length + this.bytes.allocatedBytes;
  }

  /** Memory that these nodes hold: themselves, their place in a list, and the values of leaves. */
  heldBytes(nodes: Int32Array): number {
    let bytes = nodes.length * (NODE_BYTES + Int32Array.BYTES_PER_ELEMENT);
    for (const node of nodes) if (this.isLeaf(node)) bytes += this.bytes.recordBytes(this.value(node));
    return bytes;
  }

  /** A new leaf of the working version, with a key of its own. */
  newLeaf(key: SearchKey, value: Uint8Array): NodeId {
    const ref = this.bytes.store(key.bytes);
    return this.#leaf({ ref, high: key.high, low: key.low }, value);
  }

  /** A new leaf of the working version, with the key of another leaf. */
  copyLeaf(from: NodeId, value: Uint8Array): NodeId {
    const key = this.nodeKey(from);
    this.bytes.retain(key.ref);
    return this.#leaf(key, value);
  }

  /** A new inner node of the working version; its key is that of `leftmost`, the first leaf under `right`. */
  newInner(leftmost: NodeId, left: NodeId, right: NodeId): NodeId {
    const key = this.nodeKey(leftmost);
    const node = this.#take();
    this.#words[node << NODE_SHIFT] = left;
    this.#words[(node << NODE_SHIFT) + RIGHT] = right;
    this.setKey(node, key);
    this.update(node);
    return node;
  }

  /** A copy of an inner node, of the working version. */
  copyInner(from: NodeId): NodeId {
    const node = this.#take();
    const words = this.#words;
    const to = node << NODE_SHIFT;
    const at = from << NODE_SHIFT;
    words[to] = words[at] ?? 0;
    words[to + RIGHT] = words[at + RIGHT] ?? 0;
    words[to + KEY] = words[at + KEY] ?? 0;
    words[to + SIZE] = words[at + SIZE] ?? 0;
    words[to + HEIGHT] = words[at + HEIGHT] ?? 0;
    words[to + HIGH] = words[at + HIGH] ?? 0;
    words[to + LOW] = words[at + LOW] ?? 0;
    return node;
  }

  /** Frees a node, and what a leaf owns. Its children stay. */
  free(node: NodeId): void {
    const at = node << NODE_SHIFT;
    if (this.#unsigned[at + VERSION] === FREE)
      throw new AssertionError('a tree node was freed twice', { node });
    if (this.isLeaf(node)) {
      this.bytes.release(this.value(node));
      this.bytes.release(this.keyRef(node));
    }
    this.#unsigned[at + VERSION] = FREE;
    this.#words[at] = this.#free;
    this.#free = node;
    this.#live--;
  }

  left(node: NodeId): NodeId {
    return this.#words[node << NODE_SHIFT] ?? 0;
  }

  right(node: NodeId): NodeId {
    return this.#words[(node << NODE_SHIFT) + RIGHT] ?? 0;
  }

  /** Record of the node's key. */
  keyRef(node: NodeId): ByteRef {
    return this.#unsigned[(node << NODE_SHIFT) + KEY] ?? 0;
  }

  nodeKey(node: NodeId): NodeKey {
    const at = node << NODE_SHIFT;
    return { ref: this.keyRef(node), high: this.#words[at + HIGH] ?? 0, low: this.#words[at + LOW] ?? 0 };
  }

  /** Value reference of a leaf. */
  value(leaf: NodeId): ByteRef {
    return this.#unsigned[leaf << NODE_SHIFT] ?? 0;
  }

  size(node: NodeId): number {
    return this.#words[(node << NODE_SHIFT) + SIZE] ?? 0;
  }

  height(node: NodeId): number {
    return this.#words[(node << NODE_SHIFT) + HEIGHT] ?? 0;
  }

  /** Version of a committed node. */
  version(node: NodeId): number {
    return this.#unsigned[(node << NODE_SHIFT) + VERSION] ?? 0;
  }

  isLeaf(node: NodeId): boolean {
    return this.#words[(node << NODE_SHIFT) + HEIGHT] === 0;
  }

  /** Order of a key against the node's key, as `compareBytes`. */
  compare(key: SearchKey, node: NodeId): number {
    const at = node << NODE_SHIFT;
    const high = this.#words[at + HIGH] ?? 0;
    if (key.high !== high) return key.high < high ? -1 : 1;
    const low = this.#words[at + LOW] ?? 0;
    if (key.low !== low) return key.low < low ? -1 : 1;
    return this.bytes.compare(key.bytes, this.#unsigned[at + KEY] ?? 0);
  }

  /** True for nodes made since the last commit. */
  isWorking(node: NodeId): boolean {
    return (this.#unsigned[(node << NODE_SHIFT) + VERSION] ?? 0) >= HASHED;
  }

  /** True when the node's hash has to be computed. */
  isDirty(node: NodeId): boolean {
    return this.#unsigned[(node << NODE_SHIFT) + VERSION] === DIRTY;
  }

  markDirty(node: NodeId): void {
    this.#unsigned[(node << NODE_SHIFT) + VERSION] = DIRTY;
  }

  markHashed(node: NodeId): void {
    this.#unsigned[(node << NODE_SHIFT) + VERSION] = HASHED;
  }

  markCommitted(node: NodeId, version: number): void {
    this.#unsigned[(node << NODE_SHIFT) + VERSION] = version;
  }

  /** Marks all nodes of the working version as not hashed. */
  markAllDirty(): void {
    for (const node of this.#recent) if (this.isWorking(node)) this.markDirty(node);
  }

  /** Makes all nodes of the working version nodes of a committed one. */
  commitWorking(version: number): void {
    for (const node of this.#recent) if (this.isWorking(node)) this.markCommitted(node, version);
    this.#recent = [];
  }

  /** Frees all nodes of the working version. */
  freeWorking(): void {
    for (const node of this.#recent) if (this.isWorking(node)) this.free(node);
    this.#recent = [];
  }

  /** Sets a child of a node of the working version. */
  setLeft(node: NodeId, child: NodeId): void {
    this.#words[node << NODE_SHIFT] = child;
  }

  setRight(node: NodeId, child: NodeId): void {
    this.#words[(node << NODE_SHIFT) + RIGHT] = child;
  }

  setKey(node: NodeId, key: NodeKey): void {
    const at = node << NODE_SHIFT;
    this.#unsigned[at + KEY] = key.ref;
    this.#words[at + HIGH] = key.high;
    this.#words[at + LOW] = key.low;
  }

  /** Gives a leaf of the working version another value. */
  setValue(leaf: NodeId, value: Uint8Array): void {
    this.bytes.release(this.value(leaf));
    this.#unsigned[leaf << NODE_SHIFT] = this.bytes.store(value);
    this.markDirty(leaf);
  }

  /** Recomputes size and height of an inner node from its children. */
  update(node: NodeId): void {
    const at = node << NODE_SHIFT;
    const left = this.left(node);
    const right = this.right(node);
    this.#words[at + SIZE] = this.size(left) + this.size(right);
    const leftHeight = this.height(left);
    const rightHeight = this.height(right);
    this.#words[at + HEIGHT] = 1 + (leftHeight > rightHeight ? leftHeight : rightHeight);
  }

  /** Height of the left subtree less that of the right one. */
  balance(node: NodeId): number {
    return this.height(this.left(node)) - this.height(this.right(node));
  }

  /** A copy of a node's hash. */
  hash(node: NodeId): Uint8Array {
    const at = node * NODE_BYTES + HASH_OFFSET;
    return new Uint8Array(this.#buffer.subarray(at, at + HASH_BYTES));
  }

  /** Sets a node's hash to the SHA-256 of `input`. */
  writeHash(node: NodeId, input: Uint8Array): void {
    sha256Into(input, this.#buffer, node * NODE_BYTES + HASH_OFFSET);
  }

  /** Copies a node's hash to any offset of `target`; returns the offset after it. */
  copyHash(node: NodeId, target: DataView, offset: number): number {
    const at = (node << NODE_SHIFT) + HASH;
    const words = this.#words;
    // Words to an unaligned place: four times fewer steps than bytes.
    for (let i = 0; i < 8; i++) target.setInt32(offset + 4 * i, words[at + i] ?? 0, LITTLE_ENDIAN);
    return offset + HASH_BYTES;
  }

  #leaf(key: NodeKey, value: Uint8Array): NodeId {
    const node = this.#take();
    const at = node << NODE_SHIFT;
    this.#unsigned[at] = this.bytes.store(value);
    this.#words[at + RIGHT] = 0;
    this.#words[at + SIZE] = 1;
    this.#words[at + HEIGHT] = 0;
    this.setKey(node, key);
    return node;
  }

  #take(): NodeId {
    this.#live++;
    let node = this.#free;
    if (node !== 0) {
      this.#free = this.left(node);
    } else {
      if (this.#next === this.#capacity) this.#grow();
      node = this.#next++;
    }
    this.markDirty(node);
    this.#recent.push(node);
    return node;
  }

  #grow(): void {
    const capacity = this.#capacity * 2;
    assert(capacity <= CAPACITY_MAX, 'the node arena is full', { capacity });
    const words = new Int32Array(capacity << NODE_SHIFT);
    words.set(this.#words);
    this.#words = words;
    this.#unsigned = new Uint32Array(words.buffer);
    this.#buffer = Buffer.from(words.buffer);
    this.#capacity = capacity;
  }
}
