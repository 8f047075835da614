/** A trace in words and numbers to be read: what the terminal, the page and `--json` show. */
import { apportion } from '../../core/apportion.ts';
import { toHex } from '../../core/bytes.ts';
import { Q16 } from '../../modules/attribution/proof/trace/fixed-log.ts';
import { detokenise } from '../../modules/attribution/proof/tokenise.ts';
import type { TracedDocument } from './documents.ts';
import type { Trace, TracedSpan } from './trace.ts';

/** A passage of the output that the corpus holds. */
export interface ReportSpan {
  /** From 1, the rarest first. */
  readonly number: number;
  readonly text: string;
  /** Of the output, in bytes and in tokens; the end is exclusive. */
  readonly bytes: readonly [start: number, end: number];
  readonly tokens: readonly [start: number, end: number];
  readonly count: number;
  readonly surprisal_bits: number;
  /** Of all weight, in basis points. */
  readonly share_bps: number;
  /** Contribution ids; empty when all who held it are withdrawn. */
  readonly holders: readonly string[];
}

/** A document that holds passages. */
export interface ReportDocument {
  readonly contribution_id: string;
  /** Other contributions with the same content. */
  readonly copies: readonly string[];
  readonly contributor: string;
  /** What the caller calls it, if anything. */
  readonly title: string;
  /** BM25, in bits. */
  readonly score: number;
  /** Numbers of the spans that it holds. */
  readonly spans: readonly number[];
  /** Of all weight, in basis points. */
  readonly share_bps: number;
  /** Where the passage's quotation stands in the content, in bytes. */
  readonly byte_offset: number;
  readonly byte_length: number;
  readonly passage: { readonly before: string; readonly quote: string; readonly after: string };
}

/** A contributor and what part of the weight is for his contributions. */
export interface ReportContributor {
  readonly contributor: string;
  readonly contribution_ids: readonly string[];
  readonly share_bps: number;
  /** Tokens in Q16, exact. */
  readonly weight: string;
}

/** A run of the output and the numbers of the spans over it. */
export interface ReportSegment {
  readonly text: string;
  readonly spans: readonly number[];
}

/** A trace to be read. */
export interface TraceReport {
  readonly output: {
    readonly bytes: number;
    readonly tokens: number;
    readonly segments: readonly ReportSegment[];
  };
  readonly corpus: { readonly tokens: number; readonly documents: number };
  /** Part of the output's bytes that some span covers, in basis points. */
  readonly covered_bps: number;
  readonly spans: readonly ReportSpan[];
  readonly documents: readonly ReportDocument[];
  readonly contributors: readonly ReportContributor[];
  /** Sum of all weights, tokens in Q16. */
  readonly weight: string;
}

/** Names for what a trace has ids of. */
export interface ReportNames {
  /** Text of an address; default: hexadecimal. */
  readonly addressOf?: (address: Uint8Array) => string;
  /** Title of a contribution; default: none. */
  readonly titleOf?: (contributionId: bigint) => string | undefined;
  /** Documents of the corpus. */
  readonly documents: number;
}

const BPS_WHOLE = 10_000n;

/** The report of a trace. */
export function reportOf(trace: Trace, names: ReportNames): TraceReport {
  const { spans, documents, contributions, contributors } = trace;
  const spanBps = basisPoints(spans);
  const contributionBps = basisPoints(contributions);
  const bpsOf = new Map(
    contributions.map(({ contributionId }, i) => [contributionId, contributionBps[i] ?? 0]),
  );
  const contributorBps = basisPoints(contributors);
  const { addressOf = toHex } = names;
  return {
    output: { bytes: trace.output.length, tokens: trace.outputTokens.length, segments: segmentsOf(trace) },
    corpus: { tokens: trace.corpusTokens, documents: names.documents },
    covered_bps: coveredBps(trace),
    spans: spans.map((span, i) => reportSpan(trace, span, { number: i + 1, bps: spanBps[i] ?? 0 })),
    documents: documents.map((document) => ({
      ...reportDocument(document, names),
      share_bps: bpsOf.get(document.contributionId) ?? 0,
    })),
    contributors: contributors.map(({ contributor, contributionIds, weight }, i) => ({
      contributor: addressOf(contributor),
      contribution_ids: contributionIds.map(String),
      share_bps: contributorBps[i] ?? 0,
      weight: `${weight}`,
    })),
    weight: `${trace.weight}`,
  };
}

