import type { Context } from '../../framework/context.ts';
import { attemptAutoClaims } from './auto-claims.ts';
import { applyChanges } from './changes.ts';
import { forgetCredits } from './credits.ts';
import type { PoolsCore } from './ports.ts';

/**
 * What falls due at the end of a block, each in portions of its own: weights of an epoch that ends, automatic
 * claims, credits that were kept long enough. What does not fit waits, the oldest first.
 */
export function endBlock(k: PoolsCore, context: Context): void {
  applyChanges(k, context);
  attemptAutoClaims(k, context);
  forgetCredits(k, context);
}
