/**
 * The maximal spans of an output that a corpus holds word for word, as OLMoTrace finds them
 * (arXiv:2504.07096), in integers. From each place where a word begins, the longest match that goes beyond
 * neither its sentence nor the longest span, cut back to whole words; of these the maximal ones that are long
 * and rare enough. Which of them are kept: `cover.ts`.
 *
 * A *passage* is a run of tokens that begins where a word begins, ends where a word may be cut, lies in one
 * sentence, is long enough and not too long, and occurs, but not too often (`lengthFits` and a count). Every
 * passage is a part of a maximal span: matches do not end earlier from later starts, so what begins later and
 * ends no later than a match is a part of it, and a part occurs as often at least. That is also why the
 * search passes over starts.
 */
import { tokenBytes } from '../tokenise.ts';
import { cutToWords, isWordStart, sentenceEndAfter, type TraceRules } from './rules.ts';

/** What is asked of a corpus about an output. */
export interface SpanIndex {
  /** Length of the longest prefix of tokens [start, end) that occurs in the corpus. */
  longest(start: number, end: number): number;
  /** How often tokens [start, end), which occur, do so. */
  count(start: number, end: number): number;
  /** Bits that the token at an index tells, which occurs: `surprisalQ16`. */
  surprisal(at: number): number;
}

/** A span, in tokens of the output. */
export interface Span {
  readonly start: number;
  /** Exclusive. */
  readonly end: number;
  /** How often it occurs in the corpus. */
  readonly count: number;
}

/** Tokens of a text and where they stand in it. */
export interface TokenText {
  readonly tokens: Uint32Array;
  /** Bytes before each token, and at last those of the text: one more than there are tokens. */
  readonly offsets: Uint32Array;
}

/** Tokens with their places. */
export function tokenText(tokens: Uint32Array): TokenText {
  const offsets = new Uint32Array(tokens.length + 1);
  let offset = 0;
  for (const [i, token] of tokens.entries()) offsets[i + 1] = offset += tokenBytes(token);
  return { tokens, offsets };
}

/** Bytes of tokens [start, end). */
function bytesBetween({ offsets }: TokenText, start: number, end: number): number {
  return (offsets[end] ?? 0) - (offsets[start] ?? 0);
}

/** True when tokens [start, end) are as long as a span may be. */
export function lengthFits(text: TokenText, rules: TraceRules, start: number, end: number): boolean {
  const bytes = bytesBetween(text, start, end);
  return end - start >= rules.tokensMin && bytes >= rules.spanBytesMin && bytes <= rules.spanBytesMax;
}

/** The maximal spans that are long and rare enough, by start; none holds another. */
export function maximalSpans(text: TokenText, rules: TraceRules, index: SpanIndex): readonly Span[] {
  const { tokens } = text;
  const spans: Span[] = [];
  let sentenceEnd = 0;
  /** Where the longest span from here ends: it moves with the start. */
  let farthest = 0;
  let reached = 0;
  for (let start = 0; start < tokens.length; start++) {
    if (start >= sentenceEnd) sentenceEnd = sentenceEndAfter(tokens, start);
    if (reached === sentenceEnd) {
      start = sentenceEnd - 1;
      continue;
    }
    if (sentenceEnd - start < rules.tokensMin || !isWordStart(tokens, start)) continue;
    if (farthest < start) farthest = start;
    while (farthest < sentenceEnd && bytesBetween(text, start, farthest + 1) <= rules.spanBytesMax)
      farthest++;
    const end = cutToWords(tokens, start, start + index.longest(start, farthest));
    if (end <= reached) continue;
    reached = end;
    if (!lengthFits(text, rules, start, end)) continue;
    const count = index.count(start, end);
    if (count <= rules.occurrencesMax) spans.push({ start, end, count });
  }
  return spans;
}
