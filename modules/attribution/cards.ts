/** Model cards: the commitments of trained heads, bonded like shards. Influence is claimed by them. */
import { assert, DecodeError } from '../../core/errors.ts';
import { type Coin, coinToWire, type WireCoin } from '../../framework/coins.ts';
import type { Context, ReadContext } from '../../framework/context.ts';
import { type ModelCard, ObjectState } from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import type { MsgPublishModelCard } from '../../proto/gen/openledger/attribution/v1/tx.ts';
import { ContributionState } from '../../proto/gen/openledger/datanet/v1/datanet.ts';
import type { Model } from '../../proto/gen/openledger/models/v1/models.ts';
import { checkBond, forfeitBond, lockBond, payBond } from './bonds.ts';
import type { AttributionCore } from './core.ts';
import { checkEndpoint } from './endpoint.ts';
import { refuseAs } from './errors.ts';
import { problemOfEvidence } from './evidence.ts';
import { cardPublished, cardReleased, cardRetired, cardVoided, type Conviction } from './events.ts';
import { decodeCard, type InfluenceCard } from './proof/influence/card.ts';
import { type CardChain, verifyCardFraud } from './proof/influence/card-fraud.ts';
import { decodeCardFraud, workOfInfluenceFraud } from './proof/influence/fraud.ts';
import { newWindow, STANDING_NAMES, standingOf, withoutRequest, withRequest } from './standing.ts';
import { currentParams, holdVersion, paramsOf, releaseVersion } from './versions.ts';

/** @throws StateError (attribution 39) when there is none */
export function requireCard({ state }: AttributionCore, context: ReadContext, id: bigint): ModelCard {
  return (
    state.cards.get(context, id) ?? refuseAs('unknown-card', `there is no model card ${id}; check the id`)
  );
}

/** @throws StateError (attribution 23, 39) unless claims may rest on it */
export function activeCard(k: AttributionCore, context: ReadContext, id: bigint): ModelCard {
  const card = requireCard(k, context, id);
  const standing = standingOf(card, context.block.height);
  if (standing !== ObjectState.OBJECT_STATE_ACTIVE)
    refuseAs('not-usable', `model card ${id} is ${STANDING_NAMES[standing] ?? 'not active'}`);
  return card;
}

/** @throws StateError (attribution 21, 22, 38, 40) */
export function checkCard(k: AttributionCore, context: ReadContext, message: MsgPublishModelCard): Coin {
  const params = currentParams(k.state, context);
  const bond = checkBond(message.bond, params.cardBond, params);
  const model =
    k.models.model(context, message.modelId) ??
    refuseAs('unknown-model', `there is no model ${message.modelId}; check model_id`);
  if (model.owner !== message.publisher)
    refuseAs('not-owner', `model ${model.id} is of ${model.owner}, who publishes its cards`);
  if (message.card.length > params.cardBytesMax)
    refuseAs('malformed-card', `the card has ${message.card.length} bytes, more than ${params.cardBytesMax}`);
  checkEndpoint(message.endpoint, params, 'malformed-card');
  const { datanetId, snapshotCount } = readCard(message.card);
  if (!speaksOf(k, context, model, { datanetId, snapshotCount }))
    refuseAs('malformed-card', `the card is about no snapshot of model ${model.id}`);
  return bond;
}

/** @throws StateError (attribution 40) for bytes that are no card */
export function readCard(bytes: Uint8Array): InfluenceCard {
  try {
    return decodeCard(bytes);
  } catch (error) {
    if (error instanceof DecodeError) return refuseAs('malformed-card', error.message);
    throw error;
  }
}

function speaksOf(
  { datanets }: AttributionCore,
  context: ReadContext,
  { snapshotIds }: Model,
  of: Pick<InfluenceCard, 'datanetId' | 'snapshotCount'>,
): boolean {
  return snapshotIds.some((id) => {
    const snapshot = datanets.snapshot(context, id);
    return snapshot?.datanetId === of.datanetId && snapshot.count === of.snapshotCount;
  });
}

/** Takes the bond and writes the card. */
export function publishCard(
  k: AttributionCore,
  context: Context,
  { publisher, modelId, card: bytes, endpoint }: MsgPublishModelCard,
  bond: Coin,
): ModelCard {
  lockBond(k, context, k.addresses.toBytes(publisher), bond);
  const { height } = context.block;
  const card: ModelCard = {
    id: k.state.cardSequence.next(context) + 1n,
    modelId,
    publisher,
    card: bytes,
    bond: coinToWire(bond),
    height,
    ...newWindow(height, BigInt(currentParams(k.state, context).challengeBlocks)),
    paramsVersion: holdVersion(k.state, context),
    claims: 0,
    voidedHeight: 0n,
    retired: false,
    releaseHeight: 0n,
    openRequests: 0,
    endpoint,
  };
  k.state.cards.replace(context, card.id, undefined, card);
  context.emit(cardPublished(card));
  return card;
}

/** @throws StateError (attribution 22, 23, 39) when the sender may not retire it, or it is retired */
export function checkCardRetirement(
  k: AttributionCore,
  context: ReadContext,
  { id, sender }: { readonly id: bigint; readonly sender: string },
): ModelCard {
  const card = requireCard(k, context, id);
  if (card.retired) refuseAs('not-usable', `model card ${id} is retired`);
  if (card.publisher !== sender && card.voidedHeight === 0n)
    refuseAs('not-owner', `model card ${id} is of ${card.publisher} and is not voided`);
  return card;
}

