/** Messages that carry out, or take back, what was authorised off the chain. */
import { parseCoin } from '../../framework/coins.ts';
import type { ReadContext } from '../../framework/context.ts';
import { StateError } from '../../framework/errors.ts';
import { type MessageHandler, type MessageRoute, messageRoute } from '../../framework/message.ts';
import {
  AuthorizationState,
  type InferenceAuthorization,
} from '../../proto/gen/openledger/payments/v1/authorization.ts';
import * as wire from '../../proto/gen/openledger/payments/v1/tx.ts';
import { cancellationStatement, inferenceStatement, transferStatement } from './authorization.ts';
import { type AuthorizationTerms, requireCanonical, validateTerms } from './authorizations.ts';
import type { PaymentCore } from './core.ts';
import { paymentErrors } from './errors.ts';
import { authorizationCancelled, transferAuthorized } from './events.ts';
import { requireCoin, requireHash, requirePositive, validateUsage } from './shapes.ts';
import type { PaymentPlan } from './types.ts';

/** See the file comment. */
export function authorizationMessages(core: PaymentCore): readonly MessageRoute[] {
  return [
    messageRoute(transferWithAuthorization(core)),
    messageRoute(payInferenceWithAuthorization(core)),
    messageRoute(cancelAuthorization(core)),
  ];
}

function transferWithAuthorization({
  authorizations,
  transfers,
  addresses,
}: PaymentCore): MessageHandler<
  wire.MsgTransferWithAuthorization,
  wire.MsgTransferWithAuthorizationResponse,
  void
> {
  return {
    type: wire.MsgTransferWithAuthorization,
    response: wire.MsgTransferWithAuthorizationResponse,
    signers: ({ relayer }) => [relayer],
    validate({ authorization }) {
      validateTerms(authorization, addresses);
      requireCanonical(authorization.to, addresses);
      requireHash('resource_hash', authorization.resourceHash, paymentErrors.invalidAuthorization);
      requirePositive('amount', authorization.amount, paymentErrors.invalidAuthorization);
    },
    check(context, { authorization, signature }) {
      const { from, to, amount } = authorization;
      authorizations.requireGood(context, authorization);
      transfers.requireAllowed(context, { to, coins: [parseCoin(amount)] });
      const statement = transferStatement(authorization);
      authorizations.requireSigned(context, { from, statement, signature });
    },
    execute(context, { relayer, authorization }) {
      const { from, to, amount } = authorization;
      authorizations.spend(context, authorization, AuthorizationState.AUTHORIZATION_STATE_USED);
      transfers.send(context, { from, to, coins: [parseCoin(amount)] });
      context.emit(transferAuthorized(authorization, relayer));
      return {};
    },
  };
}

function payInferenceWithAuthorization(
  core: PaymentCore,
): MessageHandler<
  wire.MsgPayInferenceWithAuthorization,
  wire.MsgPayInferenceWithAuthorizationResponse,
  PaymentPlan
> {
  const { payments, attribution, addresses } = core;
  return {
    type: wire.MsgPayInferenceWithAuthorization,
    response: wire.MsgPayInferenceWithAuthorizationResponse,
    signers: ({ payee }) => [payee],
    validate(message) {
      const { authorization } = message;
      validateTerms(termsOf(authorization), addresses);
      requireCanonical(authorization.payee, addresses);
      requireCoin('max_fee', authorization.maxFee, paymentErrors.invalidAuthorization);
      validateUsage(message);
      attribution.validate(message);
    },
    check(context, message) {
      requireAuthorized(core, context, message);
      const { payee } = message.authorization;
      return payments.plan(context, paymentOf(message), { payee, hold: undefined });
    },
    execute(context, message, plan) {
      const { id, fee, split } = payments.settle(context, paymentOf(message), plan);
      return { receiptId: id, fee, split };
    },
  };
}

/** Only the payee states what was used: anybody else could claim any answer, up to the highest fee. */
function requireAuthorized(
  { authorizations, addresses }: PaymentCore,
  context: ReadContext,
  { payee: sender, authorization, signature }: wire.MsgPayInferenceWithAuthorization,
): void {
  const { from, payee } = authorization;
  if (addresses.toText(addresses.toBytes(sender)) !== payee)
    throw new StateError(paymentErrors.notPayee, `the authorization is for ${payee}`);
  authorizations.requireGood(context, termsOf(authorization));
  const statement = inferenceStatement(authorization);
  authorizations.requireSigned(context, { from, statement, signature });
}

/** The request hash is the nonce: the receipt that stays under it keeps it from being used again. */
function termsOf(authorization: InferenceAuthorization): AuthorizationTerms {
  return { ...authorization, nonce: authorization.requestHash };
}

/** The payment that its payer would have sent. */
function paymentOf(message: wire.MsgPayInferenceWithAuthorization): wire.MsgPayInference {
  const { authorization, tokensIn, tokensOut, answer, claim, claimId } = message;
  const { from: payer, modelId, requestHash, maxFee } = authorization;
  return { payer, modelId, requestHash, tokensIn, tokensOut, answer, claim, maxFee, claimId };
}

function cancelAuthorization({
  authorizations,
  addresses,
}: PaymentCore): MessageHandler<wire.MsgCancelAuthorization, wire.MsgCancelAuthorizationResponse, void> {
  return {
    type: wire.MsgCancelAuthorization,
    response: wire.MsgCancelAuthorizationResponse,
    signers: ({ sender }) => [sender],
    validate: ({ cancellation }) => validateTerms({ ...cancellation, validAfter: 0n }, addresses),
    check(context, { sender, cancellation, signature }) {
      const { from } = cancellation;
      authorizations.requireCancellable(context, cancellation);
      if (signature !== undefined) {
        const statement = cancellationStatement(cancellation);
        authorizations.requireSigned(context, { from, statement, signature });
      } else if (addresses.toText(addresses.toBytes(sender)) !== from)
        throw new StateError(
          paymentErrors.wrongSigner,
          `${sender} needs a signature of ${from} to cancel its authorization`,
        );
    },
    execute(context, { cancellation }) {
      authorizations.spend(context, cancellation, AuthorizationState.AUTHORIZATION_STATE_CANCELLED);
      context.emit(authorizationCancelled(cancellation));
      return {};
    },
  };
}
