/** A corpus that is searched everywhere, and passages that are found by trying all: what tests compare with. */
import { surprisalQ16 } from '../trace/fixed-log.ts';
import { isBoundary, isSentenceEnd, isWordStart, type TraceRules } from '../trace/rules.ts';
import { type SpanIndex, tokenText } from '../trace/spans.ts';
import type { RankedSpan } from '../trace/cover.ts';

/** How often a run of tokens stands in the corpus. */
export function occurrencesIn(corpus: Uint32Array, run: Uint32Array): number {
  let count = 0;
  for (let at = 0; at + run.length <= corpus.length; at++)
    if (run.every((id, i) => corpus[at + i] === id)) count++;
  return count;
}

/** What a corpus says of an output. */
export function naiveIndex(corpus: Uint32Array, output: Uint32Array): SpanIndex {
  return {
    longest: (start, end) => {
      let length = 0;
      while (start + length < end && occurrencesIn(corpus, output.subarray(start, start + length + 1)) > 0)
        length++;
      return length;
    },
    count: (start, end) => occurrencesIn(corpus, output.subarray(start, end)),
    surprisal: (at) => surprisalQ16(corpus.length, occurrencesIn(corpus, output.subarray(at, at + 1))),
  };
}

/** Every passage of an output, by its definition. */
export function everyPassage(
  output: Uint32Array,
  rules: TraceRules,
  index: SpanIndex,
): readonly RankedSpan[] {
  const { offsets } = tokenText(output);
  const passages: RankedSpan[] = [];
  for (let start = 0; start < output.length; start++) {
    if (!isWordStart(output, start)) continue;
    for (let end = start + rules.tokensMin; end <= output.length; end++) {
      if (output.subarray(start, end - 1).some(isSentenceEnd)) break;
      const bytes = (offsets[end] ?? 0) - (offsets[start] ?? 0);
      const isLong = bytes >= rules.spanBytesMin && bytes <= rules.spanBytesMax;
      const count = index.count(start, end);
      if (!isBoundary(output, end) || !isLong || count < 1 || count > rules.occurrencesMax) continue;
      let surprisal = 0;
      for (let at = start; at < end; at++) surprisal += index.surprisal(at);
      passages.push({ start, end, count, surprisal });
    }
  }
  return passages;
}
