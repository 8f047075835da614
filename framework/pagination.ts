import { compareBytes, concatBytes, EMPTY_BYTES, prefixEnd } from '../core/bytes.ts';
import type { KeyRange } from '../store/kv.ts';
import type { StateMap } from './collections.ts';
import type { ReadContext } from './context.ts';
import { QueryError } from './errors.ts';
import type { Pair, PairKeyCodec } from './keys.ts';

/** `cosmos.base.query.v1beta1.PageRequest`. */
export interface PageRequest {
  readonly key: Uint8Array;
  readonly offset: bigint;
  readonly limit: bigint;
  readonly countTotal: boolean;
  readonly reverse: boolean;
}

/** `cosmos.base.query.v1beta1.PageResponse`. */
export interface PageResponse {
  readonly nextKey: Uint8Array;
  readonly total: bigint;
}

/** One page of a list. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly pagination: PageResponse;
}

/** Entries of a page when the request names no limit; counting the total is then on, as in the SDK. */
export const PAGE_LIMIT_DEFAULT = 100n;

/**
 * Most entries of one page; larger limits are lowered to it, and `nextKey` says where to go on. The SDK has
 * no such bound: there one query can make a node walk through all of its state.
 */
export const PAGE_LIMIT_MAX = 1000n;

/** How to page through a map. */
export interface PageOptions<K, V, T> {
  readonly request: PageRequest | undefined;
  /** Only keys that begin with these bytes (a key codec's `prefix`). */
  readonly prefix?: Uint8Array;
  /** Entries to leave out; they count for nothing. */
  readonly include?: (key: K, value: V) => boolean;
  readonly transform: (key: K, value: V) => T;
}

/**
 * A page of a map in key order, as `FilteredPaginate` of the SDK: offset, limit and total count the entries
 * that are included. (`CollectionFilteredPaginate`, with which the SDK filters proposals, counts an offset in
 * entries that are not included, too, adds it to the total, and has no total for an offset behind the end.)
 * The next key is relative to the prefix.
 * @throws QueryError (InvalidArgument) when both key and offset are given
 */
export function paginate<K, V, T>(
  context: ReadContext,
  map: StateMap<K, V>,
  options: PageOptions<K, V, T>,
): Page<T> {
  const page = normalize(options.request);
  const prefix = options.prefix ?? EMPTY_BYTES;
  const include = options.include ?? (() => true);
  const items: T[] = [];
  let nextKey: Uint8Array = EMPTY_BYTES;
  let seen = 0n;
  for (const [raw, value] of map.iterateRaw(context, boundsOf(page, prefix))) {
    const key = map.decodeKey(raw);
    if (!include(key, value)) continue;
    seen++;
    if (seen <= page.offset) continue;
    if (BigInt(items.length) < page.limit) {
      items.push(options.transform(key, value));
      continue;
    }
    if (nextKey.length === 0) nextKey = Uint8Array.from(raw.subarray(prefix.length));
    if (!page.countTotal) break;
  }
  return { items, pagination: { nextKey, total: page.countTotal ? seen : 0n } };
}

/** Pairs (index key, primary key) with their codec; a `MultiIndex` is one. */
export interface PagedIndex<I, K, V> {
  readonly entries: StateMap<Pair<I, K>, V>;
  readonly keyCodec: PairKeyCodec<I, K>;
}

/** Which part of an index, and what stands under its primary keys. */
export interface IndexPageOptions<I, K, T> {
  readonly request: PageRequest | undefined;
  /** The index key that all have. */
  readonly of: I;
  readonly read: (key: K) => T;
}

/** A page of what an index has under one index key, by `paginate`. @throws QueryError as `paginate` */
export function paginateIndex<I, K, V, T>(
  context: ReadContext,
  { entries, keyCodec }: PagedIndex<I, K, V>,
  { request, of, read }: IndexPageOptions<I, K, T>,
): Page<T> {
  const prefix = keyCodec.prefix(of);
  return paginate(context, entries, { request, prefix, transform: ([, key]) => read(key) });
}

function normalize(request: PageRequest | undefined): PageRequest {
  const { key = EMPTY_BYTES, offset = 0n, reverse = false } = request ?? {};
  const asked = request?.limit ?? 0n;
  if (key.length > 0 && offset > 0n)
    throw new QueryError(
      'InvalidArgument',
      'paginate: invalid request, either offset or key is expected, got both',
    );
  const limit = asked === 0n ? PAGE_LIMIT_DEFAULT : asked > PAGE_LIMIT_MAX ? PAGE_LIMIT_MAX : asked;
  const countTotal = key.length === 0 && (asked === 0n || (request?.countTotal ?? false));
  return { key, offset, limit, countTotal, reverse };
}

function boundsOf(page: PageRequest, prefix: Uint8Array): KeyRange {
  const end = prefix.length === 0 ? undefined : prefixEnd(prefix);
  if (page.key.length === 0) return { start: prefix, end, reverse: page.reverse };
  const from = concatBytes(prefix, page.key);
  if (!page.reverse) return { start: from, end };
  // The named key itself belongs to the page: the bound after it is the key and a zero byte.
  const after = concatBytes(from, Uint8Array.of(0));
  return {
    start: prefix,
    end: end !== undefined && compareBytes(after, end) > 0 ? end : after,
    reverse: true,
  };
}
