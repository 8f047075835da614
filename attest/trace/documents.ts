/** The documents that hold the spans of an output, each with its passage and score. */
import {
  compareDocuments,
  type PassageTerm,
  passageScore,
  type RankedDocument,
  usualPassageTokens,
} from '../../modules/attribution/proof/trace/bm25.ts';
import type { TraceRules } from '../../modules/attribution/proof/trace/rules.ts';
import type { Corpus, Holding, ShardRange } from '../query/corpus.ts';

/** Tokens of a document around a span. */
export interface Passage {
  /** Index of the shard in the corpus. */
  readonly shard: number;
  /** Position of the first token in the shard. */
  readonly position: number;
  readonly tokens: Uint32Array;
  /** Which of them are the span's. */
  readonly quoteStart: number;
  /** Exclusive. */
  readonly quoteEnd: number;
  /** Where the span stands in the content, in bytes. */
  readonly byteOffset: number;
}

/** A document that holds spans. */
export interface TracedDocument extends RankedDocument {
  /** Of documents with one content that hold spans, the first. */
  readonly contributionId: bigint;
  /** The others, ascending. */
  readonly copies: readonly bigint[];
  /** Bytes of the address. */
  readonly contributor: Uint8Array;
  readonly root: Uint8Array;
  readonly byteLength: number;
  /** Indices of the spans that it holds, the rarest first. */
  readonly spans: readonly number[];
  /** Around the first place of the rarest of them. */
  readonly passage: Passage;
}

/** What documents are looked up in and scored by. */
interface Context {
  readonly corpus: Corpus;
  readonly outputTokens: Uint32Array;
  readonly rules: TraceRules;
}

/** A kept span and its ranks. */
interface FoundSpan {
  readonly start: number;
  readonly end: number;
  readonly ranges: readonly ShardRange[];
}

/** Documents with one content. */
interface Source {
  /** The first of them. */
  first: Holding;
  readonly ids: Set<bigint>;
  readonly spans: number[];
  /** The first place of the rarest span, in the order of contributions and bytes. */
  best: Holding;
}

/**
 * The documents that hold spans, and for each span the contributions to name: ascending, one for each
 * content.
 * @param spans the rarest first
 */
export function sourcesOf(
  spans: readonly FoundSpan[],
  context: Context,
): { readonly documents: readonly TracedDocument[]; readonly holders: readonly (readonly bigint[])[] } {
  const { sources, bySpan } = gatherSources(spans, context.corpus);
  const scorer = new PassageScorer(context);
  const documents = [...sources.values()].map((source) => documentOf(source, { spans, context, scorer }));
  const holders = bySpan.map((held) =>
    [...held].map(({ first }) => first.document.contributionId).sort((a, b) => (a < b ? -1 : 1)),
  );
  return { documents: documents.sort(compareDocuments), holders };
}

function gatherSources(
  spans: readonly FoundSpan[],
  corpus: Corpus,
): { readonly sources: ReadonlyMap<string, Source>; readonly bySpan: readonly ReadonlySet<Source>[] } {
  const sources = new Map<string, Source>();
  const bySpan = spans.map(({ ranges }, span) => {
    const held = new Set<Source>();
    for (const holding of corpus.holdings(ranges)) {
      const source = addHolding(sources, holding, span);
      held.add(source);
    }
    return held;
  });
  return { sources, bySpan };
}

function addHolding(sources: Map<string, Source>, holding: Holding, span: number): Source {
  const { document } = holding;
  const key = String.fromCharCode(...document.root);
  const known = sources.get(key);
  if (known === undefined) {
    const ids = new Set([document.contributionId]);
    const source: Source = { first: holding, ids, spans: [span], best: holding };
    sources.set(key, source);
    return source;
  }
  known.ids.add(document.contributionId);
  if (document.contributionId < known.first.document.contributionId) known.first = holding;
  if (known.spans.at(-1) !== span) known.spans.push(span);
  if (known.spans[0] === span && isBefore(holding, known.best)) known.best = holding;
  return known;
}

function isBefore(a: Holding, b: Holding): boolean {
  const [idA, idB] = [a.document.contributionId, b.document.contributionId];
  return idA === idB ? a.position < b.position : idA < idB;
}

function documentOf(
  source: Source,
  how: { readonly spans: readonly FoundSpan[]; readonly context: Context; readonly scorer: PassageScorer },
): TracedDocument {
  const { contributionId, contributor, root, byteLength } = source.first.document;
  const { start, end } = how.spans[source.spans[0] ?? 0] ?? { start: 0, end: 0 };
  const passage = passageOf(source.best, end - start, how.context);
  return {
    contributionId,
    copies: [...source.ids].filter((id) => id !== contributionId).sort((a, b) => (a < b ? -1 : 1)),
    contributor,
    root,
    byteLength,
    spans: source.spans,
    passage,
    score: how.scorer.score(passage.tokens),
  };
}

/** The span's tokens at a place, with those around them that are of the same document. */
function passageOf(place: Holding, length: number, { corpus, rules }: Context): Passage {
  const shard = corpus.shard(place.shard);
  const { firstToken, tokens: documentTokens } = place.document;
  const position = Math.max(firstToken, place.position - rules.contextTokens);
  // The document's last token is its separator.
  const end = Math.min(firstToken + documentTokens - 1, place.position + length + rules.contextTokens);
  const tokens = new Uint32Array(end - position);
  for (let i = 0; i < tokens.length; i++) tokens[i] = shard.token(position + i);
  const quoteStart = place.position - position;
  const byteOffset = shard.byteOffset(place.position);
  return { shard: place.shard, position, tokens, quoteStart, quoteEnd: quoteStart + length, byteOffset };
}

/** Scores passages by the terms of one output. */
class PassageScorer {
  readonly #corpus: Corpus;
  readonly #usual: number;
  /** Token of the output to its number among them. */
  readonly #terms = new Map<number, number>();
  /**
   * By a term's number: its surprisal, NaN until it is asked for; how often it stands in the passage at hand.
   */
  readonly #idfs: Float64Array;
  readonly #frequencies: Uint16Array;

  constructor({ corpus, outputTokens, rules }: Context) {
    this.#corpus = corpus;
    this.#usual = usualPassageTokens(rules);
    for (const token of outputTokens) if (!this.#terms.has(token)) this.#terms.set(token, this.#terms.size);
    this.#idfs = new Float64Array(this.#terms.size).fill(Number.NaN);
    this.#frequencies = new Uint16Array(this.#terms.size);
  }

  score(passage: Uint32Array): number {
    const frequencies = this.#frequencies;
    const found: number[] = [];
    for (const token of passage) {
      const term = this.#terms.get(token);
      if (term === undefined) continue;
      const before = frequencies[term] ?? 0;
      if (before === 0) found.push(term);
      if (Number.isNaN(this.#idfs[term])) this.#idfs[term] = this.#corpus.surprisal(token);
      frequencies[term] = before + 1;
    }
    const terms = found.map(
      (term): PassageTerm => ({ idf: this.#idfs[term] ?? 0, frequency: frequencies[term] ?? 0 }),
    );
    for (const term of found) frequencies[term] = 0;
    return passageScore(terms, { length: passage.length, usual: this.#usual });
  }
}
