import fc from 'fast-check';
import { expect, test } from 'vitest';
import { tokenise } from '../tokenise.ts';
import { surprisalQ16 } from './fixed-log.ts';
import { cutToWords, isWordStart, sentenceEndAfter, type TraceRules, wordStartBefore } from './rules.ts';
import { maximalSpans, rarestSpans, type Span, type SpanIndex, spansKept } from './spans.ts';

const rules: TraceRules = { tokensMin: 2, occurrencesMax: 2, tokensPerSpan: 4, contextTokens: 4 };
const text = fc
  .array(fc.constantFrom('a ', 'b ', 'abcde', 'ab', '. ', 'é', '日', '\n', ', '), { maxLength: 30 })
  .map((parts) => tokenise(new TextEncoder().encode(parts.join(''))));

/** How often a run of tokens stands in the corpus. */
function occurrences(corpus: Uint32Array, run: Uint32Array): number {
  let count = 0;
  for (let at = 0; at + run.length <= corpus.length; at++)
    if (run.every((id, i) => corpus[at + i] === id)) count++;
  return count;
}

function indexOf(corpus: Uint32Array, output: Uint32Array): SpanIndex {
  return {
    longest: (start, end) => {
      let length = 0;
      while (start + length < end && occurrences(corpus, output.subarray(start, start + length + 1)) > 0)
        length++;
      return length;
    },
    count: (start, end) => occurrences(corpus, output.subarray(start, end)),
  };
}

/**
 * OLMoTrace's own order of work: every start, then lengths and counts, then those that no earlier one
 * reaches.
 */
function byTheBook(output: Uint32Array, index: SpanIndex): readonly Span[] {
  const spans: Span[] = [];
  for (let start = 0; start < output.length; start++) {
    if (!isWordStart(output, start)) continue;
    const limit = sentenceEndAfter(output, start);
    const end = cutToWords(output, start, start + index.longest(start, limit));
    if (end - start < rules.tokensMin) continue;
    const count = index.count(start, end);
    if (count <= rules.occurrencesMax) spans.push({ start, end, count });
  }
  let reached = 0;
  return spans.filter(({ end }) => {
    if (end <= reached) return false;
    reached = end;
    return true;
  });
}

test('the starts that are passed over have no span of their own', () => {
  fc.assert(
    fc.property(text, text, (corpus, output) => {
      const index = indexOf(corpus, output);
      expect(maximalSpans(output, rules, index)).toEqual(byTheBook(output, index));
    }),
    { numRuns: 300 },
  );
});

test('each span is what the three proofs of it say', () => {
  fc.assert(
    fc.property(text, text, (corpus, output) => {
      const index = indexOf(corpus, output);
      for (const { start, end, count } of maximalSpans(output, rules, index)) {
        expect(count).toBe(occurrences(corpus, output.subarray(start, end)));
        const longest = start + index.longest(start, sentenceEndAfter(output, start));
        expect(cutToWords(output, start, longest)).toBe(end);
        const before = wordStartBefore(output, start);
        if (before !== undefined) expect(occurrences(corpus, output.subarray(before, end))).toBe(0);
      }
    }),
  );
});

test('the rarest are kept, one for so many tokens, in an order without ties', () => {
  const counts = [1, 4, 2, 2, 8];
  const surprisals = Uint32Array.from(counts, (count) => surprisalQ16(16, count));
  expect([...surprisals]).toEqual([4, 2, 3, 3, 1].map((bits) => bits * 65_536));
  const spans = [
    { start: 0, end: 2, count: 1 },
    { start: 2, end: 4, count: 1 },
    { start: 3, end: 5, count: 1 },
  ];
  expect(spansKept(5, rules)).toBe(2);
  expect(rarestSpans(spans, surprisals, rules)).toEqual([
    { start: 0, end: 2, count: 1, surprisal: 6 * 65_536 },
    { start: 2, end: 4, count: 1, surprisal: 6 * 65_536 },
  ]);
});
