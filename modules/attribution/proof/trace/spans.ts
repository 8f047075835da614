/**
 * The spans of an output that a corpus holds word for word, as OLMoTrace selects them (arXiv:2504.07096), in
 * integers. From each place where a word begins, the longest match that does not go beyond its sentence, cut
 * back to whole words; of these the maximal ones that are long and rare enough; of these the rarest.
 *
 * | statement about a span [s, e) | shown by |
 * | --- | --- |
 * | it occurs c times, c within the limit | a count |
 * | it is not longer | the longest match from s to the sentence's end, then `cutToWords` |
 * | no span contains it | absence of the tokens from `wordStartBefore(s)` to e |
 * | its surprisal | counts of its tokens, then `surprisalQ16` of each and `spanSurprisal` |
 *
 * The third is enough, because matches do not end earlier from later starts: what begins earlier still and
 * reaches e contains those tokens. That is also why the search below passes over starts (`maximalSpans`).
 */
import { assert } from '../../../../core/errors.ts';
import { cutToWords, isWordStart, OUTPUT_TOKENS_MAX, sentenceEndAfter, type TraceRules } from './rules.ts';

/** What is asked of a corpus. */
export interface SpanIndex {
  /** Length of the longest prefix of tokens [start, end) that occurs in the corpus. */
  longest(start: number, end: number): number;
  /**
   * How often tokens [start, end), which occur, do so. Asked only for a start that `longest` was last asked
   * for.
   */
  count(start: number, end: number): number;
}

/** A maximal span, in tokens of the output. */
export interface Span {
  readonly start: number;
  /** Exclusive. */
  readonly end: number;
  /** How often it occurs in the corpus. */
  readonly count: number;
}

/** A span and the bits it tells, in Q16. */
export interface RankedSpan extends Span {
  readonly surprisal: number;
}

/**
 * The maximal spans that are long and rare enough, by start. A span from a later start that ends no later is
 * a part of an earlier one: it is shorter and occurs as often at least. So the search goes on where a longer
 * one can be, also when the earlier one was too short or too common to be kept.
 */
export function maximalSpans(tokens: Uint32Array, rules: TraceRules, index: SpanIndex): readonly Span[] {
  assert(tokens.length <= OUTPUT_TOKENS_MAX, 'output is too long', { tokens: tokens.length });
  const spans: Span[] = [];
  let sentenceEnd = 0;
  let reached = 0;
  for (let start = 0; start < tokens.length; start++) {
    if (start >= sentenceEnd) sentenceEnd = sentenceEndAfter(tokens, start);
    if (reached === sentenceEnd) {
      start = sentenceEnd - 1;
      continue;
    }
    if (sentenceEnd - start < rules.tokensMin || !isWordStart(tokens, start)) continue;
    const end = cutToWords(tokens, start, start + index.longest(start, sentenceEnd));
    if (end <= reached) continue;
    reached = end;
    if (end - start < rules.tokensMin) continue;
    const count = index.count(start, end);
    if (count <= rules.occurrencesMax) spans.push({ start, end, count });
  }
  return spans;
}

/**
 * Sum of the surprisals of a span's tokens, in Q16: below 2^16 · 2^22, exact.
 * @param surprisals of each token of the output: `surprisalQ16`, 0 for one that does not occur
 */
export function spanSurprisal(surprisals: Uint32Array, span: Span): number {
  let sum = 0;
  for (let at = span.start; at < span.end; at++) sum += surprisals[at] ?? 0;
  return sum;
}

/**
 * The rarest first; of equal ones the one that begins first. No two begin at one place, so the order is
 * total.
 */
export function compareSpans(a: RankedSpan, b: RankedSpan): number {
  return b.surprisal - a.surprisal || a.start - b.start;
}

/** How many spans of an output of so many tokens are kept. */
export function spansKept(tokens: number, rules: TraceRules): number {
  return Math.ceil(tokens / rules.tokensPerSpan);
}

/** The spans that are kept, the rarest first. */
export function rarestSpans(
  spans: readonly Span[],
  surprisals: Uint32Array,
  rules: TraceRules,
): readonly RankedSpan[] {
  return spans
    .map((span) => ({ ...span, surprisal: spanSurprisal(surprisals, span) }))
    .sort(compareSpans)
    .slice(0, spansKept(surprisals.length, rules));
}
