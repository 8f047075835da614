/**
 * Searches in a shard's suffix array. A pattern is a run of token ids; the ranks of the suffixes that begin
 * with it are neighbours, so one binary search over ranks finds them (Manber and Myers 1993, with their first
 * acceleration: what the pattern shares with both ends of the interval it shares with all between).
 */
import type { ShardArrays } from '../shard.ts';

/** Ranks from `lo` to below `hi`. Empty when equal; `lo` is then where such a suffix would stand. */
export interface RankRange {
  readonly lo: number;
  readonly hi: number;
}

/** The longest prefix of a pattern that occurs. */
export interface LongestMatch {
  /** In tokens; 0 when not even the first token occurs. */
  readonly length: number;
  /** A rank whose suffix begins with it. Of no meaning when `length` is 0. */
  readonly rank: number;
}

/**
 * What a search starts from: the suffix of rank `below` is smaller than the pattern and does not begin with
 * it, the one of rank `above` is not smaller. −1 and the number of tokens stand for "before all" and "after
 * all".
 */
export interface Bracket {
  readonly below: number;
  readonly above: number;
}

/** A place between two ranks, and how many tokens their suffixes share with the pattern. */
interface Insertion {
  /** The first rank whose suffix is not smaller than the pattern. */
  readonly rank: number;
  readonly sharedBelow: number;
  readonly sharedAbove: number;
}

/** The bracket that says nothing. */
export function wholeShard(shard: ShardArrays): Bracket {
  return { below: -1, above: shard.tokens };
}

/** How many tokens the pattern and the suffix at a position share, known to be at least `from`. */
function sharedTokens(
  shard: ShardArrays,
  pattern: Uint32Array,
  at: { readonly position: number; readonly from: number },
): number {
  const length = Math.min(pattern.length, shard.tokens - at.position);
  let shared = at.from;
  while (shared < length && pattern[shared] === shard.token(at.position + shared)) shared++;
  return shared;
}

function sharedWithRank(shard: ShardArrays, pattern: Uint32Array, rank: number): number {
  if (rank < 0 || rank >= shard.tokens) return 0;
  return sharedTokens(shard, pattern, { position: shard.suffix(rank), from: 0 });
}

function insertionOf(shard: ShardArrays, pattern: Uint32Array, bracket: Bracket): Insertion {
  let { below, above } = bracket;
  let sharedBelow = 0;
  let sharedAbove = 0;
  while (above - below > 1) {
    const middle = (below + above) >>> 1;
    const position = shard.suffix(middle);
    const from = sharedBelow < sharedAbove ? sharedBelow : sharedAbove;
    const shared = sharedTokens(shard, pattern, { position, from });
    const isSmaller = shared < pattern.length && isSmallerBehind(shard, pattern, { position, shared });
    if (isSmaller) {
      below = middle;
      sharedBelow = shared;
    } else {
      above = middle;
      sharedAbove = shared;
    }
  }
  // The ends of the bracket were never compared.
  if (below === bracket.below) sharedBelow = sharedWithRank(shard, pattern, below);
  if (above === bracket.above) sharedAbove = sharedWithRank(shard, pattern, above);
  return { rank: above, sharedBelow, sharedAbove };
}

/** Whether the suffix is smaller than the pattern, which differ behind the tokens that they share. */
function isSmallerBehind(
  shard: ShardArrays,
  pattern: Uint32Array,
  at: { readonly position: number; readonly shared: number },
): boolean {
  const next = at.position + at.shared;
  return next >= shard.tokens || shard.token(next) < (pattern[at.shared] ?? 0);
}

/**
 * A bracket that is as narrow as the place of the pattern is near to a rank: steps from there that double.
 * O(log d) comparisons for a distance d.
 */
export function bracketNear(
  shard: ShardArrays,
  pattern: Uint32Array,
  near: { readonly rank: number; readonly within: Bracket },
): Bracket {
  const { rank, within } = near;
  if (rank <= within.below || rank >= within.above) return within;
  const upwards = isSmallerAt(shard, pattern, rank);
  let inside = rank;
  for (let step = 1; ; step *= 2) {
    const next = upwards ? rank + step : rank - step;
    if (next >= within.above) return { below: inside, above: within.above };
    if (next <= within.below) return { below: within.below, above: inside };
    if (isSmallerAt(shard, pattern, next) !== upwards)
      return upwards ? { below: inside, above: next } : { below: next, above: inside };
    inside = next;
  }
}

