/**
 * Shares of an answer. Each byte of the answer that is quoted counts once: when several contributions hold
 * it, it is divided equally among them. Weights are integers, because the unit is 1/720720 byte and 720720
 * is divisible by every number up to 16.
 */

/** Weight of one byte that a single contribution covers: the least common multiple of 1 … 16. */
export const BYTE_WEIGHT = 720_720n;

/** Most contributions that may cover one byte of an answer. */
export const OVERLAP_MAX = 16;

/** A quoted run of answer bytes and the contribution that it is counted for. */
export interface CoveredSpan {
  readonly owner: bigint;
  readonly start: number;
  /** Exclusive. */
  readonly end: number;
}

/** What one contribution covers, in units of 1/720720 byte. */
export interface Weight {
  readonly owner: bigint;
  readonly weight: bigint;
}

/**
 * Weights by owner, ascending. Undefined when more than `OVERLAP_MAX` owners cover one byte. The sum is the
 * number of distinct bytes covered, times `BYTE_WEIGHT`.
 */
export function coverageWeights(spans: readonly CoveredSpan[]): readonly Weight[] | undefined {
  const weights = new Map<bigint, bigint>();
  const bounds = [...new Set(spans.flatMap((span) => [span.start, span.end]))].sort((a, b) => a - b);
  for (const [i, start] of bounds.entries()) {
    const end = bounds[i + 1];
    if (end === undefined) break;
    const owners = ownersOf(spans, start, end);
    if (owners.size > OVERLAP_MAX) return undefined;
    if (owners.size === 0) continue;
    const each = (BigInt(end - start) * BYTE_WEIGHT) / BigInt(owners.size);
    for (const owner of owners) weights.set(owner, (weights.get(owner) ?? 0n) + each);
  }
  return [...weights]
    .map(([owner, weight]) => ({ owner, weight }))
    .sort((a, b) => (a.owner < b.owner ? -1 : 1));
}

function ownersOf(spans: readonly CoveredSpan[], start: number, end: number): ReadonlySet<bigint> {
  const owners = new Set<bigint>();
  for (const span of spans) if (span.start <= start && end <= span.end) owners.add(span.owner);
  return owners;
}
