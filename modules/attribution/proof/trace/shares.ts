/**
 * What the spans of an output are worth to those who hold them. Unit: a token / 2^16. A chain pays by these,
 * so they hang on nothing but what a claim states: spans, counts, holders.
 *
 * 1. Each token of a span counts one. Spans are disjoint, so each counts once.
 * 2. What many hold tells less of where it came from: tokens · log2(total / count) / log2(total), rounded
 *    down. A passage that occurs once keeps all; ten times, in four million tokens, 85 %.
 * 3. The canonical contributions that hold a span share it equally; units that are left go to the first of
 *    them (`splitEqually`).
 * 4. A payment divides by the sums, by largest remainders (core/apportion.ts).
 */
import { assert } from '../../../../core/errors.ts';
import { log2Q16, Q16, surprisalQ16 } from './fixed-log.ts';
import type { Span } from './spans.ts';

/** What a contribution is worth to an output. */
export interface TraceWeight {
  /** The canonical contribution: the first with its content. */
  readonly contributionId: bigint;
  readonly weight: bigint;
}

/** A span, and the canonical contributions that hold it: ascending, each once, none left out. */
export interface HeldSpan extends Span {
  readonly holders: readonly bigint[];
}

/** The worth of a span of a corpus of `total` tokens. */
function spanWeight({ start, end, count }: Span, total: number): bigint {
  assert(total > 1, 'a corpus with a passage has two tokens', { total });
  return (BigInt((end - start) * Q16) * BigInt(surprisalQ16(total, count))) / BigInt(log2Q16(total));
}

/**
 * Equal parts that add up, for owners in ascending order; the first ones get a unit more where it does not
 * divide.
 */
export function splitEqually(weight: bigint, owners: readonly bigint[]): readonly TraceWeight[] {
  const parts = BigInt(owners.length);
  if (parts === 0n) return [];
  const each = weight / parts;
  const more = Number(weight % parts);
  return owners.map((contributionId, i) => ({ contributionId, weight: i < more ? each + 1n : each }));
}

/** Weights of disjoint spans of an output; 0 for one without holders. */
export function spanWeights(spans: readonly HeldSpan[], total: number): readonly bigint[] {
  return spans.map((span) => (span.holders.length === 0 ? 0n : spanWeight(span, total)));
}

/**
 * Weights of the contributions that hold the spans of an output, by contribution: they add up to the spans'.
 */
export function traceWeights(spans: readonly HeldSpan[], weights: readonly bigint[]): readonly TraceWeight[] {
  const sums = new Map<bigint, bigint>();
  for (const [i, { holders }] of spans.entries()) {
    for (const part of splitEqually(weights[i] ?? 0n, holders))
      sums.set(part.contributionId, (sums.get(part.contributionId) ?? 0n) + part.weight);
  }
  return [...sums]
    .map(([contributionId, weight]) => ({ contributionId, weight }))
    .filter(({ weight }) => weight > 0n)
    .sort((a, b) => (a.contributionId < b.contributionId ? -1 : 1));
}
