/**
 * Of arrays that are not sorted, the statement that shows it, in O(log n) leaves: also when every entry of
 * both arrays is wrong, and however much the suffixes have in common.
 *
 * The text T and the documents are right. SA' and ISA' are the published arrays, any at all; SA and ISA the
 * right ones, at hand. Every entry that is read is checked against the text and the documents by whoever
 * reads it, so what follows is about its position alone. f(i) = ISA[SA'[i]] is its right rank.
 *
 * 1. *Neighbours that fall.* SA'[r] ≠ SA[r], so f(r) ≠ r. If f(r) > r, then f(i) > i at i = r and not at n
 *    (f(n) = n, by definition): halving finds i with f(i) > i and f(i+1) ≤ i+1. If f(r) < r, halving from −1
 *    to r finds f(i) ≥ i and f(i+1) < i+1. Either way f(i) ≥ f(i+1): the suffix a = SA'[i] is b = SA'[i+1]
 *    itself, or greater. (i is a rank of the shard: f(n−1) > n−1 and f(0) < 0 cannot be.)
 * 2. *The way of a pair.* If a = b, the order of i and i+1 is refuted: what is behind both has one rank.
 *    Else a and b have their first L tokens in common, and then T[a+L] > T[b+L] or b+L = n. Let u(0) = i,
 *    v(0) = i+1, and behind that u(t) = ISA'[a+t], v(t) = ISA'[b+t], the end of the text being −1. u(0) < v(0).
 *    a. u(L) < v(L): tokens fall somewhere between these ranks.
 *    b. u(L) ≥ v(L): halving finds t < L with u(t) < v(t) and u(t+1) ≥ v(t+1): at the ranks u(t), v(t) stand
 *       suffixes with an equal first token, and what is behind them stands the other way round or is one.
 *    In either case SA'[u(t)] = a+t and SA'[v(t)] = b+t, or the permutation is refuted there.
 * 3. *Neighbours between.* Let key(k) = (T[SA'[k]], ISA'[SA'[k]+1]), the first counting more. By 2,
 *    key(u) ≥ key(v) and u < v. Halving finds k between them with key(k) ≥ key(k+1): the first token falls,
 *    or is equal and what follows does not rise. That is what `token-order` and `suffix-order` refute.
 *
 * So: log2 n entries in 1, log2 L pairs of inverse leaves in 2, log2 n entries and inverse leaves in 3. L is
 * counted in the text at hand, and costs no leaf.
 */
import { AssertionError } from '../../core/errors.ts';
import type { ShardArrays } from '../shard.ts';
import type { StatementPlace } from './fraud-at.ts';

/** The published arrays, read as they are needed. */
export interface PublishedOrder {
  /** Position that stands at a rank, of an entry that is right for its position. */
  positionAt(rank: number): number;
  /** Rank that a position is said to have; −1 at the end of the text. */
  rankAt(position: number): number;
}

/** Neighbouring places of which one has a property and the other has not. */
interface Between {
  readonly from: number;
  readonly to: number;
  /** True at `from`, false at `to`; neither is asked. */
  readonly holds: (at: number) => boolean;
}

/** The last place of a row of places with the property; the next one is without it. */
function lastThatHolds({ from, to, holds }: Between): number {
  let [low, high] = [from, to];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (holds(middle)) low = middle;
    else high = middle;
  }
  return low;
}

/** A statement about the published arrays that does not hold, when the entry of `rank` is not the right one. */
export function wrongOrder(honest: ShardArrays, published: PublishedOrder, rank: number): StatementPlace {
  const lower = fallingNeighbour(honest, published, rank);
  const [a, b] = [published.positionAt(lower), published.positionAt(lower + 1)];
  if (a === b) return { kind: 'suffix-order', at: lower };
  const common = commonTokens(honest, a, b);
  const ranksAt = (t: number): readonly [number, number] =>
    t === 0 ? [lower, lower + 1] : [published.rankAt(a + t), published.rankAt(b + t)];
  const isStraight = (t: number): boolean => {
    const [u, v] = ranksAt(t);
    return u < v;
  };
  const turn =
    common === 0 || isStraight(common) ? common : lastThatHolds({ from: 0, to: common, holds: isStraight });
  const [u, v] = ranksAt(turn);
  for (const [found, position] of [
    [u, a + turn],
    [v, b + turn],
  ] as const)
    if (published.positionAt(found) !== position) return { kind: 'permutation', at: position };
  return fallBetween(honest, published, { from: u, to: v });
}

/** A rank whose suffix is that of the next rank, or greater. */
function fallingNeighbour(honest: ShardArrays, published: PublishedOrder, rank: number): number {
  const rightRank = (at: number): number => honest.rank(published.positionAt(at));
  if (rightRank(rank) > rank)
    return lastThatHolds({ from: rank, to: honest.tokens, holds: (at) => rightRank(at) > at });
  return lastThatHolds({ from: -1, to: rank, holds: (at) => rightRank(at) >= at });
}

/** How many tokens two suffixes have in common. */
function commonTokens(honest: ShardArrays, a: number, b: number): number {
  const most = honest.tokens - Math.max(a, b);
  let length = 0;
  while (length < most && honest.token(a + length) === honest.token(b + length)) length++;
  return length;
}

/** Between two ranks with falling keys, the neighbours whose keys fall. */
function fallBetween(
  honest: ShardArrays,
  published: PublishedOrder,
  { from, to }: { readonly from: number; readonly to: number },
): StatementPlace {
  const keyAt = (rank: number): readonly [token: number, behind: number] => {
    const position = published.positionAt(rank);
    return [honest.token(position), published.rankAt(position + 1)];
  };
  const compare = (x: number, y: number): number => {
    const [[tokenX, behindX], [tokenY, behindY]] = [keyAt(x), keyAt(y)];
    return tokenX - tokenY || behindX - behindY;
  };
  let [low, high] = [from, to];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (compare(low, middle) >= 0) high = middle;
    else low = middle;
  }
  const [[lower], [upper]] = [keyAt(low), keyAt(high)];
  if (compare(low, high) < 0)
    throw new AssertionError('keys of a range that falls do not fall', { from, to });
  return { kind: lower > upper ? 'token-order' : 'suffix-order', at: low };
}
