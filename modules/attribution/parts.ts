/** From the parts of a claim to shares: pure arithmetic, exact. */
import { apportion } from '../../core/apportion.ts';
import type { Share } from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import { bpsOf, type Part, type PartBps, PARTS } from './proof/policy.ts';
import type { Weight } from './weights.ts';

/** Units of a basis point: shares of a part differ from the exact ones by less than one unit. */
export const BPS_UNITS = 1_000_000_000_000n;

/** Units of a claim by a policy: all of them are somebody's or unattributed. */
export const POLICY_WEIGHT: bigint = 10_000n * BPS_UNITS;

/** Weights of the parts that a claim has, by owner, ascending, in units of each part's own. */
export type PartWeights = Readonly<Record<Part, readonly Weight[]>>;

/** Weight of parts that is nobody's who is paid: of influence, what a claim does not list. */
export type UnlistedWeights = Readonly<Partial<Record<Part, bigint>>>;

/** Shares by contribution, and what is nobody's because parts are missing. */
export interface CombinedShares {
  readonly shares: readonly Omit<Share, 'contributor'>[];
  readonly unattributed: bigint;
}

/**
 * Each part's weights, and what of it is unlisted, are scaled to its basis points by largest remainders, then
 * added by contribution. What is unlisted, and a part without weight, leave their units to nobody. Shares and
 * the rest add up to `POLICY_WEIGHT`.
 */
export function combineParts(
  policy: PartBps,
  parts: PartWeights,
  unlisted: UnlistedWeights = {},
): CombinedShares {
  const sums = new Map<bigint, Record<Part, bigint>>();
  let unattributed = 0n;
  for (const part of PARTS) {
    const units = BigInt(bpsOf(policy, part)) * BPS_UNITS;
    const weighty = parts[part].filter(({ weight }) => weight > 0n);
    if (weighty.length === 0) {
      unattributed += units;
      continue;
    }
    const rest = unlisted[part] ?? 0n;
    const scaled = apportion(units, [...weighty.map(({ weight }) => weight), rest]);
    unattributed += scaled.at(-1) ?? 0n;
    for (const [i, { owner }] of weighty.entries()) {
      const sum = sums.get(owner) ?? { token: 0n, influence: 0n, retrieval: 0n };
      sums.set(owner, { ...sum, [part]: sum[part] + (scaled[i] ?? 0n) });
    }
  }
  const shares = [...sums]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([contributionId, { token, influence, retrieval }]) => ({
      contributionId,
      weight: token + influence + retrieval,
      tokenWeight: token,
      influenceWeight: influence,
      retrievalWeight: retrieval,
    }));
  return { shares, unattributed };
}
