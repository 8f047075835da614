/** Messages that one account executes for others. */
import { compareInstants } from '../../core/time.ts';
import type { Address } from '../../framework/address.ts';
import type { Context } from '../../framework/context.ts';
import { StateError, wrapError } from '../../framework/errors.ts';
import { attribute, withAttribute } from '../../framework/events.ts';
import { OutOfGasError } from '../../framework/gas.ts';
import type { BoundMessage } from '../../framework/message.ts';
import { equalBytes } from '../../core/bytes.ts';
import { authzErrors } from './errors.ts';
import type { Grants } from './keeper.ts';

/**
 * Executes messages, each for its one signer, if that is the grantee or has authorized it. Their events say
 * which one they come from; all are undone when one fails, since the transaction is.
 * @returns the encoded response of each
 * @throws StateError (authz 2, 6, 9) when a message is not authorized; whatever the authorization or the
 * message says
 */
export function dispatch(
  context: Context,
  grants: Grants,
  given: { readonly grantee: Address; readonly messages: readonly BoundMessage[] },
): readonly Uint8Array[] {
  return given.messages.map((message, i) => {
    authorize(context, grants, { grantee: given.grantee, message });
    const { context: inner, write } = context.branch();
    const response = run(message, inner);
    write();
    const index = attribute('authz_msg_index', String(i));
    context.emit(...inner.events.map((emitted) => withAttribute(emitted, index)));
    return response;
  });
}

function authorize(
  context: Context,
  grants: Grants,
  { grantee, message }: { readonly grantee: Address; readonly message: BoundMessage },
): void {
  const [granter] = message.signers;
  if (granter === undefined || message.signers.length !== 1) throw new StateError(authzErrors.signers);
  if (equalBytes(granter, grantee)) return;
  const place = { granter, grantee, typeUrl: message.typeUrl };
  const grant = grants.find(context, place);
  if (grant === undefined) throw grants.notFound('failed to get grant', place);
  const { expiration } = grant;
  if (expiration !== undefined && compareInstants(expiration, context.block.time) < 0)
    throw new StateError(authzErrors.expired);
  const acceptance = grants.authorizations.bind(grant.authorization).accept(context, message);
  if (acceptance.outcome === 'used-up') grants.remove(context, place);
  if (acceptance.outcome === 'updated') grants.update(context, place, acceptance.authorization);
}

function run(message: BoundMessage, context: Context): Uint8Array {
  try {
    message.validate();
    return message.run(context);
  } catch (error) {
    if (error instanceof OutOfGasError) throw error;
    throw wrapError(error, `failed to execute message; message ${message.typeUrl}`);
  }
}
