import { HASH_BYTES } from '../../core/hash.ts';
import type { AddressCodec } from '../../framework/address.ts';
import { isDenom } from '../../framework/coins.ts';
import { StateError } from '../../framework/errors.ts';
import { type MessageHandler, type MessageRoute, messageRoute } from '../../framework/message.ts';
import { paramsMessage } from '../../framework/params-message.ts';
import * as wire from '../../proto/gen/openledger/payments/v1/tx.ts';
import type { AttributionVerifier } from '../attribution/types.ts';
import { paymentErrors } from './errors.ts';
import type { Payments } from './keeper.ts';
import { validateParams } from './params.ts';
import type { PaymentState } from './state.ts';
import type { PaymentPlan } from './types.ts';

const AMOUNT = /^(?:0|[1-9][0-9]{0,76})$/;

/** What the messages work with. */
export interface PaymentMessagePorts {
  readonly payments: Payments;
  readonly attribution: AttributionVerifier;
  readonly state: PaymentState;
  readonly addresses: AddressCodec;
}

/** `openledger.payments.v1.Msg`. */
export function paymentMessages(ports: PaymentMessagePorts): readonly MessageRoute[] {
  return [
    messageRoute(payInference(ports)),
    paramsMessage({
      type: wire.MsgUpdateParams,
      response: wire.MsgUpdateParamsResponse,
      addresses: ports.addresses,
      validate: validateParams,
      set: (context, params) => ports.state.params.set(context, params),
    }),
  ];
}

function payInference({
  payments,
  attribution,
}: PaymentMessagePorts): MessageHandler<wire.MsgPayInference, wire.MsgPayInferenceResponse, PaymentPlan> {
  return {
    type: wire.MsgPayInference,
    response: wire.MsgPayInferenceResponse,
    signers: (message) => [message.payer],
    validate(message) {
      validatePayment(message);
      validateClaimId(message);
      attribution.validate(message);
    },
    check: (context, message) => payments.plan(context, message),
    execute(context, message, plan) {
      const { id, fee, split } = payments.settle(context, message, plan);
      return { receiptId: id, fee, split };
    },
  };
}

/** A payment names a claim or carries one. */
function validateClaimId({ claimId, claim }: wire.MsgPayInference): void {
  const { spans, token, influence, retrieval } = claim;
  const parts = [token, influence, retrieval].filter((part) => part !== undefined).length + spans.length;
  if (claimId > 0n && parts > 0)
    throw new StateError(paymentErrors.invalidPayment, 'give claim_id or a claim, not both');
}

function validatePayment({ requestHash, maxFee, answer, tokensOut }: wire.MsgPayInference): void {
  if (requestHash.length !== HASH_BYTES)
    throw new StateError(
      paymentErrors.invalidPayment,
      `request_hash has ${requestHash.length} bytes, must have ${HASH_BYTES}`,
    );
  if (!isDenom(maxFee.denom) || !AMOUNT.test(maxFee.amount))
    throw new StateError(paymentErrors.invalidPayment, 'max_fee must be a denomination and a whole number');
  // What a model's own tokens are, only its seller knows; that an answer has some, everybody.
  if (tokensOut === 0n && (answer.content.length > 0 || answer.byteLength > 0n))
    throw new StateError(paymentErrors.invalidPayment, 'tokens_out is 0 for an answer that is not empty');
}
