/** What tracing and judging ask of a corpus about one output. */
import type { SpanIndex } from '../../modules/attribution/proof/trace/spans.ts';
import type { TokenRange } from '../../modules/attribution/proof/trace/cover.ts';
import type { Corpus, CorpusMatch, ShardRange } from '../query/corpus.ts';

/** More than an output has tokens. */
const STARTS = 2 ** 26;

/** Asks the corpus, and keeps where spans were found: a part of one begins where it does, or is looked up. */
export class OutputIndex implements SpanIndex {
  readonly #tokens: Uint32Array;
  readonly #corpus: Corpus;
  /** Of the spans that were counted, by start. */
  readonly #matches = new Map<number, CorpusMatch>();
  readonly #ranges = new Map<number, readonly ShardRange[]>();
  #match: CorpusMatch = { length: 0, shards: [] };
  #start = 0;

  constructor(tokens: Uint32Array, corpus: Corpus) {
    this.#tokens = tokens;
    this.#corpus = corpus;
  }

  longest(start: number, end: number): number {
    const link = { match: this.#match, skipped: start - this.#start };
    this.#match = this.#corpus.longestMatch(this.#tokens.subarray(start, end), link);
    this.#start = start;
    return this.#match.length;
  }

  count(start: number, end: number): number {
    const pattern = this.#tokens.subarray(start, end);
    let match = start === this.#start ? this.#match : this.#matches.get(start);
    if (match === undefined || match.length < pattern.length) match = this.#corpus.longestMatch(pattern);
    this.#matches.set(start, match);
    const ranges = this.#corpus.rangesOf(pattern, match);
    this.#ranges.set(start * STARTS + end, ranges);
    return ranges.reduce((sum, { lo, hi }) => sum + hi - lo, 0);
  }

  surprisal(at: number): number {
    return this.#corpus.surprisal(this.#tokens[at] ?? 0);
  }

  /** Ranks of a span that was counted. */
  ranges({ start, end }: TokenRange): readonly ShardRange[] {
    return this.#ranges.get(start * STARTS + end) ?? [];
  }
}
