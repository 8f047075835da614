/** A trace as a claim of quoted spans: docs/adr/0009. */
import {
  committedAnswer,
  compareSpans,
  openAnswer,
  type ProvableContent,
  problemOfClaim,
  provableContent,
  proveSpan,
} from '../../modules/attribution/verify.ts';
import {
  type Answer,
  Claim,
  type Params,
  type QuotedSpan,
} from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import { LedgerError } from '../../core/errors.ts';
import type { Corpus } from '../query/corpus.ts';
import type { Trace, TracedSpan } from '../trace/trace.ts';
import { contentOf } from './shard-library.ts';

/** What a claim is made of. */
export interface QuotationOrder {
  readonly trace: Trace;
  readonly corpus: Corpus;
  /** Parameters of attribution on the chain. */
  readonly params: Params;
  /** Publish the answer's root and the quoted chunks only. */
  readonly isPrivate: boolean;
  /** True when the model may quote the document at this index of this shard of the corpus. */
  readonly isInScope: (shard: number, document: number) => boolean;
}

/** A claim, ready for a transaction. */
export interface PreparedClaim {
  readonly answer: Answer;
  readonly claim: Claim;
}

/**
 * Quotes every holder of the rarest spans, as many as the chain's limits let in.
 * @throws LedgerError `attest.claim` when the published verifier would refuse it: a mistake of ours
 */
export function quotationsOf(order: QuotationOrder): PreparedClaim {
  const { trace, params, isPrivate } = order;
  const whole = provableContent(trace.output);
  const answer = isPrivate && trace.output.length > 0 ? committedAnswer(whole) : openAnswer(trace.output);
  const quotes = new Quotes(order, isPrivate ? whole : undefined);
  for (const span of trace.spans) quotes.add(span);
  const claim = Claim.create({ spans: quotes.spans.sort(compareSpans) });
  const limits = { ...params, answerBytesMax: Number(params.answerBytesMax) };
  const problem = problemOfClaim({ answer, claim }, limits, (id) => quotes.sources.get(id)?.commitment);
  if (problem !== undefined) throw new LedgerError('attest.claim', `the claim is wrong: ${problem.detail}`);
  return { answer, claim };
}

class Quotes {
  readonly spans: QuotedSpan[] = [];
  readonly sources = new Map<bigint, ProvableContent>();
  readonly #order: QuotationOrder;
  readonly #answer: ProvableContent | undefined;
  #proofBytes = 0;

  constructor(order: QuotationOrder, answer: ProvableContent | undefined) {
    this.#order = order;
    this.#answer = answer;
  }

  /** Each contribution that holds the span is quoted once, where it holds it first by rank. */
  add(span: TracedSpan): void {
    const { corpus, isInScope, params } = this.#order;
    const length = span.byteEnd - span.byteStart;
    if (length < params.spanBytesMin || length > params.spanBytesMax) return;
    const quoted = new Set<bigint>();
    for (const { shard, position, index, document } of corpus.holdings(span.ranges)) {
      const { contributionId } = document;
      if (quoted.has(contributionId) || !isInScope(shard, index)) continue;
      quoted.add(contributionId);
      const source = this.#source(shard, index, contributionId);
      const sourceOffset = corpus.shard(shard).byteOffset(position);
      const quotation = { contributionId, source, answerOffset: span.byteStart, sourceOffset, length };
      this.#push(
        proveSpan(this.#answer === undefined ? quotation : { ...quotation, committedAnswer: this.#answer }),
      );
    }
  }

  #source(shard: number, document: number, id: bigint): ProvableContent {
    const known = this.sources.get(id);
    if (known !== undefined) return known;
    const source = provableContent(contentOf(this.#order.corpus.shard(shard), document));
    this.sources.set(id, source);
    return source;
  }

  /** Leaves out what no longer fits: spans come the rarest first. */
  #push(span: QuotedSpan): void {
    const { spansMax, proofBytesMax } = this.#order.params;
    const bytes = proofBytes(span);
    if (this.spans.length >= spansMax || this.#proofBytes + bytes > proofBytesMax) return;
    this.#proofBytes += bytes;
    this.spans.push(span);
  }
}

function proofBytes({ sourceProof, answerProof }: QuotedSpan): number {
  let bytes = 0;
  for (const proof of [sourceProof, answerProof])
    for (const part of [...(proof?.chunks ?? []), ...(proof?.hashes ?? [])]) bytes += part.length;
  return bytes;
}
