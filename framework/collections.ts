/**
 * Typed state. A module declares its collections once on a `Schema`; keepers see keys and values, never
 * bytes. After cosmossdk.io/collections: the same prefixes and codecs give the same keys.
 */
import { compareBytes, concatBytes, EMPTY_BYTES, prefixEnd, startsWith } from '../core/bytes.ts';
import { AssertionError } from '../core/errors.ts';
import type { KeyRange } from '../store/kv.ts';
import { latin1 } from './address.ts';
import type { Context, ReadContext } from './context.ts';
import { StateError, sdkErrors } from './errors.ts';
import { type KeyLocation, KeyMemo } from './key-memo.ts';
import { encodeKey, type KeyCodec } from './keys.ts';
import { noValue, uint64Value, type ValueCodec } from './values.ts';

/** Where a collection lies in its store. */
export interface CollectionSpec {
  /** What all its keys begin with; no prefix may begin with another of the same store. */
  readonly prefix: Uint8Array;
  /** For errors and tools, unique in the store. */
  readonly name: string;
}

/** Declaration of a map. */
export interface MapSpec<K, V> extends CollectionSpec {
  readonly key: KeyCodec<K>;
  readonly value: ValueCodec<V>;
  /** The same keys come again and again: see `KeyMemo`. Default false. */
  readonly hot?: boolean;
}

/** Part of a map's keys. All bounds may be missing. */
export interface MapRange<K> {
  /** Only keys that begin with these bytes (a key codec's `prefix`). */
  readonly prefix?: Uint8Array;
  /** Inclusive. */
  readonly start?: K;
  /** Exclusive. */
  readonly end?: K;
  readonly reverse?: boolean;
}

const NOWHERE: KeyLocation = { bytes: EMPTY_BYTES, text: '' };

/** The collections of one store. A name or prefix that collides with an earlier one is refused. */
export class Schema {
  readonly storeName: string;
  readonly #specs: CollectionSpec[] = [];

  constructor(storeName: string) {
    this.storeName = storeName;
  }

  /** What has been declared, in order. */
  get collections(): readonly CollectionSpec[] {
    return this.#specs;
  }

  /** One value. */
  item<V>(spec: CollectionSpec & { readonly value: ValueCodec<V> }): Item<V> {
    return new Item(this.storeName, this.register(spec));
  }

  /** Values by key. */
  map<K, V>(spec: MapSpec<K, V>): StateMap<K, V> {
    return new StateMap(this.storeName, this.register(spec));
  }

  /** Keys without values. */
  keySet<K>(spec: CollectionSpec & { readonly key: KeyCodec<K> }): KeySet<K> {
    return new KeySet(this.storeName, this.register(spec));
  }

  /** A counter that gives each number once. */
  sequence(spec: CollectionSpec): Sequence {
    return new Sequence(this.storeName, this.register(spec));
  }

  /**
   * Notes a collection that is built elsewhere (indexes).
   * @throws AssertionError when its name or prefix is taken
   */
  register<S extends CollectionSpec>(spec: S): S {
    for (const other of this.#specs) {
      if (other.name === spec.name)
        throw new AssertionError(`collection ${spec.name} is declared twice in store ${this.storeName}`);
      if (startsWith(other.prefix, spec.prefix) || startsWith(spec.prefix, other.prefix))
        throw new AssertionError(
          `collections ${other.name} and ${spec.name} of store ${this.storeName} share a prefix`,
        );
    }
    this.#specs.push(spec);
    return spec;
  }
}

/** One value, perhaps missing. */
export class Item<V> {
  readonly name: string;
  readonly #storeName: string;
  readonly #key: Uint8Array;
  readonly #keyText: string;
  readonly #value: ValueCodec<V>;

  constructor(storeName: string, spec: CollectionSpec & { readonly value: ValueCodec<V> }) {
    this.name = spec.name;
    this.#storeName = storeName;
    this.#key = spec.prefix;
    this.#keyText = latin1(spec.prefix);
    this.#value = spec.value;
  }

