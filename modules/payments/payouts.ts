/** From the parts of a fee to who gets what: pure. */
import { apportion } from '../../core/apportion.ts';
import { Party } from '../../proto/gen/openledger/models/v1/models.ts';
import { Payout } from '../../proto/gen/openledger/payments/v1/payments.ts';
import type { SplitParts } from './fee.ts';
import type { VerifiedClaim } from '../attribution/types.ts';
import type { PaymentPlan, SnapshotWeight } from './types.ts';

/** Those of a snapshot as recipients: weights divide what is left unattributed. */
export interface PoolShare extends SnapshotWeight {
  /** Account that holds what is paid to them; the residual party's when the pool has nobody of them to pay. */
  readonly recipient: string;
}

/** What the contributors' part is divided by: the shares of a claim, and what is nobody's. */
export type ClaimWeights = Pick<VerifiedClaim, 'shares' | 'unattributedWeight'>;

/** Who stands behind the parties of a payment. Addresses are text. */
export interface Recipients {
  readonly platform: string;
  readonly stakers: string;
  /** Holds what waits for a pending claim. */
  readonly escrow: string;
  /** Account that holds the model's part for its lineage; the residual party's when its pool is closed. */
  readonly model: string;
  /** Where an unattributed contributors' part goes; empty for a model without snapshots. */
  readonly poolShares: readonly PoolShare[];
  /** The pending claim that the contributors' part waits for; 0 when it waits for none. */
  readonly pendingClaimId: bigint;
}

/**
 * Every payout of a payment: platform, model (its pool divides that among its lineage), stakers,
 * contributors. Rows of zero are left out; the rows add up to the fee. The contributors' part follows the
 * claim's weights by largest remainders; without a claim it goes to those of the model's snapshots.
 */
export function payoutsOf(
  plan: Pick<PaymentPlan, 'parts' | 'model' | 'claim'>,
  recipients: Recipients,
): readonly Payout[] {
  const { parts, model } = plan;
  const rows: Payout[] = [
    row(Party.PARTY_PLATFORM, recipients.platform, parts.platform),
    row(Party.PARTY_MODEL, recipients.model, parts.model, { modelId: model.id }),
    row(Party.PARTY_STAKERS, recipients.stakers, parts.stakers),
    ...waitingOrPaid(plan.claim, parts.contributors, recipients),
  ];
  return rows.filter(({ amount }) => amount !== '0');
}

function waitingOrPaid(
  claim: ClaimWeights | undefined,
  amount: bigint,
  recipients: Recipients,
): readonly Payout[] {
  const { escrow, poolShares, pendingClaimId: claimId } = recipients;
  if (claimId === 0n) return contributorRows(claim, amount, poolShares);
  return [row(Party.PARTY_CONTRIBUTORS, escrow, amount, { claimId })];
}

/**
 * The contributors' part: by the weights of a claim, what is nobody's and all of it without a claim to the
 * pools. Largest remainders twice; rows of zero are left out.
 */
export function contributorRows(
  claim: ClaimWeights | undefined,
  amount: bigint,
  poolShares: readonly PoolShare[],
): readonly Payout[] {
  if (amount === 0n) return [];
  const { shares, unattributedWeight } = claim ?? { shares: [], unattributedWeight: 1n };
  const amounts = apportion(amount, [...shares.map(({ weight }) => weight), unattributedWeight]);
  const paid = shares.map(({ contributor, contributionId }, i) =>
    row(Party.PARTY_CONTRIBUTORS, contributor, amounts[i] ?? 0n, { contributionId }),
  );
  const left = amounts.at(-1) ?? 0n;
  return [...paid, ...(left === 0n ? [] : poolRows(left, poolShares))].filter(
    (payout) => payout.amount !== '0',
  );
}

function poolRows(amount: bigint, poolShares: readonly PoolShare[]): readonly Payout[] {
  const amounts = apportion(
    amount,
    poolShares.map(({ weight }) => weight),
  );
  return poolShares.map(({ datanetId, positions, recipient }, i) =>
    row(Party.PARTY_CONTRIBUTORS, recipient, amounts[i] ?? 0n, { datanetId, positions }),
  );
}

function row(party: Party, recipient: string, amount: bigint, of: Partial<Payout> = {}): Payout {
  return Payout.create({ ...of, party, recipient, amount: amount.toString() });
}

/**
 * A model without snapshots has nobody to attribute to: its contributors' part goes to the residual party,
 * or to the platform when the contributors are that.
 */
export function withoutContributors(parts: SplitParts, residual: Party): SplitParts {
  const freed = { ...parts, contributors: 0n };
  switch (residual) {
    case Party.PARTY_MODEL:
      return { ...freed, model: parts.model + parts.contributors };
    case Party.PARTY_STAKERS:
      return { ...freed, stakers: parts.stakers + parts.contributors };
    default:
      return { ...freed, platform: parts.platform + parts.contributors };
  }
}
