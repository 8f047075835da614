/**
 * Refunds. What a fee was divided into belongs to many by then, and stays theirs: whoever refunds pays out of
 * the own account, and the receipt says how much of it was given back.
 */
import { equalBytes } from '../../core/bytes.ts';
import type { AddressCodec } from '../../framework/address.ts';
import { parseCoin } from '../../framework/coins.ts';
import type { Context, ReadContext } from '../../framework/context.ts';
import { StateError } from '../../framework/errors.ts';
import type { Receipt } from '../../proto/gen/openledger/payments/v1/payments.ts';
import type { MsgRefundPayment } from '../../proto/gen/openledger/payments/v1/tx.ts';
import type { ModelView } from '../models/types.ts';
import { paymentErrors } from './errors.ts';
import { paymentRefunded } from './events.ts';
import type { Payments } from './keeper.ts';
import { refundedOf } from './receipts.ts';
import type { UserTransfers } from './user-transfers.ts';

/** What refunds need. */
export interface RefundPorts {
  readonly payments: Payments;
  readonly models: ModelView;
  readonly transfers: UserTransfers;
  readonly addresses: AddressCodec;
}

/** A refund that may be made: the receipt as it is and as it will be. */
export interface RefundPlan {
  readonly before: Receipt;
  readonly after: Receipt;
}

/** @throws StateError (payments 4, 23, 24, 25; bank 5, sdk 4 as a transfer) */
export function planRefund(
  { payments, models, transfers, addresses }: RefundPorts,
  context: ReadContext,
  { sender, receiptId, amount }: MsgRefundPayment,
): RefundPlan {
  const before = payments.receipt(context, receiptId);
  if (before === undefined)
    throw new StateError(paymentErrors.unknownReceipt, `there is no receipt ${receiptId}`);
  const { fee, payee, modelId, payer } = before;
  const by = addresses.toBytes(sender);
  const refunders = [payee, models.model(context, modelId)?.owner ?? ''].filter((text) => text !== '');
  if (!refunders.some((text) => equalBytes(addresses.toBytes(text), by)))
    throw new StateError(paymentErrors.notRefunder, `${sender} is neither for receipt ${receiptId}`);
  if (amount.denom !== fee.denom)
    throw new StateError(
      paymentErrors.wrongDenom,
      `receipt ${receiptId} is in ${fee.denom}, amount is in ${amount.denom}`,
    );
  const refunded = refundedOf(before) + BigInt(amount.amount);
  if (refunded > BigInt(fee.amount))
    throw new StateError(
      paymentErrors.refundAboveFee,
      `${refundedOf(before)} of ${fee.amount}${fee.denom} were refunded before`,
    );
  transfers.requireAllowed(context, { to: payer, coins: [parseCoin(amount)] });
  return { before, after: { ...before, refunded: refunded.toString() } };
}

/** Pays a planned refund and notes it in the receipt. @throws StateError (sdk 5) */
export function refund(
  { payments, transfers }: RefundPorts,
  context: Context,
  message: MsgRefundPayment,
  { before, after }: RefundPlan,
): void {
  const { sender: from, amount } = message;
  transfers.send(context, { from, to: before.payer, coins: [parseCoin(amount)] });
  payments.replace(context, before, after);
  context.emit(paymentRefunded(after, message));
}
