/** Claims of attribution that receipts of an epoch may rest on. */
import type { ReadContext } from '../../framework/context.ts';
import { ClaimState } from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import { PlaceKind } from '../../proto/gen/openledger/settlement/v1/epoch.ts';
import type { SettlementCore } from './core.ts';
import type { FinalClaim } from './proof/chain.ts';
import { comparePlaces } from './proof/leaves.ts';

/** Verified in the payment that carried it, or before; or optimistic, and its window has closed. */
const STANDING: ReadonlySet<ClaimState> = new Set([
  ClaimState.CLAIM_STATE_UNSPECIFIED,
  ClaimState.CLAIM_STATE_VERIFIED,
  ClaimState.CLAIM_STATE_FINAL,
]);

/** A claim that a payment follows, so that it stays; undefined of any other. */
export function finalClaim(
  k: Pick<SettlementCore, 'attribution' | 'datanets'>,
  context: ReadContext,
  id: bigint,
): FinalClaim | undefined {
  const claim = k.attribution.claim(context, id);
  if (claim === undefined || claim.receiptId === 0n) return undefined;
  const { state, modelId, answerRoot, unattributedWeight: unattributed } = claim;
  if (!STANDING.has(state)) return undefined;
  const entries = claim.shares.flatMap(({ contributionId, weight }) => {
    const contribution = k.datanets.contribution(context, contributionId);
    if (contribution === undefined) return [];
    const { datanetId, position } = contribution;
    const place = {
      kind: PlaceKind.PLACE_KIND_DATANET,
      id: datanetId,
      level: 0,
      index: Number(position),
    };
    return [{ place, weight }];
  });
  entries.sort((a, b) => comparePlaces(a.place, b.place));
  return { modelId, answerRoot, weights: { entries, unattributed } };
}
