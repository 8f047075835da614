/** Receipts and totals: pure. */
import { Party } from '../../proto/gen/openledger/models/v1/models.ts';
import {
  type Payout,
  type Receipt,
  SplitAmounts,
  Totals,
} from '../../proto/gen/openledger/payments/v1/payments.ts';
import type { SplitParts } from './fee.ts';

/** True for what a contribution earned, not for what all of a Datanet's share. */
export function isContributor(payout: Payout): boolean {
  return payout.party === Party.PARTY_CONTRIBUTORS && payout.contributionId > 0n;
}

/** True for what is paid into pools: the model's part, and what contributors get that waits for no claim. */
export function isPooled({ party, claimId }: Payout): boolean {
  return party === Party.PARTY_MODEL || (party === Party.PARTY_CONTRIBUTORS && claimId === 0n);
}

/** Parts of a fee on the wire. */
export function splitToWire(parts: SplitParts): SplitAmounts {
  return {
    platform: parts.platform.toString(),
    model: parts.model.toString(),
    stakers: parts.stakers.toString(),
    contributors: parts.contributors.toString(),
  };
}

/** Parts of a fee from the wire. */
export function splitFromWire(split: SplitAmounts): SplitParts {
  return {
    platform: BigInt(split.platform),
    model: BigInt(split.model),
    stakers: BigInt(split.stakers),
    contributors: BigInt(split.contributors),
  };
}

/** Nothing paid yet. */
export function emptyTotals(denom: string): Totals {
  const split = { platform: '0', model: '0', stakers: '0', contributors: '0' };
  return Totals.create({ denom, fee: '0', split: SplitAmounts.create(split) });
}

/** Totals with one receipt more. */
export function addToTotals(totals: Totals, receipt: Receipt): Totals {
  const a = splitFromWire(totals.split);
  const b = splitFromWire(receipt.split);
  return {
    denom: totals.denom,
    fee: (BigInt(totals.fee) + BigInt(receipt.fee.amount)).toString(),
    split: splitToWire({
      platform: a.platform + b.platform,
      model: a.model + b.model,
      stakers: a.stakers + b.stakers,
      contributors: a.contributors + b.contributors,
    }),
    receipts: totals.receipts + 1n,
  };
}

/** What was given back of a receipt. */
export function refundedOf({ refunded }: Receipt): bigint {
  return refunded === '' ? 0n : BigInt(refunded);
}
