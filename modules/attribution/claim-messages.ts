/** Messages about claims that are submitted before they are paid. */
import { HASH_BYTES } from '../../core/hash.ts';
import { wrapError } from '../../framework/errors.ts';
import { type MessageHandler, type MessageRoute, messageRoute } from '../../framework/message.ts';
import type { ClaimRecord } from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import * as wire from '../../proto/gen/openledger/attribution/v1/tx.ts';
import { validateBond } from './bonds.ts';
import { refuse } from './claims.ts';
import type { AttributionCore } from './core.ts';
import { refuseAs } from './errors.ts';
import {
  checkDispute,
  checkSubmission,
  refuteClaim,
  type SubmissionPlan,
  submitClaim,
} from './open-claims.ts';
import { HARD_LIMITS, problemOfShape } from './verify.ts';

/** See the file comment. */
export function claimMessages(k: AttributionCore): readonly MessageRoute[] {
  return [messageRoute(submit(k)), messageRoute(dispute(k))];
}

function submit(
  k: AttributionCore,
): MessageHandler<wire.MsgSubmitClaim, wire.MsgSubmitClaimResponse, SubmissionPlan> {
  return {
    type: wire.MsgSubmitClaim,
    response: wire.MsgSubmitClaimResponse,
    signers: ({ claimant }) => [claimant],
    validate(message) {
      refuse(problemOfShape(message, HARD_LIMITS));
      validatePayment(k, message);
      if (message.bond !== undefined) validateBond(message.bond);
    },
    check: (context, message) => checkSubmission(k, context, message),
    execute(context, { claimant }, plan) {
      const { id, finalHeight } = submitClaim(k, context, claimant, plan);
      return { claimId: id, finalHeight };
    },
  };
}

function validatePayment({ addresses }: AttributionCore, { payer, requestHash }: wire.MsgSubmitClaim): void {
  try {
    addresses.toBytes(payer);
  } catch (error) {
    throw wrapError(error, 'invalid payer address');
  }
  if (requestHash.length !== HASH_BYTES)
    refuseAs('malformed-claim', `request_hash has ${requestHash.length} bytes, must have ${HASH_BYTES}`);
}

function dispute(
  k: AttributionCore,
): MessageHandler<wire.MsgDisputeClaim, wire.MsgDisputeClaimResponse, ClaimRecord> {
  return {
    type: wire.MsgDisputeClaim,
    response: wire.MsgDisputeClaimResponse,
    signers: ({ challenger }) => [challenger],
    validate: () => undefined,
    check: (context, message) => checkDispute(k, context, message),
    execute: (context, { challenger }, claim) => ({
      reward: refuteClaim(k, context, claim, { challenger, reason: 'fraud' }),
    }),
  };
}
