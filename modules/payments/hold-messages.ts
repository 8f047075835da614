/** Messages about holds. */
import { coinToWire, type Coin } from '../../framework/coins.ts';
import { type MessageHandler, type MessageRoute, messageRoute } from '../../framework/message.ts';
import type { Hold } from '../../proto/gen/openledger/payments/v1/payments.ts';
import * as wire from '../../proto/gen/openledger/payments/v1/tx.ts';
import type { PaymentCore } from './core.ts';
import { paymentErrors } from './errors.ts';
import { holdCaptured } from './events.ts';
import type { HoldPlan } from './holds.ts';
import { requireHash, requirePositive, validateUsage } from './shapes.ts';
import type { PaymentPlan } from './types.ts';

/** See the file comment. */
export function holdMessages(core: PaymentCore): readonly MessageRoute[] {
  return [
    messageRoute(holdPayment(core)),
    messageRoute(captureHold(core)),
    messageRoute(voidHold(core)),
    messageRoute(reclaimHold(core)),
  ];
}

function holdPayment({
  holds,
  addresses,
}: PaymentCore): MessageHandler<wire.MsgHoldPayment, wire.MsgHoldPaymentResponse, HoldPlan> {
  return {
    type: wire.MsgHoldPayment,
    response: wire.MsgHoldPaymentResponse,
    signers: ({ payer }) => [payer],
    validate({ payee, requestHash, amount }) {
      if (payee !== '') addresses.toBytes(payee);
      requireHash('request_hash', requestHash, paymentErrors.invalidHold);
      requirePositive('amount', amount, paymentErrors.invalidHold);
    },
    check: (context, message) => holds.plan(context, message),
    execute: (context, _, plan) => ({ holdId: holds.open(context, plan).id }),
  };
}

interface Capture {
  readonly hold: Hold;
  readonly payment: wire.MsgPayInference;
  readonly plan: PaymentPlan;
}

function captureHold({
  holds,
  payments,
  attribution,
}: PaymentCore): MessageHandler<wire.MsgCaptureHold, wire.MsgCaptureHoldResponse, Capture> {
  return {
    type: wire.MsgCaptureHold,
    response: wire.MsgCaptureHoldResponse,
    signers: ({ payee }) => [payee],
    validate(message) {
      validateUsage(message);
      attribution.validate(message);
    },
    check(context, message) {
      const hold = holds.requireOf(context, message.holdId, message.payee);
      holds.requireOpen(context, hold);
      const payment = paymentOf(hold, message);
      const plan = payments.plan(context, payment, { payee: hold.payee, hold });
      return { hold, payment, plan };
    },
    execute(context, _, { hold, payment, plan }) {
      holds.close(context, hold);
      const receipt = payments.settle(context, payment, plan);
      const { denom, amount } = plan.fee;
      const returned: Coin = { denom, amount: BigInt(hold.amount.amount) - amount };
      holds.returnRest(context, hold, returned);
      context.emit(holdCaptured(hold, receipt, returned.amount));
      const { id: receiptId, fee, split } = receipt;
      return { receiptId, fee, split, returned: coinToWire(returned) };
    },
  };
}

/** The payment of which the hold is the highest fee. */
function paymentOf(
  { payer, modelId, requestHash, amount: maxFee }: Hold,
  { tokensIn, tokensOut, answer, claim, claimId }: wire.MsgCaptureHold,
): wire.MsgPayInference {
  return { payer, modelId, requestHash, tokensIn, tokensOut, answer, claim, maxFee, claimId };
}

function voidHold({ holds }: PaymentCore): MessageHandler<wire.MsgVoidHold, wire.MsgVoidHoldResponse, Hold> {
  return {
    type: wire.MsgVoidHold,
    response: wire.MsgVoidHoldResponse,
    signers: ({ payee }) => [payee],
    validate: () => undefined,
    check: (context, { holdId, payee }) => holds.requireOf(context, holdId, payee),
    execute(context, _, hold) {
      holds.giveBack(context, hold, 'voided');
      return {};
    },
  };
}

function reclaimHold({
  holds,
}: PaymentCore): MessageHandler<wire.MsgReclaimHold, wire.MsgReclaimHoldResponse, Hold> {
  return {
    type: wire.MsgReclaimHold,
    response: wire.MsgReclaimHoldResponse,
    signers: ({ sender }) => [sender],
    validate: () => undefined,
    check(context, { holdId }) {
      const hold = holds.require(context, holdId);
      holds.requireExpired(context, hold);
      return hold;
    },
    execute(context, _, hold) {
      holds.giveBack(context, hold, 'expired');
      return {};
    },
  };
}
