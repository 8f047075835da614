/**
 * What makes an array of positions the suffix array of a text, as statements about one entry and its
 * neighbour each (Burkhardt and Kärkkäinen, "Fast Lightweight Suffix Array Construction and Checking", CPM
 * 2003): they need no sorting, and a failure is a fraud that a constant number of leaves shows. See
 * docs/adr/0023.
 */

/** The arrays of a shard: n entries each. */
export interface SortedText {
  /** Tokens. */
  readonly text: Uint32Array;
  /** Positions by rank. */
  readonly sa: Uint32Array;
  /** Ranks by position. */
  readonly isa: Uint32Array;
}

/** The first statement that does not hold. */
export type LocalFault =
  | { readonly check: 'permutation'; readonly position: number }
  | { readonly check: 'first-token' | 'order'; readonly rank: number };

/**
 * The first local check that fails, in the order of ADR 23's table; undefined for the suffix array of the
 * text.
 */
export function firstLocalFault({ text, sa, isa }: SortedText): LocalFault | undefined {
  const n = text.length;
  for (let position = 0; position < n; position++) {
    const rank = isa[position] ?? n;
    if (rank >= n || sa[rank] !== position) return { check: 'permutation', position };
  }
  for (let rank = 0; rank + 1 < n; rank++) {
    const low = sa[rank] ?? 0;
    const high = sa[rank + 1] ?? 0;
    const lowToken = text[low] ?? 0;
    const highToken = text[high] ?? 0;
    if (lowToken > highToken) return { check: 'first-token', rank };
    if (lowToken === highToken && rankBehind(isa, low) > rankBehind(isa, high))
      return { check: 'order', rank };
  }
  return undefined;
}

/** Rank of the suffix behind the first token of the one at a position: −1 for the end of the text. */
function rankBehind(isa: Uint32Array, position: number): number {
  return position + 1 < isa.length ? (isa[position + 1] ?? 0) : -1;
}
