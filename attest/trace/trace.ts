/**
 * Traces an output to a corpus: which passages of it the corpus holds word for word, who holds them, and what
 * each is worth. The rules are those of modules/attribution/proof/trace; nothing here decides anything but by
 * them.
 */
import { toHex } from '../../core/bytes.ts';
import { LedgerError } from '../../core/errors.ts';
import {
  OUTPUT_TOKENS_MAX,
  TRACE_RULES,
  type TraceRules,
  validateRules,
} from '../../modules/attribution/proof/trace/rules.ts';
import {
  type HeldSpan,
  spanWeights,
  type TraceWeight,
  traceWeights,
} from '../../modules/attribution/proof/trace/shares.ts';
import {
  maximalSpans,
  type RankedSpan,
  rarestSpans,
  type Span,
  type SpanIndex,
} from '../../modules/attribution/proof/trace/spans.ts';
import { tokenBytes, tokenise } from '../../modules/attribution/proof/tokenise.ts';
import type { Corpus, CorpusMatch, ShardRange } from '../query/corpus.ts';
import { sourcesOf, type TracedDocument } from './documents.ts';

/** A span that is kept. */
export interface TracedSpan extends RankedSpan, HeldSpan {
  /** Bytes of the output. */
  readonly byteStart: number;
  /** Exclusive. */
  readonly byteEnd: number;
  /** Its ranks, in each shard that holds it. */
  readonly ranges: readonly ShardRange[];
  /** Q16 bits that its holders share. */
  readonly weight: bigint;
}

/** What a contributor's contributions are worth together. */
export interface ContributorWeight {
  /** Bytes of the address. */
  readonly contributor: Uint8Array;
  readonly contributionIds: readonly bigint[];
  readonly weight: bigint;
}

/** An output and where it is from. */
export interface Trace {
  readonly output: Uint8Array;
  readonly outputTokens: Uint32Array;
  /** Tokens of the corpus. */
  readonly corpusTokens: number;
  readonly rules: TraceRules;
  /** The rarest first. */
  readonly spans: readonly TracedSpan[];
  /** The highest score first; copies of one content stand as one, under the first of them. */
  readonly documents: readonly TracedDocument[];
  /** By contribution. They add up to the weights of the spans. */
  readonly contributions: readonly TraceWeight[];
  /** The highest weight first; of equal ones, by address. */
  readonly contributors: readonly ContributorWeight[];
  /** Sum of the weights, in Q16 bits. */
  readonly weight: bigint;
}

/**
 * Traces an output.
 * @throws LedgerError `attest.output_too_long`; `attribution.rules`
 */
export function traceOutput(output: Uint8Array, corpus: Corpus, rules: TraceRules = TRACE_RULES): Trace {
  validateRules(rules);
  const outputTokens = tokenise(output);
  if (outputTokens.length > OUTPUT_TOKENS_MAX)
    throw new LedgerError(
      'attest.output_too_long',
      `the output has ${outputTokens.length} tokens; at most ${OUTPUT_TOKENS_MAX} are traced at once: trace it in parts`,
      { tokens: outputTokens.length },
    );
  const index = new RememberingIndex(outputTokens, corpus);
  const found = maximalSpans(outputTokens, rules, index);
  const surprisals = surprisalsIn(found, outputTokens, corpus);
  const kept = rarestSpans(found, surprisals, rules).map((span) => ({
    ...span,
    ranges: index.rangesFrom(span.start),
  }));
  const { documents, holders } = sourcesOf(kept, { corpus, outputTokens, rules });
  const held = kept.map((span, i) => ({ ...span, holders: holders[i] ?? [] }));
  const weights = spanWeights(held, surprisals, corpus.tokens);
  const bytes = byteOffsets(outputTokens);
  const spans = held.map((span, i) => ({
    ...span,
    byteStart: bytes[span.start] ?? 0,
    byteEnd: bytes[span.end] ?? 0,
    weight: weights[i] ?? 0n,
  }));
  const contributions = traceWeights(held, weights);
  return {
    output,
    outputTokens,
    corpusTokens: corpus.tokens,
    rules,
    spans,
    documents,
    contributions,
    contributors: contributorsOf(contributions, documents),
    weight: weights.reduce((sum, weight) => sum + weight, 0n),
  };
}

/** Of each token of the output that a span holds; 0 of the others, which nothing asks for. */
function surprisalsIn(spans: readonly Span[], tokens: Uint32Array, corpus: Corpus): Uint32Array {
  const surprisals = new Uint32Array(tokens.length);
  let done = 0;
  for (const { start, end } of spans) {
    for (let at = start > done ? start : done; at < end; at++)
      surprisals[at] = corpus.surprisal(tokens[at] ?? 0);
    done = end;
  }
  return surprisals;
}

/** Asks the corpus, and keeps where the spans were found. */
class RememberingIndex implements SpanIndex {
  readonly #tokens: Uint32Array;
  readonly #corpus: Corpus;
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
    const ranges = this.#corpus.rangesOf(this.#tokens.subarray(start, end), this.#match);
    this.#ranges.set(start, ranges);
    return ranges.reduce((sum, { lo, hi }) => sum + hi - lo, 0);
  }

  rangesFrom(start: number): readonly ShardRange[] {
    return this.#ranges.get(start) ?? [];
  }
}

/** Where each token begins, and at last where the last one ends. */
function byteOffsets(tokens: Uint32Array): Uint32Array {
  const offsets = new Uint32Array(tokens.length + 1);
  let offset = 0;
  for (const [i, token] of tokens.entries()) offsets[i + 1] = offset += tokenBytes(token);
  return offsets;
}

function contributorsOf(
  contributions: readonly TraceWeight[],
  documents: readonly TracedDocument[],
): readonly ContributorWeight[] {
  const addresses = new Map(documents.map((document) => [document.contributionId, document.contributor]));
  const sums = new Map<string, { contributor: Uint8Array; contributionIds: bigint[]; weight: bigint }>();
  for (const { contributionId, weight } of contributions) {
    const contributor = addresses.get(contributionId) ?? new Uint8Array(0);
    const key = toHex(contributor);
    const sum = sums.get(key) ?? { contributor, contributionIds: [], weight: 0n };
    sum.contributionIds.push(contributionId);
    sum.weight += weight;
    sums.set(key, sum);
  }
  const keyed = [...sums].sort(([keyA, a], [keyB, b]) => {
    if (a.weight !== b.weight) return a.weight > b.weight ? -1 : 1;
    return keyA < keyB ? -1 : 1;
  });
  return keyed.map(([, sum]) => sum);
}
