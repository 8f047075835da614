import { toHex } from '../../core/bytes.ts';
import { coinToString, parseCoin, type WireCoin } from '../../framework/coins.ts';
import { type Event, event } from '../../framework/events.ts';
import {
  type ChunkRequest,
  type ClaimRecord,
  ClaimState,
  type Index,
  type ModelCard,
  type Shard,
} from '../../proto/gen/openledger/attribution/v1/attribution.ts';

/** Whom an object is lost to, and why: a proof, or a piece that was not shown. */
export interface Conviction {
  readonly challenger: string;
  readonly reason: 'fraud' | 'unavailable';
}

function coinText(wire: WireCoin): string {
  return coinToString(parseCoin(wire));
}

/** A claim was verified and kept. */
export function claimVerified(claim: ClaimRecord): Event {
  return event('verify_claim', {
    claim_id: claim.id.toString(),
    model_id: claim.modelId.toString(),
    claim_hash: toHex(claim.claimHash),
    spans: claim.spans.length.toString(),
    contribution_ids: claim.shares.map(({ contributionId }) => contributionId).join(','),
  });
}

/** A shard can be convicted from now on, and claims may rest on it from its active height. */
export function shardPublished({ id, publisher, commitment, bond, activeHeight }: Shard): Event {
  return event('publish_shard', {
    shard_id: id.toString(),
    publisher,
    datanet_id: commitment.datanetId.toString(),
    first_position: commitment.firstPosition.toString(),
    documents: commitment.documents.toString(),
    bond: coinText(bond),
    active_height: activeHeight.toString(),
  });
}

/** A shard was convicted; every index with it is void. */
export function shardVoided(
  { id, publisher, bond }: Shard,
  { challenger, reason }: Conviction,
  reward: WireCoin,
): Event {
  const lost = { bond: coinText(bond), reward: coinText(reward) };
  return event('void_shard', { shard_id: id.toString(), publisher, challenger, reason, ...lost });
}

/** The bond of a shard went back; it is gone. */
export function shardReleased({ id, publisher, bond }: Shard): Event {
  return event('release_shard', { shard_id: id.toString(), publisher, bond: coinText(bond) });
}

/** An index of a snapshot is there. */
export function indexPublished({ id, publisher, snapshotId, shardIds, endpoint }: Index): Event {
  return event('publish_index', {
    index_id: id.toString(),
    publisher,
    snapshot_id: snapshotId.toString(),
    shard_ids: shardIds.join(','),
    endpoint,
  });
}

/** No new claims may rest on an index. */
export function indexRetired({ id, publisher, claims }: Index): Event {
  return event('retire_index', { index_id: id.toString(), publisher, open_claims: claims.toString() });
}

/** An index is gone. */
export function indexRemoved({ id, publisher }: Index): Event {
  return event('remove_index', { index_id: id.toString(), publisher });
}

/** Who published the object has until the deadline. */
export function requestMade(request: ChunkRequest): Event {
  const { id, requester, place, deadline } = request;
  return event('request_chunk', {
    request_id: id.toString(),
    requester,
    ...targetIds(request),
    tree: place.tree.toString(),
    document: place.document.toString(),
    chunk: place.chunk.toString(),
    bond: coinText(request.bond),
    deadline: deadline.toString(),
  });
}

/** What a request is about: the others are 0. */
function targetIds({ shardId, cardId, claimId }: ChunkRequest): Readonly<Record<string, string>> {
  return { shard_id: shardId.toString(), card_id: cardId.toString(), claim_id: claimId.toString() };
}

/** A request was answered in time; a part of its bond is the publisher's. */
export function requestAnswered(request: ChunkRequest, publisher: string, paid: WireCoin): Event {
  const ids = { request_id: request.id.toString(), ...targetIds(request) };
  return event('serve_chunk', { ...ids, publisher, bond: coinText(request.bond), paid: coinText(paid) });
}

/** A request was not answered; its bond went back. */
export function requestExpired(request: ChunkRequest): Event {
  const { id, requester, bond } = request;
  return event('expire_request', {
    request_id: id.toString(),
    ...targetIds(request),
    requester,
    bond: coinText(bond),
  });
}

const STATES: Readonly<Record<number, string>> = {
  [ClaimState.CLAIM_STATE_VERIFIED]: 'verified',
  [ClaimState.CLAIM_STATE_PENDING]: 'pending',
  [ClaimState.CLAIM_STATE_FINAL]: 'final',
  [ClaimState.CLAIM_STATE_REFUTED]: 'refuted',
  [ClaimState.CLAIM_STATE_VOIDED]: 'voided',
};

/** A claim waits for its payment; a pending one can be disputed until its final height. */
export function claimSubmitted(claim: ClaimRecord): Event {
  return event('submit_claim', {
    claim_id: claim.id.toString(),
    claimant: claim.claimant,
    model_id: claim.modelId.toString(),
    claim_hash: toHex(claim.claimHash),
    state: STATES[claim.state] ?? '',
    bond: claim.bond === undefined ? '' : coinText(claim.bond),
    index_ids: claim.indexIds.join(','),
    final_height: claim.finalHeight.toString(),
  });
}

/** A claim was contradicted, or a piece of it was not shown. */
export function claimRefuted(
  { id, claimant, bond }: ClaimRecord,
  { challenger, reason }: Conviction,
  reward: WireCoin,
): Event {
  const lost = { bond: bond === undefined ? '' : coinText(bond), reward: coinText(reward) };
  return event('dispute_claim', { claim_id: id.toString(), claimant, challenger, reason, ...lost });
}

/** The window of an optimistic claim is over. */
export function claimDecided({ id, state, receiptId }: ClaimRecord): Event {
  const outcome = STATES[state] ?? '';
  return event('decide_claim', { claim_id: id.toString(), state: outcome, receipt_id: receiptId.toString() });
}

/** Nobody paid by a claim in time. */
export function claimExpired({ id, claimant }: ClaimRecord): Event {
  return event('expire_claim', { claim_id: id.toString(), claimant });
}

/** A model card can be convicted from now on, and claims may rest on it from its active height. */
export function cardPublished({ id, publisher, modelId, bond, activeHeight, endpoint }: ModelCard): Event {
  return event('publish_model_card', {
    card_id: id.toString(),
    publisher,
    model_id: modelId.toString(),
    bond: coinText(bond),
    active_height: activeHeight.toString(),
    endpoint,
  });
}

/** No new claims may rest on a model card. */
export function cardRetired({ id, publisher, claims }: ModelCard): Event {
  return event('retire_model_card', { card_id: id.toString(), publisher, open_claims: claims.toString() });
}

/** A model card was convicted. */
export function cardVoided(
  { id, publisher, bond }: ModelCard,
  { challenger, reason }: Conviction,
  reward: WireCoin,
): Event {
  const lost = { bond: coinText(bond), reward: coinText(reward) };
  return event('void_model_card', { card_id: id.toString(), publisher, challenger, reason, ...lost });
}

/** The bond of a model card went back; it is gone. */
export function cardReleased({ id, publisher, bond }: ModelCard): Event {
  return event('release_model_card', { card_id: id.toString(), publisher, bond: coinText(bond) });
}
