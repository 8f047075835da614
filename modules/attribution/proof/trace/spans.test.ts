import fc from 'fast-check';
import { expect, test } from 'vitest';
import { tokenise } from '../tokenise.ts';
import { everyPassage, naiveIndex } from '../testing/naive-index.ts';
import { cutToWords, isWordStart, sentenceEndAfter, TRACE_RULES, type TraceRules } from './rules.ts';
import { maximalSpans, type Span, type SpanIndex, tokenText } from './spans.ts';

const rules: TraceRules = { ...TRACE_RULES, tokensMin: 2, occurrencesMax: 2, spanBytesMin: 1 };
const text = fc
  .array(fc.constantFrom('a ', 'b ', 'abcde', 'ab', '. ', 'é', '日', '\n', ', '), { maxLength: 30 })
  .map((parts) => tokenise(new TextEncoder().encode(parts.join(''))));

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
      const index = naiveIndex(corpus, output);
      expect(maximalSpans(tokenText(output), rules, index)).toEqual(byTheBook(output, index));
    }),
    { numRuns: 300 },
  );
});

test('every passage is a part of one of them, also where the longest span is short', () => {
  const bounds = fc.record({ least: fc.integer({ min: 1, max: 6 }), more: fc.nat(20) });
  fc.assert(
    fc.property(text, text, bounds, (corpus, output, { least, more }) => {
      const narrow = { ...rules, spanBytesMin: least, spanBytesMax: least + more };
      const index = naiveIndex(corpus, output);
      const all = everyPassage(output, narrow, index);
      const spans = maximalSpans(tokenText(output), narrow, index);
      for (const each of all)
        expect(spans.some(({ start, end }) => start <= each.start && each.end <= end)).toBe(true);
      for (const { start, end } of spans)
        expect(all.some((each) => each.start === start && each.end === end)).toBe(true);
    }),
    { numRuns: 300 },
  );
});
