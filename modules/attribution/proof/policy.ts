/** The parts of a claim, and what a model's policy pays for each. */
import type { AttributionPolicy } from '../../../proto/gen/openledger/models/v1/models.ts';

/** A part of a claim. */
export type Part = 'token' | 'influence' | 'retrieval';

/** Parts in the order of the policy. */
export const PARTS: readonly Part[] = ['token', 'influence', 'retrieval'];

/** How a policy divides. */
export type PartBps = Omit<AttributionPolicy, 'bondedClaimsOnly'>;

/** Basis points of a part. */
export function bpsOf(policy: PartBps, part: Part): number {
  switch (part) {
    case 'token':
      return policy.tokenBps;
    case 'influence':
      return policy.influenceBps;
    case 'retrieval':
      return policy.retrievalBps;
  }
}
