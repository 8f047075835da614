import { toHex } from '../../core/bytes.ts';
import { type Event, event } from '../../framework/events.ts';
import type { ClaimRecord } from '../../proto/gen/openledger/attribution/v1/attribution.ts';

/** A claim was verified and kept. */
export function claimVerified(claim: ClaimRecord): Event {
  return event('verify_claim', {
    claim_id: claim.id.toString(),
    model_id: claim.modelId.toString(),
    claim_hash: toHex(claim.claimHash),
    spans: claim.spans.length.toString(),
    contribution_ids: claim.shares.map(({ contributionId }) => contributionId).join(','),
  });
}
