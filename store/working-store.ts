/** One substore of the working version: its tree, the writes that wait to go into it and those that have. */
import type { NodeArena, NodeId } from './iavl/node-arena.ts';
import { IavlTree } from './iavl/tree.ts';
import { Overlay, type Write } from './overlay.ts';

/** What a substore's commit gives. */
export interface WorkingCommit {
  readonly root: NodeId;
  readonly hash: Uint8Array;
  readonly orphans: readonly NodeId[];
  readonly writes: readonly Write[];
}

/** See the file comment. */
export class WorkingStore {
  /** Where writes go. */
  readonly overlay: Overlay;
  readonly #tree: IavlTree;
  #applied: Write[] = [];

  constructor(arena: NodeArena, root: NodeId) {
    const tree = new IavlTree(arena, root);
    this.#tree = tree;
    this.overlay = new Overlay({
      read: (_text, key) => tree.get(key),
      iterate: (range) => tree.iterate(range),
    });
  }

  /** Root hash for a commit at `version`. */
  hash(version: number): Uint8Array {
    this.#apply();
    return this.#tree.hash(version);
  }

  /** Ends the working version; as with `IavlTree.commit` the caller tells the arena. */
  commit(version: number): WorkingCommit {
    const hash = this.hash(version);
    const { root, orphans } = this.#tree.commit();
    const writes = this.#applied;
    this.#applied = [];
    return { root, hash, orphans, writes };
  }

  /** Drops the working version; as with `IavlTree.rollback` the caller tells the arena. */
  rollback(): void {
    this.overlay.clear();
    this.#tree.rollback();
    this.#applied = [];
  }

  /** Puts writes into the tree in this order, after those that wait. */
  applyInOrder(writes: readonly Write[]): void {
    this.#apply();
    for (const write of writes) this.#applyOne(write);
  }

  #apply(): void {
    if (this.overlay.size === 0) return;
    for (const write of this.overlay.takeSorted()) this.#applyOne(write);
  }

  #applyOne(write: Write): void {
    if (write.value !== undefined) this.#tree.set(write.key, write.value);
    else if (!this.#tree.remove(write.key)) return;
    this.#applied.push(write);
  }
}
