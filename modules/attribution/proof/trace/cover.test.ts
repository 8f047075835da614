import fc from 'fast-check';
import { expect, test } from 'vitest';
import { everyPassage, naiveIndex } from '../testing/naive-index.ts';
import { tokenise } from '../tokenise.ts';
import { coverSpans, Passages, type RankedSpan, spansKept, type TokenRange } from './cover.ts';
import { TRACE_RULES, type TraceRules } from './rules.ts';
import { type SpanIndex, tokenText } from './spans.ts';

const bounds = fc.record({
  spansMax: fc.integer({ min: 1, max: 4 }),
  tokensMin: fc.integer({ min: 1, max: 3 }),
  occurrencesMax: fc.integer({ min: 1, max: 3 }),
  bytesPerSpan: fc.integer({ min: 1, max: 20 }),
  spanBytesMin: fc.integer({ min: 1, max: 5 }),
  spanBytesMax: fc.integer({ min: 6, max: 30 }),
});
const text = fc
  .array(fc.constantFrom('a ', 'b ', 'abcde', 'ab', 'c', '. ', 'é', '日', '\n', ', ', 'd '), {
    maxLength: 24,
  })
  .map((parts) => tokenise(new TextEncoder().encode(parts.join(''))));
const scene = fc.tuple(text, text, bounds).map(([corpus, output, numbers]) => {
  const rules: TraceRules = { ...TRACE_RULES, ...numbers };
  const index = naiveIndex(corpus, output);
  return { output, rules, index, all: everyPassage(output, rules, index) };
});

function overlaps(a: TokenRange, b: TokenRange): boolean {
  return a.start < b.end && b.start < a.end;
}

/** The highest surprisal, 0 of none. */
function most(spans: readonly RankedSpan[]): number {
  return spans.reduce((best, { surprisal }) => (surprisal > best ? surprisal : best), 0);
}

test('whatever is taken, the rarest passage that is left is found', () => {
  const cuts = fc.array(fc.tuple(fc.nat(40), fc.nat(6)), { maxLength: 4 });
  fc.assert(
    fc.property(scene, cuts, ({ output, rules, index, all }, takes) => {
      const passages = new Passages(tokenText(output), rules, index);
      const taken: TokenRange[] = [];
      for (const [start, length] of takes) {
        const range = { start, end: start + length };
        taken.push(range);
        passages.take(range);
        const left = all.filter((each) => !taken.some((other) => overlaps(each, other)));
        const found = passages.rarest();
        expect(found?.surprisal ?? 0).toBe(most(left));
        if (found !== undefined) expect(left).toContainEqual(found);
        else expect(left).toEqual([]);
      }
    }),
    { numRuns: 2_000 },
  );
});

test('each passage that is left out has its excuse', () => {
  fc.assert(
    fc.property(scene, ({ output, rules, index, all }) => {
      const kept = coverSpans(tokenText(output), rules, index);
      const full = spansKept(tokenText(output).offsets.at(-1) ?? 0, rules);
      expect(kept.length).toBeLessThanOrEqual(full);
      for (const [i, span] of kept.entries()) {
        expect(all).toContainEqual(span);
        expect(kept.slice(0, i).some((other) => overlaps(span, other))).toBe(false);
      }
      for (const each of all) {
        const rivals = kept.filter((other) => overlaps(each, other));
        if (rivals.length > 0) expect(most(rivals)).toBeGreaterThanOrEqual(each.surprisal);
        else
          expect([kept.length, kept.every(({ surprisal }) => surprisal >= each.surprisal)]).toEqual([
            full,
            true,
          ]);
      }
    }),
    { numRuns: 2_000 },
  );
});

/** Every token is worth so many bits; what begins at 0 to 3 occurs up to token 8, and from 6 on up to 20. */
function madeIndex(): SpanIndex {
  return {
    longest: (start) => (start < 4 ? 8 : 20) - start,
    count: () => 1,
    surprisal: (at) => (at < 8 ? 2 : 1) * 65_536,
  };
}

test('of two that overlap the rarer is whole, of the other what is left', () => {
  // Twenty words of one token.
  const output = tokenise(new TextEncoder().encode('abc '.repeat(20)));
  const rules = { ...TRACE_RULES, tokensMin: 3, spanBytesMin: 1 };
  const spans = coverSpans(tokenText(output), rules, madeIndex());
  expect(spans.map(({ start, end }) => [start, end])).toEqual([
    [4, 20],
    [0, 4],
  ]);
  expect(spansKept(80, rules)).toBe(2);
  expect(spansKept(96, rules)).toBe(2);
  expect(spansKept(97, rules)).toBe(3);
  expect(spansKept(1_000_000, rules)).toBe(64);
});
