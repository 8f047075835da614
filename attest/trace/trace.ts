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
import { coverSpans, type RankedSpan } from '../../modules/attribution/proof/trace/cover.ts';
import { tokenText } from '../../modules/attribution/proof/trace/spans.ts';
import { tokenise } from '../../modules/attribution/proof/tokenise.ts';
import type { Corpus, ShardRange } from '../query/corpus.ts';
import { OutputIndex } from './output-index.ts';
import { sourcesOf, type TracedDocument } from './documents.ts';

/** A span that is kept. */
export interface TracedSpan extends RankedSpan, HeldSpan {
  /** Bytes of the output. */
  readonly byteStart: number;
  /** Exclusive. */
  readonly byteEnd: number;
  /** Its ranks, in each shard that holds it. */
  readonly ranges: readonly ShardRange[];
  /** What its holders share: tokens in Q16. */
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
  /** Disjoint, the rarest first. */
  readonly spans: readonly TracedSpan[];
  /** The highest score first; copies of one content stand as one, under the first of them. */
  readonly documents: readonly TracedDocument[];
  /** By contribution. They add up to the weights of the spans. */
  readonly contributions: readonly TraceWeight[];
  /** The highest weight first; of equal ones, by address. */
  readonly contributors: readonly ContributorWeight[];
  /** Sum of the weights, tokens in Q16. */
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
  const index = new OutputIndex(outputTokens, corpus);
  const text = tokenText(outputTokens);
  const kept = coverSpans(text, rules, index).map((span) => ({ ...span, ranges: index.ranges(span) }));
  const { documents, holders } = sourcesOf(kept, { corpus, outputTokens, rules });
  const held = kept.map((span, i) => ({ ...span, holders: holders[i] ?? [] }));
  const weights = spanWeights(held, corpus.tokens);
  const { offsets } = text;
  const spans = held.map((span, i) => ({
    ...span,
    byteStart: offsets[span.start] ?? 0,
    byteEnd: offsets[span.end] ?? 0,
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
