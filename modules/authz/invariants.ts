import { compareInstants } from '../../core/time.ts';
import type { ReadContext } from '../../framework/context.ts';
import type { Invariant } from '../../framework/module.ts';
import type { Authorizations } from './authorizations.ts';
import type { AuthzState } from './state.ts';

/** What must hold of authorizations after every block. They walk over everything. */
export function authzInvariants(state: AuthzState, authorizations: Authorizations): readonly Invariant[] {
  return [
    { name: 'valid-grants', check: (context) => checkGrants(state, authorizations, context) },
    { name: 'expiration-queue', check: (context) => checkQueue(state, context) },
  ];
}

/** Each is valid and stands under the message that it is for. */
function checkGrants(
  state: AuthzState,
  authorizations: Authorizations,
  context: ReadContext,
): string | undefined {
  for (const [[, , typeUrl], { authorization }] of state.grants.iterate(context)) {
    try {
      const bound = authorizations.bind(authorization);
      bound.validate();
      if (bound.messageTypeUrl !== typeUrl)
        return `a grant for ${typeUrl} holds one for ${bound.messageTypeUrl}`;
    } catch (error) {
      return `a grant for ${typeUrl} is invalid: ${String(error)}`;
    }
  }
  return undefined;
}

/** The queue names exactly the grants that expire, each at its time, each once. */
function checkQueue(state: AuthzState, context: ReadContext): string | undefined {
  const queued = new Set<string>();
  let count = 0;
  for (const [[time, granter, grantee], { msgTypeUrls }] of state.queue.iterate(context)) {
    if (msgTypeUrls.length === 0) return 'the queue has an empty entry';
    for (const typeUrl of msgTypeUrls) {
      const expiration = state.grants.get(context, [granter, grantee, typeUrl])?.expiration;
      if (expiration === undefined || compareInstants(expiration, time) !== 0)
        return `the queue names a grant for ${typeUrl} that does not exist or expires at another time`;
      queued.add(`${granter.join()} ${grantee.join()} ${typeUrl}`);
      count++;
    }
  }
  let expiring = 0;
  for (const [, { expiration }] of state.grants.iterate(context)) if (expiration !== undefined) expiring++;
  return queued.size === count && count === expiring
    ? undefined
    : `${expiring} grants expire, ${count} are queued`;
}
