/**
 * BM25 of a passage in integers: how much a passage, a span with what stands around it in its source, is
 * about what the output is about. Terms are tokens.
 *
 *     score = Σ over terms t of the output:  idf(t) · tf · (k1 + 1) / (tf + k1 · (1 − b + b · length /
 *     usual))
 *
 * with tf how often t stands in the passage, length the passage's tokens, and k1 = 6/5, b = 3/4 (Robertson
 * and Zaragoza 2009). idf(t) is the surprisal of t, log2(tokens of the corpus / occurrences of t) in Q16: a
 * count that the index proves, which the number of documents that hold t is not. `usual` is a number of the
 * rules and not a mean over what was found, so that a score hangs on its own passage only. Each term is
 * rounded down.
 *
 * Multiplied out: idf · tf · (6 + 5) · 4 · usual / (5 · 4 · usual · tf + 6 · ((4 − 3) · usual + 3 · length)).
 */
import { assert } from '../../../../core/errors.ts';
import type { TraceRules } from './rules.ts';

const K1 = { numerator: 6, denominator: 5 } as const;
const B = { numerator: 3, denominator: 4 } as const;

/** Longest passage, in tokens: below it, products stay below 2^53. */
export const PASSAGE_TOKENS_MAX = 4_096;

/** Largest surprisal that a term may have: of one token in 2^52. */
const IDF_MAX = 2 ** 22;

/** A term of the output that stands in a passage. */
export interface PassageTerm {
  /** Surprisal in Q16. */
  readonly idf: number;
  /** How often it stands in the passage; at least once. */
  readonly frequency: number;
}

/**
 * A passage's tokens when a span of the least length has its full context: the length that `b` measures by.
 */
export function usualPassageTokens(rules: TraceRules): number {
  return 2 * rules.contextTokens + rules.tokensMin;
}

/** A term's part of the score, in Q16: at most 11/5 of its `idf`. */
export function termScore(
  term: PassageTerm,
  passage: { readonly length: number; readonly usual: number },
): number {
  const { idf, frequency } = term;
  const { length, usual } = passage;
  assert(idf <= IDF_MAX && frequency <= length && length <= PASSAGE_TOKENS_MAX, 'a term out of bounds', {
    idf,
    frequency,
    length,
  });
  assert(usual > 0 && usual <= PASSAGE_TOKENS_MAX, 'usual length of passages', { usual });
  // 2^22 · 2^12 · 11 · 4 · 2^12 < 2^52.
  const gain = idf * frequency * (K1.numerator + K1.denominator) * B.denominator * usual;
  const norm = (B.denominator - B.numerator) * usual + B.numerator * length;
  return Math.floor(gain / (K1.denominator * B.denominator * usual * frequency + K1.numerator * norm));
}

/** The score of a passage, in Q16: at most 4,096 terms below 2^24. */
export function passageScore(
  terms: readonly PassageTerm[],
  passage: { readonly length: number; readonly usual: number },
): number {
  let score = 0;
  for (const term of terms) score += termScore(term, passage);
  return score;
}

/** What documents are ordered by. */
export interface RankedDocument {
  /** BM25 of its passage, in Q16. */
  readonly score: number;
  readonly contributionId: bigint;
}

/** The highest score first; of equal ones the contribution that came first. */
export function compareDocuments(a: RankedDocument, b: RankedDocument): number {
  if (a.score !== b.score) return b.score - a.score;
  if (a.contributionId === b.contributionId) return 0;
  return a.contributionId < b.contributionId ? -1 : 1;
}
