/** `--only trace`: what it costs to trace an output, at three sizes of the corpus. */
import { Corpus } from '../../attest/query/corpus.ts';
import type { ShardArrays } from '../../attest/shard.ts';
import { type Trace, traceOutput } from '../../attest/trace/trace.ts';
import { Random } from '../fuzz/random.ts';
import { percentile } from './percentile.ts';
import { megabytes, type Report } from './report.ts';
import { allMails, drawOutput, indexMails, type TraceMaterial } from './trace-material.ts';

/** Bytes of mails that are indexed: a tenth of all, what makes four million tokens, all. */
const SIZES: readonly number[] = [3_250_000, 10_500_000, Number.MAX_SAFE_INTEGER];
const OUTPUTS = 2_000;
/** Traced before, not counted: the code is compiled, the top of the searches is in memory. */
const WARM_OUTPUTS = 200;
/** Traces that are kept for counts, and for a scan for their spans: it takes longer. */
const KEPT_TRACES = 50;

/** What was measured at one size; times in milliseconds. */
export interface TraceFigures {
  readonly tokens: number;
  readonly documents: number;
  readonly p50: number;
  readonly p99: number;
  /** Of the process, an output's mean: what other processes on the cores do is not in it. */
  readonly cpu: number;
  readonly first: number;
  /** Entries of the suffix array that an output's trace reads, a mean; and without the table of searches. */
  readonly reads: number;
  readonly bareReads: number;
  readonly spans: number;
  readonly sources: number;
  /** A scan for the spans that the trace found: an output's mean. */
  readonly scan: number;
}

/** Traces 2,000 outputs at each size. */
export async function reportTrace(report: Report): Promise<readonly TraceFigures[]> {
  const mails = allMails();
  const measured = SIZES.map((bytes) => traceRows(report, indexMails(mails, bytes)));
  traceGrowth(report, measured);
  return measured;
}

/** Traces 2,000 outputs to one corpus. */
export function traceRows({ row, note }: Report, material: TraceMaterial): TraceFigures {
  note(`indexed ${megabytes(material.text.length)} MB: ${material.shard.tokens} tokens`);
  const figures = measure(material);
  const keys = { tokens: figures.tokens };
  const ms = (value: number): string => `${value.toFixed(2)} ms`;
  row('attest/trace/p50', keys, `${ms(figures.p50)} (aim 1 ms at 4 M)`);
  row('attest/trace/p99', keys, `${ms(figures.p99)} (aim 5 ms at 4 M)`);
  row(
    'attest/trace/cpu',
    keys,
    `${ms(figures.cpu)} of processor time an output, ${figures.reads.toFixed(0)} ranks read (${figures.bareReads.toFixed(0)} without a table)`,
  );
  row('attest/trace/first', keys, `${ms(figures.first)} (the first of the process or of its corpus)`);
  row(
    'attest/trace/found',
    keys,
    `${figures.spans.toFixed(1)} spans, ${figures.sources.toFixed(1)} documents`,
  );
  row(
    'attest/trace/scan',
    keys,
    `${ms(figures.scan)} for \`indexOf\` of only the spans that were found (${(figures.scan / figures.p50).toFixed(0)} times p50)`,
  );
  return figures;
}

/** How figures grow from the smallest corpus to the largest. */
export function traceGrowth({ row }: Report, measured: readonly TraceFigures[]): void {
  const [small, large] = [measured[0], measured.at(-1)];
  if (small !== undefined && large !== undefined)
    row(
      'attest/trace/growth',
      { tokens: `${(large.tokens / small.tokens).toFixed(1)}x` },
      `ranks read without a table ${(large.bareReads / small.bareReads).toFixed(2)} times, log2(tokens) ` +
        `${(Math.log2(large.tokens) / Math.log2(small.tokens)).toFixed(2)} times; p50 ${(large.p50 / small.p50).toFixed(2)} ` +
        'times (of which caches are a part: a larger array is in fewer of them)',
    );
}

function measure(material: TraceMaterial): TraceFigures {
  const corpus = new Corpus([material.shard]);
  const random = new Random(1);
  const outputs = Array.from({ length: WARM_OUTPUTS + OUTPUTS }, () => drawOutput(material, random));
  const times: number[] = [];
  const traces: Trace[] = [];
  let cpuBefore = process.cpuUsage();
  for (const [i, output] of outputs.entries()) {
    if (i === WARM_OUTPUTS) cpuBefore = process.cpuUsage();
    const start = performance.now();
    const trace = traceOutput(output, corpus);
    times.push(performance.now() - start);
    if (i >= WARM_OUTPUTS && traces.length < KEPT_TRACES) traces.push(trace);
  }
  const { user, system } = process.cpuUsage(cpuBefore);
  const counted = times.slice(WARM_OUTPUTS);
  const mean = (of: (trace: Trace) => number): number =>
    traces.reduce((sum, trace) => sum + of(trace), 0) / traces.length;
  return {
    tokens: material.shard.tokens,
    documents: material.shard.documents,
    p50: percentile(counted, 0.5),
    p99: percentile(counted, 0.99),
    cpu: (user + system) / 1_000 / OUTPUTS,
    first: times[0] ?? Number.NaN,
    reads: ranksRead(material, outputs),
    bareReads: ranksRead(material, outputs, 1),
    spans: mean(({ spans }) => spans.length),
    sources: mean(({ documents }) => documents.length),
    scan: mean((trace) => scanMs(material.text, trace)),
  };
}

/** The reads of a corpus whose table of searches is filled, as after the warm outputs. */
function ranksRead({ shard }: TraceMaterial, outputs: readonly Uint8Array[], samples?: number): number {
  let reads = 0;
  const counting: ShardArrays = {
    tokens: shard.tokens,
    documents: shard.documents,
    token: (position) => shard.token(position),
    suffix: (rank) => {
      reads++;
      return shard.suffix(rank);
    },
    rank: (position) => shard.rank(position),
    documentAt: (position) => shard.documentAt(position),
    document: (index) => shard.document(index),
    byteOffset: (position) => shard.byteOffset(position),
  };
  const corpus = new Corpus([counting], samples === undefined ? {} : { samples });
  for (const output of outputs.slice(0, 2 * WARM_OUTPUTS)) traceOutput(output, corpus);
  reads = 0;
  for (const output of outputs.slice(2 * WARM_OUTPUTS, 3 * WARM_OUTPUTS)) traceOutput(output, corpus);
  return reads / WARM_OUTPUTS;
}

/** Time to find the spans of a trace, which are known, by looking through the text. */
function scanMs(text: Buffer, { output, spans }: Trace): number {
  const start = performance.now();
  for (const { byteStart, byteEnd } of spans) {
    if (text.indexOf(output.subarray(byteStart, byteEnd)) < 0) throw new Error('a span is not in the text');
  }
  return performance.now() - start;
}
