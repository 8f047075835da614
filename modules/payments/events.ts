import { toHex } from '../../core/bytes.ts';
import { type Event, event } from '../../framework/events.ts';
import type { Escrow, Payout, Receipt } from '../../proto/gen/openledger/payments/v1/payments.ts';

/** An inference was paid. */
export function inferencePaid(receipt: Receipt): Event {
  const { fee, split } = receipt;
  return event('pay_inference', {
    receipt_id: receipt.id.toString(),
    payer: receipt.payer,
    model_id: receipt.modelId.toString(),
    request_hash: toHex(receipt.requestHash),
    fee: `${fee.amount}${fee.denom}`,
    platform: split.platform,
    model: split.model,
    stakers: split.stakers,
    contributors: split.contributors,
    claim_id: receipt.claimId.toString(),
  });
}

/** A pending claim was decided, and what its payment held went to contributors or to pools. */
export function escrowSettled(receipt: Receipt, { claimId, amount }: Escrow, isFinal: boolean): Event {
  return event('settle_escrow', {
    receipt_id: receipt.id.toString(),
    claim_id: claimId.toString(),
    amount: `${amount.amount}${amount.denom}`,
    to: isFinal ? 'contributors' : 'pools',
  });
}

/** A contribution earned. */
export function contributorPaid(receipt: Receipt, payout: Payout): Event {
  return event('contributor_payout', {
    receipt_id: receipt.id.toString(),
    contribution_id: payout.contributionId.toString(),
    contributor: payout.recipient,
    amount: `${payout.amount}${receipt.fee.denom}`,
  });
}
