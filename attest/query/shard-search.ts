/**
 * Searches in one shard that stays open: the top of each binary search is kept in a small table, so that what
 * is read of the arrays (cache misses in memory, pages on disk) is its bottom only.
 */
import { assert } from '../../core/errors.ts';
import type { ShardArrays } from '../shard.ts';
import {
  type Bracket,
  bracketNear,
  type LongestMatch,
  longestMatch,
  type RankRange,
  rankRange,
} from './search.ts';

/** Entries of the table by default: 128 KiB, which stays in a processor's second cache. */
const SAMPLES = 16_384;

/** What of the second token is in a key: two to the 32 and 21 bits are what a double holds exactly. */
const SECOND_SHIFT = 11;
const SECOND_RANGE = 2 ** (32 - SECOND_SHIFT);

/** The match of a pattern, and how many of its tokens another leaves out at its beginning. */
export interface MatchLink {
  readonly match: LongestMatch;
  readonly skipped: number;
}

/** Where fewer tokens are shared, or fewer ranks are left, halving finds a place as fast. */
const LINKED_TOKENS_MIN = 3;
const LINKED_RANKS_MIN = 16;

/** A shard and the table of its searches. */
export class ShardSearch {
  readonly shard: ShardArrays;
  /** Keys of the suffixes at ranks 0, step, 2·step …; NaN until first asked for. */
  readonly #keys: Float64Array;
  readonly #step: number;

  /** @param options.samples most entries of the table, at least 1 */
  constructor(shard: ShardArrays, options: { readonly samples?: number } = {}) {
    const { samples = SAMPLES } = options;
    assert(samples >= 1, 'a table of searches has an entry', { samples });
    this.shard = shard;
    this.#step = Math.max(1, Math.ceil(shard.tokens / samples));
    this.#keys = new Float64Array(Math.ceil(shard.tokens / this.#step)).fill(Number.NaN);
  }

  /** `rankRange` of search.ts. */
  rankRange(pattern: Uint32Array): RankRange {
    return rankRange(this.shard, pattern, this.#bracket(pattern));
  }

  /**
   * `longestMatch` of search.ts. With the match of a pattern that this one is the rest of, the search begins
   * at the suffix that follows the one found there (a suffix link, by the inverse array): it shares what was
   * left.
   */
  longestMatch(pattern: Uint32Array, link?: MatchLink): LongestMatch {
    return longestMatch(this.shard, pattern, this.#linked(pattern, this.#bracket(pattern), link));
  }

  #linked(pattern: Uint32Array, within: Bracket, link: MatchLink | undefined): Bracket {
    if (link === undefined || link.match.length - link.skipped < LINKED_TOKENS_MIN) return within;
    if (within.above - within.below <= LINKED_RANKS_MIN) return within;
    const rank = this.shard.rank(this.shard.suffix(link.match.rank) + link.skipped);
    return bracketNear(this.shard, pattern, { rank, within });
  }

  /**
   * Two ranks of the table, one step apart where two tokens decide, around the place of the pattern. Equal
   * keys decide nothing: they lie between.
   */
  #bracket(pattern: Uint32Array): Bracket {
    const { tokens } = this.shard;
    const first = pattern[0];
    if (first === undefined) return { below: -1, above: tokens };
    const second = pattern[1];
    const key = keyOf(first, second);
    let below = -1;
    let above = this.#keys.length;
    while (above - below > 1) {
      const middle = (below + above) >>> 1;
      const sample = this.#keyAt(middle);
      if (sample < key) below = middle;
      else if (sample > key) above = middle;
      else return this.#aroundEqual(key, { below, middle, above });
    }
    return this.#ranksOf(below, above);
  }

  /** The sample at `middle` has the pattern's key: the nearest ones on both sides that have not. */
  #aroundEqual(
    key: number,
    known: { readonly below: number; readonly middle: number; readonly above: number },
  ): Bracket {
    let { below, above } = known;
    let equal = known.middle;
    while (equal - below > 1) {
      const middle = (below + equal) >>> 1;
      if (this.#keyAt(middle) < key) below = middle;
      else equal = middle;
    }
    equal = known.middle;
    while (above - equal > 1) {
      const middle = (equal + above) >>> 1;
      if (this.#keyAt(middle) > key) above = middle;
      else equal = middle;
    }
    return this.#ranksOf(below, above);
  }

  #ranksOf(below: number, above: number): Bracket {
    return {
      below: below < 0 ? -1 : below * this.#step,
      above: above >= this.#keys.length ? this.shard.tokens : above * this.#step,
    };
  }

  #keyAt(index: number): number {
    const known = this.#keys[index] ?? Number.NaN;
    if (!Number.isNaN(known)) return known;
    const { shard } = this;
    const position = shard.suffix(index * this.#step);
    const second = position + 1 < shard.tokens ? shard.token(position + 1) : undefined;
    const key = keyOf(shard.token(position), second);
    this.#keys[index] = key;
    return key;
  }
}

/**
 * Orders as the first two tokens do, but for ties: a smaller key is a smaller suffix. No second token counts
 * as the smallest.
 */
function keyOf(first: number, second: number | undefined): number {
  return first * SECOND_RANGE + ((second ?? 0) >>> SECOND_SHIFT);
}
