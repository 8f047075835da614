/**
 * What falls due at heights: requests, then claims, then bonds. What does not fit into a block waits, the
 * oldest first. Claims with a bond, which money may wait for, and those without wait in queues of their own:
 * the latter cost nothing but gas, and must not hold up the others.
 */
import { assert } from '../../core/errors.ts';
import type { Context } from '../../framework/context.ts';
import { releaseCard } from './cards.ts';
import type { AttributionCore } from './core.ts';
import { endClaim, isPending } from './open-claims.ts';
import { expireRequest } from './requests.ts';
import { releaseShard } from './shards.ts';
import type { HeightQueue } from './state.ts';
import { endIndexesOf } from './voided.ts';
import { WORK, workOfClaim } from './work.ts';

/** Most requests that one block lets expire. */
export const EXPIRED_PER_BLOCK_MAX = 50;

/** Most bonds of shards, and of model cards, that one block gives back. */
export const RELEASED_PER_BLOCK_MAX = 50;

/** Units of work (`WORK`) that one block does for claims with a bond; one claim that is more comes alone. */
export const DECIDED_WORK_MAX = 6_000;

/** Units of work that one block does for claims with proofs that nobody paid; one that is more comes alone. */
export const FORGOTTEN_WORK_MAX = 1_500;

/** Units of work after which a block retires no further index on a convicted shard. Publication paid. */
export const VOIDED_WORK_MAX = 1_500;

/** See the file comment. */
export function endBlock(k: AttributionCore, context: Context): void {
  const { height } = context.block;
  // An answer is in time in the block of the deadline, whose transactions have run.
  expireRequests(k, context);
  endClaims(k, context, k.state.openClaims, DECIDED_WORK_MAX);
  endClaims(k, context, k.state.provedClaims, FORGOTTEN_WORK_MAX);
  for (const id of due(context, k.state.shardReleases, { height, max: RELEASED_PER_BLOCK_MAX }))
    releaseShard(k, context, id);
  for (const id of due(context, k.state.cardReleases, { height, max: RELEASED_PER_BLOCK_MAX }))
    releaseCard(k, context, id);
  endVoided(k, context);
}

function endVoided(k: AttributionCore, context: Context): void {
  const { height } = context.block;
  let work = 0;
  for (const id of due(context, k.state.voidedShards, { height, max: VOIDED_WORK_MAX })) {
    if (work >= VOIDED_WORK_MAX) break;
    work += endIndexesOf(k, context, id, VOIDED_WORK_MAX - work);
  }
}

/** Requests that nobody answered, until the next claim that is refuted by one does not fit. */
function expireRequests(k: AttributionCore, context: Context): void {
  const { height } = context.block;
  let work = 0;
  for (const id of due(context, k.state.deadlines, { height, max: EXPIRED_PER_BLOCK_MAX })) {
    const request = k.state.requests.get(context, id);
    assert(request !== undefined, 'a queue names a request that is not there');
    const claim = k.state.claims.get(context, request.claimId);
    const more = claim !== undefined && isPending(claim) ? workOfClaim(k, context, claim) : 0;
    if (work > 0 && work + more > DECIDED_WORK_MAX) break;
    work += more;
    expireRequest(k, context, request);
  }
}

/** Ends claims that are due until the next one does not fit; the first always does. */
function endClaims(k: AttributionCore, context: Context, queue: HeightQueue, workMax: number): void {
  const { height } = context.block;
  let work = 0;
  for (const id of due(context, queue, { height, max: Math.floor(workMax / WORK.claim) })) {
    const claim = k.state.claims.get(context, id);
    assert(claim !== undefined, 'a queue names a claim that is not there');
    const more = workOfClaim(k, context, claim);
    if (work > 0 && work + more > workMax) break;
    work += more;
    endClaim(k, context, claim);
  }
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