/** No new claims; it unbonds when none rests on it, or is gone when it is voided. */
export function retireCard(k: AttributionCore, context: Context, card: ModelCard): void {
  context.emit(cardRetired(card));
  const isQueued = card.voidedHeight > 0n && card.releaseHeight > 0n;
  if (isQueued) k.state.cardReleases.remove(context, [card.releaseHeight, card.id]);
  settleCard(k, context, { ...card, retired: true, releaseHeight: 0n });
}

/** A claim rests on it from now on, or no longer. */
export function countCardClaim(k: AttributionCore, context: Context, id: bigint, change: 1 | -1): void {
  const card = k.state.cards.get(context, id);
  assert(card !== undefined, 'a claim names a model card that is not there');
  settleCard(k, context, { ...card, claims: card.claims + change });
}

/** Writes a card, or ends it when it is retired and nothing rests on it. */
function settleCard(k: AttributionCore, context: Context, card: ModelCard): void {
  const isFree = card.retired && card.claims === 0;
  if (isFree && card.voidedHeight > 0n) {
    dropCard(k, context, card);
    return;
  }
  if (!isFree || card.releaseHeight > 0n) {
    k.state.cards.set(context, card.id, card);
    return;
  }
  const { unbondingBlocks } = paramsOf(k.state, context, card);
  const releaseHeight = context.block.height + BigInt(unbondingBlocks);
  k.state.cards.set(context, card.id, { ...card, releaseHeight });
  k.state.cardReleases.add(context, [releaseHeight, card.id]);
}

function dropCard({ state }: AttributionCore, context: Context, card: ModelCard): void {
  state.cards.remove(context, card.id);
  if (card.releaseHeight > 0n) state.cardReleases.remove(context, [card.releaseHeight, card.id]);
  releaseVersion(state, context, card);
}

/**
 * The end of unbonding, when the queue says so: the bond goes back, unless requests are open. Of a voided
 * card, as if somebody had retired it.
 */
export function releaseCard(k: AttributionCore, context: Context, id: bigint): void {
  const card = k.state.cards.get(context, id);
  assert(card !== undefined, 'a queue names a model card that is not there');
  if (card.voidedHeight > 0n) {
    retireCard(k, context, card);
    return;
  }
  k.state.cardReleases.remove(context, [card.releaseHeight, id]);
  if (card.openRequests === 0) giveBack(k, context, card);
}

/** One more request about it is open. */
export function openRequestOfCard(k: AttributionCore, context: Context, id: bigint): void {
  const card = requireCard(k, context, id);
  k.state.cards.set(context, id, withRequest(card, context.block.height));
}

/** A request about it is closed. The last one ends an unbonding whose height has passed. It may be gone. */
export function closeRequestOfCard(k: AttributionCore, context: Context, id: bigint): void {
  const card = k.state.cards.get(context, id);
  if (card === undefined) return;
  const left = withoutRequest(card, context.block.height);
  const waits = card.releaseHeight > 0n && !k.state.cardReleases.has(context, [card.releaseHeight, id]);
  if (waits && left.openRequests === 0 && left.voidedHeight === 0n) giveBack(k, context, left);
  else k.state.cards.set(context, id, left);
}

function giveBack(k: AttributionCore, context: Context, card: ModelCard): void {
  payBond(k, context, card.publisher, card.bond);
  dropCard(k, context, card);
  context.emit(cardReleased(card));
}

/** Voids a card that has not been: its bond is lost. The reward. */
export function voidCard(
  k: AttributionCore,
  context: Context,
  card: ModelCard,
  conviction: Conviction,
): WireCoin {
  const params = paramsOf(k.state, context, card);
  const reward = forfeitBond(k, context, { bond: card.bond, challenger: conviction.challenger, params });
  if (card.releaseHeight > 0n) k.state.cardReleases.remove(context, [card.releaseHeight, card.id]);
  const { height } = context.block;
  const voided = { ...card, voidedHeight: height, releaseHeight: 0n };
  if (card.retired) settleCard(k, context, voided);
  else {
    const releaseHeight = height + BigInt(params.unbondingBlocks);
    k.state.cards.set(context, card.id, { ...voided, releaseHeight });
    k.state.cardReleases.add(context, [releaseHeight, card.id]);
  }
  context.emit(cardVoided(card, conviction, reward));
  return reward;
}

/** Why a fraud proof does not convict a card; undefined when it does. Charges gas by its work. */
export function problemOfCardFraud(
  k: AttributionCore,
  context: ReadContext,
  card: ModelCard,
  proof: Uint8Array,
): string | undefined {
  const accused = decodeCard(card.card);
  const evidence = { proof, against: card };
  return problemOfEvidence(k, context, evidence, {
    decode: decodeCardFraud,
    workOf: workOfInfluenceFraud,
    verify: (fraud) => verifyCardFraud(accused, fraud, chainOf(k, context)),
  });
}

/**
 * States of contributions that were in no snapshot. What was accepted and is withdrawn or slashed now was in
 * those before, and who trained on it then told no lie.
 */
const NEVER_IN: readonly ContributionState[] = [
  ContributionState.CONTRIBUTION_STATE_UNSPECIFIED,
  ContributionState.CONTRIBUTION_STATE_PENDING,
  ContributionState.CONTRIBUTION_STATE_REJECTED,
];

function chainOf({ datanets }: AttributionCore, context: ReadContext): CardChain {
  return {
    holds(datanetId, snapshotCount, contributionId) {
      const found = datanets.contribution(context, contributionId);
      return (
        found?.datanetId === datanetId && !NEVER_IN.includes(found.state) && found.position < snapshotCount
      );
    },
  };
}
