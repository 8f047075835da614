/**
 * A versioned AVL+ tree: leaves hold the pairs, inner nodes route. Its shapes, and with them its hashes, are those of
 * cosmos/iavl v1: the same splits, the same rotations, the same nodes rewritten by a change.
 * Source: cosmos/iavl v1.2 `mutable_tree.go` (recursiveSet, recursiveRemove, balance).
 */
import type { KeyRange, KeyValue } from '../kv.ts';
import type { ByteRef } from './byte-arena.ts';
import { hashTree } from './hash.ts';
import { findLeaf, walkLeaves } from './walk.ts';
import type { NodeArena, NodeId } from './node-arena.ts';

/** What a commit of a tree gives: its root, and the committed nodes that it no longer uses. */
export interface TreeCommit {
  readonly root: NodeId;
  /** Nodes of earlier versions: to be freed when the versions before this one are dropped. */
  readonly orphans: readonly NodeId[];
}

/** One substore's tree: a committed root and the working version on top of it. */
export class IavlTree {
  readonly #arena: NodeArena;
  #committed: NodeId;
  #root: NodeId;
  #orphans: NodeId[] = [];
  /** Results of the recursive steps beside the node they return. */
  #updated = false;
  #newKey: ByteRef = 0;

  constructor(arena: NodeArena, root: NodeId) {
    this.#arena = arena;
    this.#committed = root;
    this.#root = root;
  }

  /** Root of the working version; 0 when it is empty. */
  get root(): NodeId {
    return this.#root;
  }

