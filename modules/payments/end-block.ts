/** What falls due at times: holds go back to their payers, and nonces are forgotten. */
import type { Context } from '../../framework/context.ts';
import type { PaymentCore } from './core.ts';

/** Bounded: see `HOLDS_RETURNED_PER_BLOCK_MAX`, `NONCES_FORGOTTEN_PER_BLOCK_MAX`. */
export function endBlock({ holds, authorizations }: PaymentCore, context: Context): void {
  holds.expire(context);
  authorizations.forget(context);
}
