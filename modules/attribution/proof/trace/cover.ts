/**
 * Which spans of an output are kept, and what a claim that leaves some out can be held against.
 *
 * `coverSpans` takes the rarest passage, then the rarest of those that do not overlap with it, and so on,
 * until none is left or as many are taken as an output of this length has. So of every passage P (`spans.ts`)
 * that is not taken, one of two things is true:
 *
 * - one that was taken overlaps P and is as rare at least. Proof: before the first one that overlaps P was
 *   taken, P was there to take; it was not, so the other was as rare;
 * - none overlaps P, as many are taken as there may be, and each is as rare at least. Proof: P was there to
 *   take each time.
 *
 * A claim of which that is not true left P out to the advantage of somebody: docs/adr/0025. Rarity is the sum
 * of surprisals, so that a part is never rarer than the whole.
 *
 * `Passages` finds the rarest passage outside of the spans that were taken without looking at all of them. It
 * holds *candidates*, passages that are disjoint from what was taken, such that every such passage is a part
 * of one of them: a part is no rarer, so the rarest candidate is the rarest of all. At first these are the
 * maximal spans. When [a, b) is taken, of the candidates that overlap with it are left
 *
 * - what is before a, cut back to whole words. All of these end at one place, so the first holds the others;
 * - what is behind b, from the next word. All of these begin at one place, so the one that ends last holds
 *   the others.
 *
 * A passage outside of [a, b) that was a part of an overlapping candidate is a part of one of these two, for
 * it ends and begins at such places. Where one of the two is too short or too common, so are its parts.
 */
import { cutToWords, isWordStart, type TraceRules } from './rules.ts';
import { lengthFits, maximalSpans, type Span, type SpanIndex, type TokenText } from './spans.ts';

/** A span and the bits it tells, in Q16. */
export interface RankedSpan extends Span {
  readonly surprisal: number;
}

/** Tokens [start, end) of an output. */
export interface TokenRange {
  readonly start: number;
  /** Exclusive. */
  readonly end: number;
}

/** How many spans are kept of an output of so many bytes. */
export function spansKept(bytes: number, rules: TraceRules): number {
  return Math.min(Math.ceil(bytes / rules.bytesPerSpan), rules.spansMax);
}

/** The passages of an output that are disjoint from what was taken. */
export class Passages {
  readonly #text: TokenText;
  readonly #rules: TraceRules;
  readonly #index: SpanIndex;
  /** By start, and so by end: none holds another. */
  readonly #candidates: RankedSpan[];

  constructor(text: TokenText, rules: TraceRules, index: SpanIndex) {
    this.#text = text;
    this.#rules = rules;
    this.#index = index;
    this.#candidates = maximalSpans(text, rules, index).map((span) => this.#ranked(span));
  }

  /** The rarest; of equal ones the one that begins first. Undefined when there is none. */
  rarest(): RankedSpan | undefined {
    let best: RankedSpan | undefined;
    for (const each of this.#candidates)
      if (best === undefined || each.surprisal > best.surprisal) best = each;
    return best;
  }

  /** Takes any tokens away: what overlaps with them is a passage no more. */
  take({ start, end }: TokenRange): void {
    const candidates = this.#candidates;
    let from = 0;
    while ((candidates[from]?.end ?? Infinity) <= start) from++;
    let to = from;
    while ((candidates[to]?.start ?? Infinity) < end) to++;
    const first = candidates[from];
    const last = candidates[to - 1];
    if (first === undefined || last === undefined || to === from) return;
    const before = this.#passage({
      start: first.start,
      end: cutToWords(this.#text.tokens, first.start, start),
    });
    const after = this.#passage({ start: this.#wordFrom(end, last.end), end: last.end });
    const left = [before, after].filter((each) => each !== undefined);
    candidates.splice(from, to - from, ...left);
  }

  /** The first place from `at` where a span may begin; `end` when there is none before. */
  #wordFrom(at: number, end: number): number {
    let start = at;
    while (start < end && !isWordStart(this.#text.tokens, start)) start++;
    return start;
  }

  #passage({ start, end }: TokenRange): RankedSpan | undefined {
    if (!lengthFits(this.#text, this.#rules, start, end)) return undefined;
    const count = this.#index.count(start, end);
    return count > this.#rules.occurrencesMax ? undefined : this.#ranked({ start, end, count });
  }

  #ranked(span: Span): RankedSpan {
    let surprisal = 0;
    for (let at = span.start; at < span.end; at++) surprisal += this.#index.surprisal(at);
    return { ...span, surprisal };
  }
}

/** The spans that are kept: disjoint, the rarest first. */
export function coverSpans(text: TokenText, rules: TraceRules, index: SpanIndex): readonly RankedSpan[] {
  const passages = new Passages(text, rules, index);
  const kept: RankedSpan[] = [];
  const most = spansKept(text.offsets.at(-1) ?? 0, rules);
  for (let next = passages.rarest(); next !== undefined && kept.length < most; next = passages.rarest()) {
    kept.push(next);
    passages.take(next);
  }
  return kept;
}