  get(key: Uint8Array): Uint8Array | undefined {
    const leaf = findLeaf(this.#arena, this.#root, key);
    return leaf === 0 ? undefined : this.#arena.bytes.read(this.#arena.value(leaf));
  }

  has(key: Uint8Array): boolean {
    return findLeaf(this.#arena, this.#root, key) !== 0;
  }

  iterate(range: KeyRange): Iterable<KeyValue> {
    return walkLeaves(this.#arena, this.#root, range);
  }

  /** Writes a pair. A pair that was there already is written again: its leaf gets the new version, as in iavl. */
  set(key: Uint8Array, value: Uint8Array): void {
    this.#updated = false;
    if (this.#root === 0) this.#root = this.#newLeaf(key, value);
    else this.#root = this.#set(this.#root, key, value);
  }

  /** Removes a key; returns false when it was not there. */
  remove(key: Uint8Array): boolean {
    if (!this.has(key)) return false;
    this.#newKey = 0;
    this.#root = this.#remove(this.#root, key);
    return true;
  }

  /** Computes the hashes of the working version as if it were committed at `version`; returns the root's hash. */
  hash(version: number): Uint8Array {
    return hashTree(this.#arena, this.#root, version);
  }

  /** Ends the working version. `hash(version)` was called after the last change. */
  commit(version: number): TreeCommit {
    this.#stamp(this.#root, version);
    const orphans = this.#orphans;
    this.#orphans = [];
    this.#committed = this.#root;
    return { root: this.#root, orphans };
  }

  /** Drops the working version. */
  rollback(): void {
    this.#freeWorking(this.#root);
    this.#orphans = [];
    this.#root = this.#committed;
  }

  /** Marks all nodes of the working version as not hashed: they were hashed for another version. */
  invalidate(): void {
    this.#invalidate(this.#root);
  }

  #newLeaf(key: Uint8Array, value: Uint8Array): NodeId {
    return this.#arena.newLeaf(this.#arena.bytes.store(key), value);
  }

  #set(node: NodeId, key: Uint8Array, value: Uint8Array): NodeId {
    const arena = this.#arena;
    const order = arena.bytes.compare(key, arena.key(node));
    if (arena.isLeaf(node)) return this.#setLeaf(node, order, key, value);
    node = this.#writable(node);
    if (order < 0) arena.setLeft(node, this.#set(arena.left(node), key, value));
    else arena.setRight(node, this.#set(arena.right(node), key, value));
    if (this.#updated) return node;
    arena.update(node);
    return this.#balance(node);
  }

  #setLeaf(leaf: NodeId, order: number, key: Uint8Array, value: Uint8Array): NodeId {
    const arena = this.#arena;
    if (order === 0) {
      this.#updated = true;
      if (arena.isWorking(leaf)) {
        arena.setValue(leaf, value);
        return leaf;
      }
      const keyRef = arena.key(leaf);
      arena.bytes.retain(keyRef);
      this.#orphans.push(leaf);
      return arena.newLeaf(keyRef, value);
    }
    const added = this.#newLeaf(key, value);
    if (order < 0) return arena.newInner(arena.key(leaf), added, leaf);
    return arena.newInner(arena.key(added), leaf, added);
  }

  /** Removes a key that is in the subtree; returns what takes the subtree's place, 0 for nothing. */
  #remove(node: NodeId, key: Uint8Array): NodeId {
    const arena = this.#arena;
    if (arena.isLeaf(node)) {
      this.#discard(node);
      return 0;
    }
    if (arena.bytes.compare(key, arena.key(node)) < 0) return this.#removeLeft(node, key);
    const right = this.#remove(arena.right(node), key);
    if (right === 0) {
      const left = arena.left(node);
      this.#newKey = 0;
      this.#discard(node);
      return left;
    }
    node = this.#writable(node);
    arena.setRight(node, right);
    if (this.#newKey !== 0) arena.setKey(node, this.#newKey);
    this.#newKey = 0;
    arena.update(node);
    return this.#balance(node);
  }

  #removeLeft(node: NodeId, key: Uint8Array): NodeId {
    const arena = this.#arena;
    const left = this.#remove(arena.left(node), key);
    if (left === 0) {
      // The right subtree moves up: an ancestor that routed by the removed key now routes by this node's.
      const right = arena.right(node);
      this.#newKey = arena.key(node);
      this.#discard(node);
      return right;
    }
    node = this.#writable(node);
    arena.setLeft(node, left);
    arena.update(node);
    return this.#balance(node);
  }

  #balance(node: NodeId): NodeId {
    const arena = this.#arena;
    const balance = arena.balance(node);
    if (balance > 1) {
      const left = arena.left(node);
      if (arena.balance(left) < 0) arena.setLeft(node, this.#rotateLeft(this.#writable(left)));
      return this.#rotateRight(node);
    }
    if (balance < -1) {
      const right = arena.right(node);
      if (arena.balance(right) > 0) arena.setRight(node, this.#rotateRight(this.#writable(right)));
      return this.#rotateLeft(node);
    }
    return node;
  }

  #rotateRight(node: NodeId): NodeId {
    const arena = this.#arena;
    const top = this.#writable(arena.left(node));
    arena.setLeft(node, arena.right(top));
    arena.setRight(top, node);
    arena.update(node);
    arena.update(top);
    return top;
  }

  #rotateLeft(node: NodeId): NodeId {
    const arena = this.#arena;
    const top = this.#writable(arena.right(node));
    arena.setRight(node, arena.left(top));
    arena.setLeft(top, node);
    arena.update(node);
    arena.update(top);
    return top;
  }

  /** The node itself when it is of the working version, a copy of it otherwise. */
  #writable(node: NodeId): NodeId {
    if (this.#arena.isWorking(node)) {
      this.#arena.markDirty(node);
      return node;
    }
    this.#orphans.push(node);
    return this.#arena.copyInner(node);
  }

  #discard(node: NodeId): void {
    if (this.#arena.isWorking(node)) this.#arena.free(node);
    else this.#orphans.push(node);
  }

  #stamp(node: NodeId, version: number): void {
    const arena = this.#arena;
    if (node === 0 || !arena.isWorking(node)) return;
    arena.markCommitted(node, version);
    if (arena.isLeaf(node)) return;
    this.#stamp(arena.left(node), version);
    this.#stamp(arena.right(node), version);
  }

  #invalidate(node: NodeId): void {
    const arena = this.#arena;
    if (node === 0 || !arena.isWorking(node)) return;
    arena.markDirty(node);
    if (arena.isLeaf(node)) return;
    this.#invalidate(arena.left(node));
    this.#invalidate(arena.right(node));
  }

  #freeWorking(node: NodeId): void {
    const arena = this.#arena;
    if (node === 0 || !arena.isWorking(node)) return;
    if (!arena.isLeaf(node)) {
      this.#freeWorking(arena.left(node));
      this.#freeWorking(arena.right(node));
    }
    arena.free(node);
  }
}
