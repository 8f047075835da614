import { type Time, timeToNanos } from '../../consensus/types/time.ts';
import type { EvidenceState } from './ports.ts';

/**
 * Whether evidence of a height and time is too old to count: only when it is older than both limits. A chain
 * that stood still keeps its evidence, and so does one that made many blocks in a short time.
 * Source: CometBFT v0.38 `evidence/verify.go` (IsEvidenceExpired).
 */
export function isExpired(
  of: { readonly height: bigint; readonly time: Time },
  state: EvidenceState,
): boolean {
  const { maxAgeNumBlocks, maxAgeDuration } = state.consensusParams.evidence;
  const blocks = state.lastBlockHeight - of.height;
  const nanos = timeToNanos(state.lastBlockTime) - timeToNanos(of.time);
  return blocks > maxAgeNumBlocks && nanos > timeToNanos(maxAgeDuration);
}
