import { compareInstants } from '../../core/time.ts';
import type { ReadContext } from '../../framework/context.ts';
import type { Invariant } from '../../framework/module.ts';
import { expirationOf, readAllowance, validateAllowance } from './allowance.ts';
import type { FeegrantState } from './state.ts';

/** What must hold of allowances after every block. They walk over everything. */
export function feegrantInvariants(state: FeegrantState): readonly Invariant[] {
  return [
    { name: 'valid-allowances', check: (context) => checkAllowances(state, context) },
    { name: 'expiration-queue', check: (context) => checkQueue(state, context) },
  ];
}

function checkAllowances(state: FeegrantState, context: ReadContext): string | undefined {
  for (const [, { granter, grantee, allowance }] of state.grants.iterate(context))
    try {
      validateAllowance(readAllowance(allowance), 'stored');
    } catch (error) {
      return `the allowance of ${granter} for ${grantee} is invalid: ${String(error)}`;
    }
  return undefined;
}

/** The queue names exactly the grants that expire, each at its time. */
function checkQueue(state: FeegrantState, context: ReadContext): string | undefined {
  let queued = 0;
  for (const [time, grantee, granter] of state.queue.iterate(context)) {
    const grant = state.grants.get(context, [grantee, granter]);
    const expiration = grant === undefined ? undefined : expirationOf(readAllowance(grant.allowance));
    if (expiration === undefined || compareInstants(expiration, time) !== 0)
      return 'the queue names a grant that does not exist or expires at another time';
    queued++;
  }
  let expiring = 0;
  for (const [, { allowance }] of state.grants.iterate(context))
    if (expirationOf(readAllowance(allowance)) !== undefined) expiring++;
  return queued === expiring ? undefined : `${expiring} grants expire, ${queued} are queued`;
}