/** Shares in basis points that add up to the whole; zeros when nothing weighs anything. */
function basisPoints(parts: readonly { readonly weight: bigint }[]): readonly number[] {
  const weights = parts.map(({ weight }) => weight);
  if (weights.every((weight) => weight === 0n)) return weights.map(() => 0);
  return apportion(BPS_WHOLE, weights).map(Number);
}

function reportSpan(
  trace: Trace,
  span: TracedSpan,
  { number, bps }: { readonly number: number; readonly bps: number },
): ReportSpan {
  return {
    number,
    text: textOf(trace.output.subarray(span.byteStart, span.byteEnd)),
    bytes: [span.byteStart, span.byteEnd],
    tokens: [span.start, span.end],
    count: span.count,
    surprisal_bits: bitsOf(span.surprisal),
    share_bps: bps,
    holders: span.holders.map(String),
  };
}

function reportDocument(document: TracedDocument, names: ReportNames): Omit<ReportDocument, 'share_bps'> {
  const { addressOf = toHex, titleOf = () => undefined } = names;
  const { tokens, quoteStart, quoteEnd, byteOffset } = document.passage;
  return {
    contribution_id: `${document.contributionId}`,
    copies: document.copies.map(String),
    contributor: addressOf(document.contributor),
    title: titleOf(document.contributionId) ?? '',
    score: bitsOf(document.score),
    spans: document.spans.map((index) => index + 1),
    byte_offset: byteOffset,
    byte_length: document.byteLength,
    passage: {
      before: textOf(detokenise(tokens.subarray(0, quoteStart))),
      quote: textOf(detokenise(tokens.subarray(quoteStart, quoteEnd))),
      after: textOf(detokenise(tokens.subarray(quoteEnd))),
    },
  };
}

/** Q16 to a number with one decimal. */
function bitsOf(q16: number): number {
  return Math.round((10 * q16) / Q16) / 10;
}

/** Tokens hold whole characters, so that a cut between two of them is none within a character. */
function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

/** The output cut wherever a span begins or ends. */
function segmentsOf({ output, spans }: Trace): readonly ReportSegment[] {
  const bounds = new Set([
    0,
    output.length,
    ...spans.flatMap(({ byteStart, byteEnd }) => [byteStart, byteEnd]),
  ]);
  const sorted = [...bounds].sort((a, b) => a - b);
  return sorted.slice(0, -1).map((start, i) => {
    const end = sorted[i + 1] ?? output.length;
    const over = [...spans.entries()].filter(([, span]) => span.byteStart <= start && end <= span.byteEnd);
    return { text: textOf(output.subarray(start, end)), spans: over.map(([index]) => index + 1) };
  });
}

function coveredBps({ output, spans }: Trace): number {
  const covered = new Uint8Array(output.length);
  for (const { byteStart, byteEnd } of spans) covered.fill(1, byteStart, byteEnd);
  const bytes = covered.reduce((sum, each) => sum + each, 0);
  return output.length === 0 ? 0 : Math.floor((10_000 * bytes) / output.length);
}

/** `1 document`, `2,896 documents`. */
export function counted(count: number, noun: string): string {
  return `${count.toLocaleString('en-US')} ${noun}${count === 1 ? '' : 's'}`;
}

/** Basis points as per cent with two decimals. */
export function percentOf(bps: number): string {
  return `${(bps / 100).toFixed(2)} %`;
}

/** What a document is called. */
export function headingOf({ contribution_id, title }: ReportDocument): string {
  return title === '' ? `contribution ${contribution_id}` : `#${contribution_id} ${title}`;
}
