/**
 * A versioned AVL+ tree: leaves hold the pairs, inner nodes route. Its shapes, and with them its hashes, are
 * those of cosmos/iavl v1: the same splits, the same rotations, the same nodes rewritten by a change.
 * Source: cosmos/iavl v1.2 `mutable_tree.go` (recursiveSet, recursiveRemove, balance).
 */
import type { KeyRange, KeyValue } from '../kv.ts';
import { hashTree } from './hash.ts';
import { type NodeArena, type NodeId, type NodeKey, type SearchKey, searchKey } from './node-arena.ts';
import { findLeaf, findSearched, walkLeaves } from './walk.ts';

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
  #newKey: NodeKey | undefined;

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

  /**
   * Writes a pair. A pair that was there already is written again: its leaf gets the new version, as in iavl.
   */
  set(key: Uint8Array, value: Uint8Array): void {
    this.#updated = false;
    const searched = searchKey(key);
    if (this.#root === 0) this.#root = this.#arena.newLeaf(searched, value);
    else this.#root = this.#set(this.#root, searched, value);
  }

  /** Removes a key; returns false when it was not there. */
  remove(key: Uint8Array): boolean {
    const searched = searchKey(key);
    if (findSearched(this.#arena, this.#root, searched) === 0) return false;
    this.#newKey = undefined;
    this.#root = this.#remove(this.#root, searched);
    return true;
  }

  /**
   * Computes the hashes of the working version as if it were committed at `version`; returns the root's hash.
   */
  hash(version: number): Uint8Array {
    return hashTree(this.#arena, this.#root, version);
  }

  /**
   * Ends the working version. `hash(version)` was called after the last change; the caller then calls
   * `commitWorking(version)` of the arena, once for all its trees.
   */
  commit(): TreeCommit {
    const orphans = this.#orphans;
    this.#orphans = [];
    this.#committed = this.#root;
    return { root: this.#root, orphans };
  }

  /** Drops the working version. The caller then calls `freeWorking` of the arena, once for all its trees. */
  rollback(): void {
    this.#orphans = [];
    this.#root = this.#committed;
  }

  #set(node: NodeId, key: SearchKey, value: Uint8Array): NodeId {
    const arena = this.#arena;
    const order = arena.compare(key, node);
    if (arena.isLeaf(node)) return this.#setLeaf(node, order, key, value);
    node = this.#writable(node);
    if (order < 0) arena.setLeft(node, this.#set(arena.left(node), key, value));
    else arena.setRight(node, this.#set(arena.right(node), key, value));
    if (this.#updated) return node;
    arena.update(node);
    return this.#balance(node);
  }

  #setLeaf(leaf: NodeId, order: number, key: SearchKey, value: Uint8Array): NodeId {
    const arena = this.#arena;
    if (order === 0) {
      this.#updated = true;
      if (arena.isWorking(leaf)) {
        arena.setValue(leaf, value);
        return leaf;
      }
      this.#orphans.push(leaf);
      return arena.copyLeaf(leaf, value);
    }
    const added = arena.newLeaf(key, value);
    return order < 0 ? arena.newInner(leaf, added, leaf) : arena.newInner(added, leaf, added);
  }

  /** Removes a key that is in the subtree; returns what takes the subtree's place, 0 for nothing. */
  #remove(node: NodeId, key: SearchKey): NodeId {
    const arena = this.#arena;
    if (arena.isLeaf(node)) {
      this.#discard(node);
      return 0;
    }
    if (arena.compare(key, node) < 0) return this.#removeLeft(node, key);
    const right = this.#remove(arena.right(node), key);
    if (right === 0) {
      const left = arena.left(node);
      this.#newKey = undefined;
      this.#discard(node);
      return left;
    }
    node = this.#writable(node);
    arena.setRight(node, right);
    if (this.#newKey !== undefined) arena.setKey(node, this.#newKey);
    this.#newKey = undefined;
    arena.update(node);
    return this.#balance(node);
  }

  #removeLeft(node: NodeId, key: SearchKey): NodeId {
    const arena = this.#arena;
    const left = this.#remove(arena.left(node), key);
    if (left === 0) {
      // The right subtree moves up: an ancestor that routed by the removed key now routes by this node's.
      const right = arena.right(node);
      this.#newKey = arena.nodeKey(node);
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
}