function isSmallerAt(shard: ShardArrays, pattern: Uint32Array, rank: number): boolean {
  const position = shard.suffix(rank);
  const shared = sharedTokens(shard, pattern, { position, from: 0 });
  return shared < pattern.length && isSmallerBehind(shard, pattern, { position, shared });
}

/** Ranks of the suffixes that begin with the pattern: all of them for an empty one. O(L log n). */
export function rankRange(
  shard: ShardArrays,
  pattern: Uint32Array,
  bracket: Bracket = wholeShard(shard),
): RankRange {
  if (pattern.length === 0) return { lo: 0, hi: shard.tokens };
  const { rank, sharedAbove } = insertionOf(shard, pattern, bracket);
  if (sharedAbove < pattern.length) return { lo: rank, hi: rank };
  return { lo: rank, hi: rangeEnd(shard, pattern, { from: rank, step: 1 }) };
}

/** How often the pattern occurs. */
export function countIn(shard: ShardArrays, pattern: Uint32Array): number {
  const { lo, hi } = rankRange(shard, pattern);
  return hi - lo;
}

/**
 * The longest prefix of the pattern that occurs: one search for the whole pattern; of the two suffixes around
 * the place where it would stand one shares most with it. O(L log n).
 */
export function longestMatch(
  shard: ShardArrays,
  pattern: Uint32Array,
  bracket: Bracket = wholeShard(shard),
): LongestMatch {
  const { rank, sharedBelow, sharedAbove } = insertionOf(shard, pattern, bracket);
  if (sharedBelow > sharedAbove) return { length: sharedBelow, rank: rank - 1 };
  return { length: sharedAbove, rank };
}

/**
 * Ranks of the suffixes that begin with the pattern, one of which is known: steps from there that double,
 * then a binary search. O(L log c) for c occurrences.
 */
export function rangeAround(shard: ShardArrays, pattern: Uint32Array, rank: number): RankRange {
  return {
    lo: rangeEnd(shard, pattern, { from: rank, step: -1 }) + 1,
    hi: rangeEnd(shard, pattern, { from: rank, step: 1 }),
  };
}

/**
 * The nearest rank, in one direction from one whose suffix begins with the pattern, whose suffix does not.
 */
function rangeEnd(
  shard: ShardArrays,
  pattern: Uint32Array,
  start: { readonly from: number; readonly step: 1 | -1 },
): number {
  const { from, step } = start;
  const room = step === 1 ? shard.tokens - from : from + 1;
  let inside = 0;
  let outside = 1;
  while (outside < room && beginsWith(shard, pattern, from + step * outside)) {
    inside = outside;
    outside *= 2;
  }
  if (outside > room) outside = room;
  while (outside - inside > 1) {
    const middle = inside + ((outside - inside) >>> 1);
    if (beginsWith(shard, pattern, from + step * middle)) inside = middle;
    else outside = middle;
  }
  return from + step * outside;
}

function beginsWith(shard: ShardArrays, pattern: Uint32Array, rank: number): boolean {
  const position = shard.suffix(rank);
  if (pattern.length > shard.tokens - position) return false;
  // The last token first: neighbours tend to share the first ones.
  for (let i = pattern.length - 1; i >= 0; i--) if (pattern[i] !== shard.token(position + i)) return false;
  return true;
}

/** One place where a pattern occurs. */
export interface Occurrence {
  /** Position of its first token in the shard. */
  readonly position: number;
  /** Index of the document that holds it. */
  readonly document: number;
}

/** The occurrences of the ranks of a range, in the order of ranks. */
export function* occurrencesOf(shard: ShardArrays, range: RankRange): Generator<Occurrence, void, void> {
  for (let rank = range.lo; rank < range.hi; rank++) {
    const position = shard.suffix(rank);
    yield { position, document: shard.documentAt(position) };
  }
}
