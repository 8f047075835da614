import { type MessageHandler, type MessageRoute, messageRoute } from '../../framework/message.ts';
import { paramsMessage } from '../../framework/params-message.ts';
import * as wire from '../../proto/gen/openledger/payments/v1/tx.ts';
import { authorizationMessages } from './authorization-messages.ts';
import type { PaymentCore } from './core.ts';
import { paymentErrors } from './errors.ts';
import { holdMessages } from './hold-messages.ts';
import { validateParams } from './params.ts';
import { planRefund, type RefundPlan, refund } from './refunds.ts';
import { requireCoin, requireHash, requirePositive, validateUsage } from './shapes.ts';
import type { PaymentPlan } from './types.ts';

/** `openledger.payments.v1.Msg`. */
export function paymentMessages(core: PaymentCore): readonly MessageRoute[] {
  return [
    messageRoute(payInference(core)),
    ...authorizationMessages(core),
    ...holdMessages(core),
    messageRoute(refundPayment(core)),
    paramsMessage(wire, {
      addresses: core.addresses,
      validate: validateParams,
      set: (context, params) => core.state.params.set(context, params),
    }),
  ];
}

function payInference({
  payments,
  attribution,
}: PaymentCore): MessageHandler<wire.MsgPayInference, wire.MsgPayInferenceResponse, PaymentPlan> {
  return {
    type: wire.MsgPayInference,
    response: wire.MsgPayInferenceResponse,
    signers: (message) => [message.payer],
    validate(message) {
      requireHash('request_hash', message.requestHash, paymentErrors.invalidPayment);
      requireCoin('max_fee', message.maxFee, paymentErrors.invalidPayment);
      validateUsage(message);
      attribution.validate(message);
    },
    check: (context, message) => payments.plan(context, message),
    execute(context, message, plan) {
      const { id, fee, split } = payments.settle(context, message, plan);
      return { receiptId: id, fee, split };
    },
  };
}

function refundPayment({
  refunds,
}: PaymentCore): MessageHandler<wire.MsgRefundPayment, wire.MsgRefundPaymentResponse, RefundPlan> {
  return {
    type: wire.MsgRefundPayment,
    response: wire.MsgRefundPaymentResponse,
    signers: ({ sender }) => [sender],
    validate: ({ amount }) => requirePositive('amount', amount, paymentErrors.invalidPayment),
    check: (context, message) => planRefund(refunds, context, message),
    execute(context, message, plan) {
      refund(refunds, context, message, plan);
      return { refunded: plan.after.refunded };
    },
  };
}
