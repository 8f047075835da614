/** What requests are about: shards, model cards and pending claims of influence. Who answers for each, and what is lost. */
import type { Context, ReadContext } from '../../framework/context.ts';
import type { ChunkRequest } from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import { closeRequestOfCard, openRequestOfCard, requireCard, voidCard } from './cards.ts';
import type { AttributionCore } from './core.ts';
import { refuseAs } from './errors.ts';
import { askableClaim, countClaimRequest, isPending, pendingClaim, refuteClaim } from './open-claims.ts';
import { closeRequestOfShard, openRequestOfShard, requireShard, voidShard } from './shards.ts';
import type { Bonded } from './standing.ts';

/** Kinds of objects that requests are about. */
export type TargetKind = 'shard' | 'card' | 'claim';

/** An object that a request is about. */
export interface Target {
  readonly kind: TargetKind;
  readonly id: bigint;
}

/** Fields that name a target: one of them is not 0. */
export type TargetIds = Pick<ChunkRequest, 'shardId' | 'cardId' | 'claimId'>;

/** The target that is named. @throws StateError (attribution 26) unless it is one */
export function targetOf({ shardId, cardId, claimId }: TargetIds): Target {
  const named: readonly Target[] = [
    { kind: 'shard', id: shardId },
    { kind: 'card', id: cardId },
    { kind: 'claim', id: claimId },
  ];
  const [target, another] = named.filter(({ id }) => id > 0n);
  return target === undefined || another !== undefined
    ? refuseAs('malformed-request', 'name one object: shard_id, card_id or claim_id')
    : target;
}

/** For sentences. */
export function nameOf({ kind, id }: Target): string {
  return `${kind === 'card' ? 'model card' : kind} ${id}`;
}

/** The object itself: its version of the parameters, and how many requests about it are open. */
export interface Askable {
  readonly openRequests: number;
  readonly paramsVersion: bigint;
}

/**
 * A target that can be asked about now.
 * @throws StateError (attribution 19, 23, 31, 32, 39, 41)
 */
export function requireAskable(
  k: AttributionCore,
  context: ReadContext,
  target: Target,
  requester: string,
): Askable {
  switch (target.kind) {
    case 'shard': {
      const shard = requireShard(k, context, target.id);
      refuseUnlessBonded(shard, context, target);
      const { salted, datanetId } = shard.commitment;
      if (salted && !k.datanets.isMember(context, datanetId, k.addresses.toBytes(requester)))
        refuseAs(
          'not-member',
          `shard ${shard.id} is salted: its owner, its allow-list and its contributors may ask, since the answer is public`,
        );
      return shard;
    }
    case 'card': {
      const card = requireCard(k, context, target.id);
      refuseUnlessBonded(card, context, target);
      return card;
    }
    case 'claim':
      return askableClaim(k, context, target.id);
  }
}

/** Until the bond is given back: what is asked at the release height would delay it without an end. */
function refuseUnlessBonded(
  { voidedHeight, releaseHeight }: Bonded,
  { block }: ReadContext,
  target: Target,
): void {
  if (voidedHeight > 0n) refuseAs('not-usable', `${nameOf(target)} was voided at height ${voidedHeight}`);
  if (releaseHeight > 0n && block.height >= releaseHeight)
    refuseAs('not-usable', `the bond of ${nameOf(target)} is given back from height ${releaseHeight} on`);
}

/** Who is paid for an answer. @throws StateError (attribution 19, 23, 31, 32, 39) when no answer helps any more */
export function answererOf(k: AttributionCore, context: ReadContext, target: Target): string {
  switch (target.kind) {
    case 'shard': {
      const { publisher, voidedHeight } = requireShard(k, context, target.id);
      if (voidedHeight > 0n) refuseAs('not-usable', `shard ${target.id} is voided; no answer helps`);
      return publisher;
    }
    case 'card': {
      const { publisher, voidedHeight } = requireCard(k, context, target.id);
      if (voidedHeight > 0n) refuseAs('not-usable', `model card ${target.id} is voided; no answer helps`);
      return publisher;
    }
    case 'claim':
      return pendingClaim(k, context, target.id).claimant;
  }
}

/** One more request about a target is open, until a deadline. */
export function countRequest(k: AttributionCore, context: Context, target: Target, deadline: bigint): void {
  switch (target.kind) {
    case 'shard':
      openRequestOfShard(k, context, target.id);
      break;
    case 'card':
      openRequestOfCard(k, context, target.id);
      break;
    case 'claim':
      countClaimRequest(k, context, target.id, { change: 1, deadline });
      break;
  }
}

/** One request less is open. The target may be gone: it was convicted meanwhile. */
export function uncountRequest(k: AttributionCore, context: Context, target: Target): void {
  switch (target.kind) {
    case 'shard':
      closeRequestOfShard(k, context, target.id);
      break;
    case 'card':
      closeRequestOfCard(k, context, target.id);
      break;
    case 'claim':
      countClaimRequest(k, context, target.id, { change: -1, deadline: 0n });
      break;
  }
}

/** Nobody answered: the target is lost to the requester, unless it is lost already. */
export function loseTo(k: AttributionCore, context: Context, target: Target, requester: string): void {
  const conviction = { challenger: requester, reason: 'unavailable' } as const;
  switch (target.kind) {
    case 'shard': {
      const shard = k.state.shards.get(context, target.id);
      if (shard?.voidedHeight === 0n) voidShard(k, context, shard, conviction);
      break;
    }
    case 'card': {
      const card = k.state.cards.get(context, target.id);
      if (card?.voidedHeight === 0n) voidCard(k, context, card, conviction);
      break;
    }
    case 'claim': {
      const claim = k.state.claims.get(context, target.id);
      if (claim !== undefined && isPending(claim)) refuteClaim(k, context, claim, conviction);
      break;
    }
  }
}
