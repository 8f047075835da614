import { toHex } from '../../core/bytes.ts';
import { type Event, event } from '../../framework/events.ts';
import type {
  AuthorizationCancellation,
  TransferAuthorization,
} from '../../proto/gen/openledger/payments/v1/authorization.ts';
import type { Escrow, Hold, Payout, Receipt } from '../../proto/gen/openledger/payments/v1/payments.ts';
import type { MsgRefundPayment } from '../../proto/gen/openledger/payments/v1/tx.ts';

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

/** A relayer carried out an authorised transfer. */
export function transferAuthorized(authorization: TransferAuthorization, relayer: string): Event {
  const { from, to, amount, nonce, resourceHash } = authorization;
  return event('transfer_with_authorization', {
    from,
    to,
    amount: `${amount.amount}${amount.denom}`,
    nonce: toHex(nonce),
    resource_hash: toHex(resourceHash),
    relayer,
  });
}

/** An authorisation was taken back before it was carried out. */
export function authorizationCancelled({ from, nonce }: AuthorizationCancellation): Event {
  return event('cancel_authorization', { from, nonce: toHex(nonce) });
}

/** Money was put aside for a request. */
export function holdOpened(hold: Hold): Event {
  return event('hold_payment', {
    ...holdAttributes(hold),
    model_id: hold.modelId.toString(),
    expires: hold.expires.toString(),
  });
}

/** A payee took the price of the request. */
export function holdCaptured(hold: Hold, receipt: Receipt, returned: bigint): Event {
  return event('capture_hold', {
    ...holdAttributes(hold),
    receipt_id: receipt.id.toString(),
    fee: `${receipt.fee.amount}${receipt.fee.denom}`,
    returned: `${returned}${receipt.fee.denom}`,
  });
}

/** All of a hold went back to its payer. */
export function holdReturned(hold: Hold, reason: 'voided' | 'expired'): Event {
  return event('return_hold', { ...holdAttributes(hold), reason });
}

function holdAttributes({ id, payer, payee, requestHash, amount }: Hold): Readonly<Record<string, string>> {
  return {
    hold_id: id.toString(),
    payer,
    payee,
    request_hash: toHex(requestHash),
    amount: `${amount.amount}${amount.denom}`,
  };
}

/** A payer got a part of a fee back. */
export function paymentRefunded(receipt: Receipt, { sender, amount }: MsgRefundPayment): Event {
  return event('refund_payment', {
    receipt_id: receipt.id.toString(),
    sender,
    payer: receipt.payer,
    amount: `${amount.amount}${amount.denom}`,
    refunded: `${receipt.refunded}${amount.denom}`,
  });
}
