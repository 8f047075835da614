/**
 * The invariants of all modules, after each block. They walk over everything, so one that held is not walked
 * again while no key has changed that it read, or that lies in a range that it walked over.
 */
import type { OpenLedgerApp } from '../../app/app.ts';
import { momentOf } from '../../app/blocks.ts';
import { compareBytes } from '../../core/bytes.ts';
import { messageOf } from '../../core/errors.ts';
import { latin1 } from '../../framework/address.ts';
import { type Context, QueryContext } from '../../framework/context.ts';
import { unlimitedGas } from '../../framework/gas.ts';
import type { Invariant } from '../../framework/module.ts';
import type { KeyRange, MultiStoreReader } from '../../store/kv.ts';
import type { MemoryMultiStore } from '../../store/multistore.ts';
import { CHAIN_ID } from './genesis.ts';

const EPOCH: Context['block']['time'] = { seconds: 0n, nanos: 0 };
/** In every so many blocks all of them are walked. */
const ALL_EVERY = 25n;

/** What an invariant that held has read. */
class Reads {
  readonly #keys = new Set<string>();
  readonly #ranges: (KeyRange & { readonly store: string })[] = [];

  key(store: string, key: Uint8Array): void {
    this.#keys.add(`${store} ${latin1(key)}`);
  }

  range(store: string, { start, end }: KeyRange): void {
    this.#ranges.push({ store, start, end });
  }

  /** True when one of these keys, of a substore, was read or looked for. */
  includes(store: string, changed: readonly Uint8Array[]): boolean {
    const ranges = this.#ranges.filter((range) => range.store === store);
    return changed.some(
      (key) => this.#keys.has(`${store} ${latin1(key)}`) || ranges.some((range) => isWithin(key, range)),
    );
  }
}

function isWithin(key: Uint8Array, { start, end }: KeyRange): boolean {
  return (
    (start === undefined || compareBytes(key, start) >= 0) &&
    (end === undefined || compareBytes(key, end) < 0)
  );
}

/** See the file comment. */
export class InvariantWatch {
  readonly #app: OpenLedgerApp;
  readonly #store: MemoryMultiStore;
  readonly #held = new Map<Invariant, Reads>();
  /** Keys that changed since they were looked at last, by substore. */
  #changes: (readonly [store: string, keys: readonly Uint8Array[]])[] = [];

  constructor(app: OpenLedgerApp, store: MemoryMultiStore) {
    this.#app = app;
    this.#store = store;
  }

  /** A block was committed: remembers what it changed. */
  committed(): void {
    for (const { name, writes } of this.#store.lastChanges?.stores ?? [])
      this.#changes.push([name, writes.map(({ key }) => key)]);
  }

  /** What is wrong after the last commit. */
  broken(): readonly string[] {
    const { height } = this.#app;
    const changes = height % ALL_EVERY === 0n ? undefined : this.#changes;
    this.#changes = [];
    return this.#app.composition.modules.flatMap(({ name, invariants }) =>
      invariants.flatMap((invariant) => {
        const before = this.#held.get(invariant);
        if (before !== undefined && changes?.some(([store, keys]) => before.includes(store, keys)) === false)
          return [];
        const reads = new Reads();
        const stores = recording(this.#store.at(height), reads);
        const block = momentOf(CHAIN_ID, height, EPOCH);
        const problem = problemOf(invariant, new QueryContext(stores, block, unlimitedGas()));
        this.#held.set(invariant, reads);
        return problem === undefined ? [] : [`${name}/${invariant.name}: ${problem}`];
      }),
    );
  }
}

/** An invariant may also throw: then the module could not answer queries about its state either. */
function problemOf(invariant: Invariant, context: QueryContext): string | undefined {
  try {
    return invariant.check(context);
  } catch (error) {
    return messageOf(error);
  }
}

function recording(stores: MultiStoreReader, reads: Reads): MultiStoreReader {
  return {
    reader(name) {
      const reader = stores.reader(name);
      return {
        get(key, text) {
          reads.key(name, key);
          return reader.get(key, text);
        },
        has(key, text) {
          reads.key(name, key);
          return reader.has(key, text);
        },
        iterate(range) {
          reads.range(name, range);
          return reader.iterate(range);
        },
      };
    },
  };
}
