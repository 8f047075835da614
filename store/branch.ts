/** Write overlays over all substores at once, nested to any depth. */
import { LedgerError } from '../core/errors.ts';
import type { KVReader, KVStore, MultiStoreBranch, MultiStoreReader } from './kv.ts';
import { Overlay, type WritableLayer } from './overlay.ts';

/** What a branch grows from. */
export interface BranchParent {
  /** @throws LedgerError `store.unknown` when there is no substore of that name */
  layer(name: string): WritableLayer;
}

/** A branch: see `MultiStoreBranch`. Substores are overlaid when first used. */
export class Branch implements MultiStoreBranch, BranchParent {
  readonly #parent: BranchParent;
  readonly #overlays = new Map<string, Overlay>();

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
    let overlay = this.#overlays.get(name);
    if (overlay === undefined) {
      overlay = new Overlay(this.#parent.layer(name));
      this.#overlays.set(name, overlay);
    }
    return overlay;
  }

  branch(): MultiStoreBranch {
    return new Branch(this);
  }

  write(): void {
    for (const [name, overlay] of this.#overlays) {
      if (overlay.size > 0) overlay.moveTo(this.#parent.layer(name));
    }
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
