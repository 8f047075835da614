/**
 * What the spans of an output are worth to those who hold them. Unit: a bit / 2^16.
 *
 * 1. Each token counts once: its surprisal is worth to the rarest of the spans that hold it (`spanWeights`).
 * 2. What many hold tells less of where it came from: bits · log2(total / count) / log2(total), rounded down
 *    A passage that occurs once keeps all; ten times, in four million tokens, 85 %.
 * 3. The canonical contributions that hold a span share it equally; units that are left go to the first of
 *    them (`splitEqually`).
 * 4. A payment divides by the sums, by largest remainders (core/apportion.ts).
 */
import { assert } from '../../../../core/errors.ts';
import { log2Q16, surprisalQ16 } from './fixed-log.ts';
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

/**
 * For each span the surprisals of its tokens that no span before it has.
 * @param spans the rarest first
 */
function ownBits(spans: readonly Span[], surprisals: Uint32Array): readonly number[] {
  const taken = new Uint8Array(surprisals.length);
  return spans.map(({ start, end }) => {
    let bits = 0;
    for (let at = start; at < end; at++) {
      if (taken[at] === 0) bits += surprisals[at] ?? 0;
      taken[at] = 1;
    }
    return bits;
  });
}

/** The worth of bits that occur `count` times in `total` tokens. */
function spanWeight(bits: number, corpus: { readonly total: number; readonly count: number }): bigint {
  const { total, count } = corpus;
  assert(total > 1, 'a corpus with a passage has two tokens', { total });
  return (BigInt(bits) * BigInt(surprisalQ16(total, count))) / BigInt(log2Q16(total));
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

/**
 * Weights of the spans of an output; 0 for one without holders, whose tokens go to the next span that has
 * them.
 * @param spans the rarest first
 */
export function spanWeights(
  spans: readonly HeldSpan[],
  surprisals: Uint32Array,
  total: number,
): readonly bigint[] {
  const bits = ownBits(
    spans.filter(({ holders }) => holders.length > 0),
    surprisals,
  );
  let held = 0;
  return spans.map(({ holders, count }) =>
    holders.length === 0 ? 0n : spanWeight(bits[held++] ?? 0, { total, count }),
  );
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
