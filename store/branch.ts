/** Write overlays over all substores at once, nested to any depth. */
import { LedgerError } from '../core/errors.ts';
import type { KVReader, KVStore, MultiStoreBranch, MultiStoreReader } from './kv.ts';
import { Overlay, type WritableLayer } from './overlay.ts';

/** What a branch grows from. */
export interface BranchParent {
  /** @throws LedgerError `store.unknown` when there is no substore of that name */
  layer(name: string): WritableLayer;
}

/** An overlaid substore of a branch, and the next one. */
interface OverlaidStore {
  readonly name: string;
  readonly overlay: Overlay;
  readonly next: OverlaidStore | undefined;
}

/**
 * A branch: see `MultiStoreBranch`. Substores are overlaid when first used; there are one or two of them, so
 * a list costs less than a map.
 */
export class Branch implements MultiStoreBranch, BranchParent {
  readonly #parent: BranchParent;
  #stores: OverlaidStore | undefined;

  constructor(parent: BranchParent) {
    this.#parent = parent;
  }

  store(name: string): KVStore {
    return this.layer(name);
  }

  reader(name: string): KVReader {
    return this.layer(name);
  }

  layer(name: string): Overlay {
    for (let store = this.#stores; store !== undefined; store = store.next)
      if (store.name === name) return store.overlay;
    const overlay = new Overlay(this.#parent.layer(name));
    this.#stores = { name, overlay, next: this.#stores };
    return overlay;
  }

  branch(): MultiStoreBranch {
    return new Branch(this);
  }

  write(): void {
    for (let store = this.#stores; store !== undefined; store = store.next)
      if (store.overlay.size > 0) store.overlay.moveTo(this.#parent.layer(store.name));
  }
}

/**
 * A branch over a view that cannot be written, such as a committed version: for checks, simulations and
 * queries. Its own branches write into it; its own `write` throws LedgerError `store.read_only` when there is
 * anything to write.
 */
export function branchOver(view: MultiStoreReader): MultiStoreBranch {
  return new Branch({
    layer: (name) => {
      const reader = view.reader(name);
      return {
        read: (_text, key) => reader.get(key),
        iterate: (range) => reader.iterate(range),
        put: () => {
          throw new LedgerError(
            'store.read_only',
            `a committed version of store "${name}" cannot be written`,
            {
              store: name,
            },
          );
        },
      };
    },
  });
}