  get(context: ReadContext): V | undefined {
    const bytes = context.reader(this.#storeName).get(this.#key, this.#keyText);
    return bytes === undefined ? undefined : this.#value.decode(bytes);
  }

  /** @throws StateError (sdk 22) when it is missing */
  require(context: ReadContext): V {
    const value = this.get(context);
    if (value === undefined) throw new StateError(sdkErrors.keyNotFound, `${this.name} is not set`);
    return value;
  }

  set(context: Context, value: V): void {
    context.store(this.#storeName).set(this.#key, this.#value.encode(value), this.#keyText);
  }

  remove(context: Context): void {
    context.store(this.#storeName).delete(this.#key, this.#keyText);
  }
}

/** Values by key, in key order. */
export class StateMap<K, V> {
  readonly name: string;
  readonly keyCodec: KeyCodec<K>;
  readonly #storeName: string;
  readonly #prefix: Uint8Array;
  readonly #value: ValueCodec<V>;
  /** The last key that was a text (a denomination): nearly always the next one. */
  #lastText: string | undefined;
  #lastLocation: KeyLocation = NOWHERE;
  readonly #memo: KeyMemo<K> | undefined;
  readonly #make = (key: K): KeyLocation => {
    const bytes = encodeKey(this.keyCodec, key, this.#prefix);
    return { bytes, text: latin1(bytes) };
  };

  constructor(storeName: string, spec: MapSpec<K, V>) {
    this.name = spec.name;
    this.keyCodec = spec.key;
    this.#storeName = storeName;
    this.#prefix = spec.prefix;
    this.#value = spec.value;
    this.#memo = spec.hot === true ? new KeyMemo(spec.key, spec.prefix.length) : undefined;
  }

  get(context: ReadContext, key: K): V | undefined {
    return this.getAt(context, this.locate(key));
  }

  /** Where an entry lies, for a caller that reads and then writes it. */
  locate(key: K): KeyLocation {
    if (this.#memo !== undefined) return this.#memo.find(key, this.#make);
    if (typeof key === 'string' && key === this.#lastText) return this.#lastLocation;
    const location = this.#make(key);
    if (typeof key === 'string') {
      this.#lastText = key;
      this.#lastLocation = location;
    }
    return location;
  }

  /** As `get`. */
  getAt(context: ReadContext, at: KeyLocation): V | undefined {
    const bytes = context.reader(this.#storeName).get(at.bytes, at.text);
    return bytes === undefined ? undefined : this.#value.decode(bytes);
  }

  /** As `set`. */
  setAt(context: Context, at: KeyLocation, value: V): void {
    context.store(this.#storeName).set(at.bytes, this.#value.encode(value), at.text);
  }

  /** @throws StateError (sdk 22) when it is missing */
  require(context: ReadContext, key: K): V {
    const value = this.get(context, key);
    if (value === undefined) throw new StateError(sdkErrors.keyNotFound, `no such entry in ${this.name}`);
    return value;
  }

  has(context: ReadContext, key: K): boolean {
    const { bytes, text } = this.locate(key);
    return context.reader(this.#storeName).has(bytes, text);
  }

  set(context: Context, key: K, value: V): void {
    this.setAt(context, this.locate(key), value);
  }

  remove(context: Context, key: K): void {
    const { bytes, text } = this.locate(key);
    context.store(this.#storeName).delete(bytes, text);
  }

  /** Pairs in key order. Collect them before writing to the same store. */
  *iterate(context: ReadContext, range: MapRange<K> = {}): Generator<readonly [K, V]> {
    for (const [raw, value] of this.iterateRaw(context, this.#bounds(range)))
      yield [this.decodeKey(raw), value];
  }

  /**
   * Pairs by raw key without the collection's prefix, for pagination. Bounds are raw too.
   * @param bounds a missing end is the end of the collection
   */
  *iterateRaw(context: ReadContext, bounds: KeyRange): Generator<readonly [Uint8Array, V]> {
    const start = concatBytes(this.#prefix, bounds.start ?? EMPTY_BYTES);
    const end = bounds.end === undefined ? prefixEnd(this.#prefix) : concatBytes(this.#prefix, bounds.end);
    if (end !== undefined && compareBytes(start, end) >= 0) return;
    const reverse = bounds.reverse ?? false;
    for (const [key, value] of context.reader(this.#storeName).iterate({ start, end, reverse }))
      yield [key.subarray(this.#prefix.length), this.#value.decode(value)];
  }

  /** The key that raw bytes without the collection's prefix spell. */
  decodeKey(raw: Uint8Array): K {
    return this.keyCodec.read(raw, 0, true).key;
  }

  #bounds(range: MapRange<K>): KeyRange {
    const { prefix = EMPTY_BYTES, start, end, reverse = false } = range;
    return {
      start: start === undefined ? prefix : encodeKey(this.keyCodec, start, EMPTY_BYTES),
      end: end === undefined ? prefixEnd(prefix) : encodeKey(this.keyCodec, end, EMPTY_BYTES),
      reverse,
    };
  }
}

/** Keys without values, in key order. */
export class KeySet<K> {
  readonly #map: StateMap<K, undefined>;

  constructor(storeName: string, spec: CollectionSpec & { readonly key: KeyCodec<K> }) {
    this.#map = new StateMap(storeName, { ...spec, value: noValue });
  }

  has(context: ReadContext, key: K): boolean {
    return this.#map.has(context, key);
  }

  add(context: Context, key: K): void {
    this.#map.set(context, key, undefined);
  }

  remove(context: Context, key: K): void {
    this.#map.remove(context, key);
  }

  *iterate(context: ReadContext, range: MapRange<K> = {}): Generator<K> {
    for (const [key] of this.#map.iterate(context, range)) yield key;
  }

  /** The set as a map without values, for pagination. */
  get map(): StateMap<K, undefined> {
    return this.#map;
  }
}

/** Gives 0, 1, 2, …, each once. */
export class Sequence {
  readonly #item: Item<bigint>;

  constructor(storeName: string, spec: CollectionSpec) {
    this.#item = new Item(storeName, { ...spec, value: uint64Value });
  }

  /** The number that `next` will give. */
  peek(context: ReadContext): bigint {
    return this.#item.get(context) ?? 0n;
  }

  next(context: Context): bigint {
    const number = this.peek(context);
    this.#item.set(context, number + 1n);
    return number;
  }

  /** Makes `next` give this number: genesis. */
  set(context: Context, next: bigint): void {
    this.#item.set(context, next);
  }
}
