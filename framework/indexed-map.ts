import { EMPTY_BYTES } from '../core/bytes.ts';
import type { CollectionSpec, MapRange, MapSpec, Schema, StateMap } from './collections.ts';
import type { Context, ReadContext } from './context.ts';
import { StateError, sdkErrors } from './errors.ts';
import type { KeyLocation } from './key-memo.ts';
import { encodeKey, type KeyCodec, type Pair, type PairKeyCodec, pairKey } from './keys.ts';
import { noValue } from './values.ts';

/** What an `IndexedMap` keeps in step with its entries. */
export interface Index<K, V> {
  /** Called before an entry changes; undefined stands for a missing one. */
  update(
    context: Context,
    key: K,
    change: { readonly from: V | undefined; readonly to: V | undefined },
  ): void;
}

/** Declaration of an index: `of` gives the index key of an entry. */
export interface IndexSpec<I, K, V> extends CollectionSpec {
  readonly indexKey: KeyCodec<I>;
  readonly primaryKey: KeyCodec<K>;
  readonly of: (key: K, value: V) => I;
}

/** Finds the one entry with an index key. */
export class UniqueIndex<I, K, V> implements Index<K, V> {
  readonly #entries: StateMap<I, K>;
  readonly #spec: IndexSpec<I, K, V>;

  constructor(schema: Schema, spec: IndexSpec<I, K, V>) {
    const { primaryKey } = spec;
    const value = {
      encode: (key: K) => encodeKey(primaryKey, key, EMPTY_BYTES),
      decode: (bytes: Uint8Array) => primaryKey.read(bytes, 0, true).key,
    };
    this.#entries = schema.map({ prefix: spec.prefix, name: spec.name, key: spec.indexKey, value });
    this.#spec = spec;
  }

  /** The primary key of the entry with this index key. */
  find(context: ReadContext, indexKey: I): K | undefined {
    return this.#entries.get(context, indexKey);
  }

  update(
    context: Context,
    key: K,
    change: { readonly from: V | undefined; readonly to: V | undefined },
  ): void {
    const { of, indexKey } = this.#spec;
    const from = change.from === undefined ? undefined : of(key, change.from);
    const to = change.to === undefined ? undefined : of(key, change.to);
    if (sameKey(indexKey, from, to)) return;
    if (to !== undefined && this.#entries.has(context, to))
      throw new StateError(sdkErrors.conflict, `uniqueness constraint violation in ${this.#spec.name}`);
    if (from !== undefined) this.#entries.remove(context, from);
    if (to !== undefined) this.#entries.set(context, to, key);
  }
}

/** Finds all entries with an index key, in the order of their primary keys. */
export class MultiIndex<I, K, V> implements Index<K, V> {
  /** Pairs (index key, primary key), for pagination. */
  readonly entries: StateMap<Pair<I, K>, undefined>;
  readonly keyCodec: PairKeyCodec<I, K>;
  readonly #spec: IndexSpec<I, K, V>;

  constructor(schema: Schema, spec: IndexSpec<I, K, V>) {
    this.keyCodec = pairKey(spec.indexKey, spec.primaryKey);
    this.entries = schema.map({ prefix: spec.prefix, name: spec.name, key: this.keyCodec, value: noValue });
    this.#spec = spec;
  }

  /** Primary keys of the entries with this index key. */
  *match(context: ReadContext, indexKey: I): Generator<K> {
    for (const [[, key]] of this.entries.iterate(context, { prefix: this.keyCodec.prefix(indexKey) }))
      yield key;
  }

  update(
    context: Context,
    key: K,
    change: { readonly from: V | undefined; readonly to: V | undefined },
  ): void {
    const { of, indexKey } = this.#spec;
    const from = change.from === undefined ? undefined : of(key, change.from);
    const to = change.to === undefined ? undefined : of(key, change.to);
    if (sameKey(indexKey, from, to)) return;
    if (from !== undefined) this.entries.remove(context, [from, key]);
    if (to !== undefined) this.entries.set(context, [to, key], undefined);
  }
}

function sameKey<I>(codec: KeyCodec<I>, a: I | undefined, b: I | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  if (Object.is(a, b)) return true;
  const left = encodeKey(codec, a, EMPTY_BYTES);
  const right = encodeKey(codec, b, EMPTY_BYTES);
  return left.length === right.length && left.every((byte, i) => byte === right[i]);
}

/** What becomes of an entry. */
export interface Replacement<K, V> {
  readonly key: K;
  readonly from: V | undefined;
  readonly to: V;
}

/** A map whose indexes follow each change. An index entry is written only when it changes. */
export class IndexedMap<K, V> {
  /** The entries themselves, for iteration and pagination. */
  readonly map: StateMap<K, V>;
  readonly #indexes: readonly Index<K, V>[];

  constructor(schema: Schema, spec: MapSpec<K, V> & { readonly indexes: readonly Index<K, V>[] }) {
    this.map = schema.map(spec);
    this.#indexes = spec.indexes;
  }

  get(context: ReadContext, key: K): V | undefined {
    return this.map.get(context, key);
  }

  /** @throws StateError (sdk 22) when it is missing */
  require(context: ReadContext, key: K): V {
    return this.map.require(context, key);
  }

  has(context: ReadContext, key: K): boolean {
    return this.map.has(context, key);
  }

  /** @throws StateError (sdk 36) when a unique index has another entry under the same index key */
  set(context: Context, key: K, value: V): void {
    this.replace(context, key, this.map.get(context, key), value);
  }

  /** As `set`, for a caller that has just read what is there: spares the second read. */
  replace(context: Context, key: K, from: V | undefined, to: V): void {
    this.replaceAt(context, this.map.locate(key), { key, from, to });
  }

  /** As `replace`, for a caller that has located the key. */
  replaceAt(context: Context, at: KeyLocation, change: Replacement<K, V>): void {
    for (const index of this.#indexes) index.update(context, change.key, change);
    this.map.setAt(context, at, change.to);
  }

  remove(context: Context, key: K): void {
    const from = this.map.get(context, key);
    if (from === undefined) return;
    for (const index of this.#indexes) index.update(context, key, { from, to: undefined });
    this.map.remove(context, key);
  }

  iterate(context: ReadContext, range: MapRange<K> = {}): Generator<readonly [K, V]> {
    return this.map.iterate(context, range);
  }
}
