/**
 * What falls due at heights: requests, then claims, then bonds. What does not fit into a block waits, the
 * oldest first.
 */
import type { Context } from '../../framework/context.ts';
import { releaseCard } from './cards.ts';
import type { AttributionCore } from './core.ts';
import { decideClaim } from './open-claims.ts';
import { expireRequest } from './requests.ts';
import { releaseShard } from './shards.ts';
import type { HeightQueue } from './state.ts';

/** Most requests that one block lets expire. */
export const EXPIRED_PER_BLOCK_MAX = 50;

/** Most bonds of shards, and of model cards, that one block gives back. */
export const RELEASED_PER_BLOCK_MAX = 50;

/** Most claims that one block decides. */
export const DECIDED_PER_BLOCK_MAX = 50;

/** Payouts after which a block begins with no further claim. Who submitted it paid for its payouts. */
export const PAYOUTS_PER_BLOCK_MAX = 1_000;

/** See the file comment. */
export function endBlock(k: AttributionCore, context: Context): void {
  const { height } = context.block;
  // An answer is in time in the block of the deadline, whose transactions have run.
  for (const id of due(context, k.state.deadlines, { height, max: EXPIRED_PER_BLOCK_MAX }))
    expireRequest(k, context, id);
  let payouts = 0;
  for (const id of due(context, k.state.openClaims, { height, max: DECIDED_PER_BLOCK_MAX })) {
    payouts += decideClaim(k, context, id);
    if (payouts >= PAYOUTS_PER_BLOCK_MAX) break;
  }
  for (const id of due(context, k.state.shardReleases, { height, max: RELEASED_PER_BLOCK_MAX }))
    releaseShard(k, context, id);
  for (const id of due(context, k.state.cardReleases, { height, max: RELEASED_PER_BLOCK_MAX }))
    releaseCard(k, context, id);
}

function due(
  context: Context,
  queue: HeightQueue,
  { height, max }: { readonly height: bigint; readonly max: number },
): readonly bigint[] {
  const ids: bigint[] = [];
  for (const [at, id] of queue.iterate(context)) {
    if (at > height || ids.length >= max) break;
    ids.push(id);
  }
  return ids;
}
