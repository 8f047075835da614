import { toHex } from '../../core/bytes.ts';
import { messageOf } from '../../core/errors.ts';
import type { Context, ReadContext } from '../../framework/context.ts';
import { StateError, sdkErrors } from '../../framework/errors.ts';
import { event } from '../../framework/events.ts';
import { OutOfGasError } from '../../framework/gas.ts';
import { type MessageHandler, type MessageRoute, messageRoute } from '../../framework/message.ts';
import * as wire from '../../proto/gen/cosmos/evidence/v1beta1/tx.ts';
import type { Any } from '../../proto/gen/google/protobuf/any.ts';
import { evidenceErrors } from './errors.ts';
import type { EvidenceCore } from './ports.ts';
import { evidenceHash } from './state.ts';
import { EQUIVOCATION, type EvidenceHandler } from './types.ts';

/** `cosmos.evidence.v1beta1.Msg`. */
export function evidenceMessages(k: EvidenceCore): readonly MessageRoute[] {
  return [messageRoute(msgSubmitEvidence(k))];
}

interface Plan {
  readonly any: Any;
  readonly hash: Uint8Array;
  readonly handler: EvidenceHandler;
}

function msgSubmitEvidence(
  k: EvidenceCore,
): MessageHandler<wire.MsgSubmitEvidence, wire.MsgSubmitEvidenceResponse, Plan> {
  return {
    type: wire.MsgSubmitEvidence,
    response: wire.MsgSubmitEvidenceResponse,
    signers: (message) => [message.submitter],
    validate: (message) => void requireValid(k, message),
    check: (context, message) => planSubmit(k, context, requireValid(k, message)),
    execute(context, _, { any, hash, handler }) {
      judge(context, handler, any);
      context.emit(event('submit_evidence', { evidence_hash: toHex(hash).toUpperCase() }));
      k.state.evidence.set(context, hash, any);
      return { hash };
    },
  };
}

/** @throws StateError (sdk 7; evidence 3) */
function requireValid({ addresses }: EvidenceCore, { submitter, evidence }: wire.MsgSubmitEvidence): Any {
  try {
    addresses.accounts.toBytes(submitter);
  } catch (error) {
    throw new StateError(sdkErrors.invalidAddress, `invalid submitter address: ${messageOf(error)}`);
  }
  if (evidence === undefined) throw new StateError(evidenceErrors.invalidEvidence, 'missing evidence');
  const problem = problemOf(evidence);
  if (problem !== undefined)
    throw new StateError(evidenceErrors.invalidEvidence, `failed basic validation: ${problem}`);
  return evidence;
}

/** The type was looked at when the transaction was decoded; there is one. */
function problemOf({ value }: Any): string | undefined {
  return EQUIVOCATION.problem(EQUIVOCATION.type.decode(value));
}

/** @throws StateError (evidence 5) when it is known, (evidence 2) when nobody judges such evidence */
function planSubmit(k: EvidenceCore, context: ReadContext, any: Any): Plan {
  const hash = evidenceHash(any);
  if (k.state.evidence.get(context, hash) !== undefined)
    throw new StateError(evidenceErrors.evidenceExists, toHex(hash).toUpperCase());
  const handler = k.handlers.get(EQUIVOCATION.route);
  if (handler === undefined) throw new StateError(evidenceErrors.noHandler, EQUIVOCATION.route);
  return { any, hash, handler };
}

/** @throws StateError (evidence 3) with what the handler says against it */
function judge(context: Context, handler: EvidenceHandler, { value }: Any): void {
  try {
    handler(context, EQUIVOCATION.type.decode(value));
  } catch (error) {
    if (error instanceof OutOfGasError) throw error;
    throw new StateError(evidenceErrors.invalidEvidence, messageOf(error));
  }
}
