/**
 * Claims that were submitted before they are paid. With its proofs a claim waits for a payment; an optimistic
 * one can be disputed meanwhile, and its payment waits until it is decided. docs/adr/0024.
 */
import { assert } from '../../core/errors.ts';
import { equalBytes, toHex } from '../../core/bytes.ts';
import { sha256 } from '../../core/hash.ts';
import { type Coin, coinToWire, type WireCoin } from '../../framework/coins.ts';
import type { Context, ReadContext } from '../../framework/context.ts';
import {
  Claim,
  type ClaimRecord,
  ClaimState,
} from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import type {
  MsgDisputeClaim,
  MsgSubmitClaim,
  ProvenanceDispute,
} from '../../proto/gen/openledger/attribution/v1/tx.ts';
import { checkBond, forfeitBond, lockBond, payBond } from './bonds.ts';
import { checkClaim, contributionIn, partsOf } from './claims.ts';
import { countCardClaim, requireCard } from './cards.ts';
import type { AttributionCore } from './core.ts';
import { refuseAs } from './errors.ts';
import { claimDecided, claimExpired, claimRefuted, claimSubmitted, type Conviction } from './events.ts';
import { chargeEvidence, chargeWork } from './evidence.ts';
import { countClaim, shardsOf } from './indexes.ts';
import { problemOfInfluenceDispute } from './influence.ts';
import { problemOfOmissionDispute } from './omissions.ts';
import { type ClaimedShard, contradicts, statementsOf } from './proof/provenance.ts';
import { refusalOr } from './proof/refusal.ts';
import { workOfShardProof } from './proof/shard/work.ts';
import { tokenise } from './proof/tokenise.ts';
import type { AttributionState, HeightQueue } from './state.ts';
import type { ClaimPayment, VerifiedClaim } from './types.ts';
import { answerCommitment, chunkCount } from './verify.ts';
import { currentParams, holdVersion, paramsOf, releaseVersion } from './versions.ts';
import { gasOfWork, workToCome } from './work.ts';

const { CLAIM_STATE_VERIFIED: VERIFIED, CLAIM_STATE_PENDING: PENDING } = ClaimState;

/** True while a claim can be disputed or paid: it is queued, and holds what it rests on. */
export function isOpen({ paramsVersion }: ClaimRecord): boolean {
  return paramsVersion > 0n;
}

/** Where an open claim waits for its height. */
export function queueOf(
  { openClaims, provedClaims }: AttributionState,
  { state }: Pick<ClaimRecord, 'state'>,
): HeightQueue {
  return state === VERIFIED ? provedClaims : openClaims;
}

/** True while an optimistic claim can be disputed. */
export function isPending(claim: ClaimRecord): boolean {
  return claim.state === PENDING && isOpen(claim);
}

/** Writes a claim, what it is queued for, and whom it pays. */
export function insertClaim({ state }: AttributionCore, context: Context, claim: ClaimRecord): void {
  state.claims.set(context, claim.id, claim);
  if (isOpen(claim)) queueOf(state, claim).add(context, [claim.dueHeight, claim.id]);
  else if (claim.state <= VERIFIED || claim.state === ClaimState.CLAIM_STATE_FINAL)
    for (const { contributionId } of claim.shares)
      state.byContribution.add(context, [contributionId, claim.id]);
}

/** A claim that was checked. */
export interface SubmissionPlan {
  readonly verified: VerifiedClaim;
  /** Undefined: it has its proofs. */
  readonly bond: Coin | undefined;
}

/** @throws StateError (attribution 2 …) */
export function checkSubmission(
  k: AttributionCore,
  context: ReadContext,
  message: MsgSubmitClaim,
): SubmissionPlan {
  const { claimant, modelId, answer, claim, payer, requestHash } = message;
  const params = currentParams(k.state, context);
  const bond = message.bond === undefined ? undefined : checkBond(message.bond, params.claimBond, params);
  const model =
    k.models.model(context, modelId) ??
    refuseAs('unknown-model', `there is no model ${modelId}; check model_id`);
  if (partsOf(claim).length === 0) refuseAs('malformed-claim', 'the claim is empty');
  if (bond !== undefined && claim.token === undefined && claim.influence === undefined)
    refuseAs('wrong-bond', 'nothing in this claim can be disputed; send it without a bond');
  const verified = checkClaim(k, context, {
    ...{ answer, claim, model, payer, requestHash },
    proved: bond === undefined,
    byOwner: claimant === model.owner,
  });
  if (model.attributionPolicy === undefined && verified.shares.length > params.sharesMax)
    refuseAs('too-many-shares', `${verified.shares.length} contributions, at most ${params.sharesMax}`);
  const work = workToCome(k, context, verified, model);
  context.gas.consume(gasOfWork(params, work), 'attribution end of window');
  return { verified, bond };
}

/** Takes the bond and opens the claim. */
export function submitClaim(
  k: AttributionCore,
  context: Context,
  claimant: string,
  { verified, bond }: SubmissionPlan,
): ClaimRecord {
  if (bond !== undefined) lockBond(k, context, k.addresses.toBytes(claimant), bond);
  const { height } = context.block;
  const finalHeight = height + BigInt(currentParams(k.state, context).claimBlocks);
  const claim: ClaimRecord = {
    ...verified,
    id: k.state.sequence.next(context) + 1n,
    height,
    claimant,
    state: bond === undefined ? VERIFIED : PENDING,
    bond: bond === undefined ? undefined : coinToWire(bond),
    finalHeight,
    dueHeight: finalHeight,
    paramsVersion: holdVersion(k.state, context),
  };
  holdGrounds(k, context, claim, 1);
  insertClaim(k, context, claim);
  context.emit(claimSubmitted(claim));
  return claim;
}

/** What a claim rests on stays as long as the claim is open. */
function holdGrounds(
  k: AttributionCore,
  context: Context,
  { indexIds, cardId }: ClaimRecord,
  change: 1 | -1,
): void {
  for (const id of indexIds) countClaim(k, context, id, change);
  if (cardId > 0n) countCardClaim(k, context, cardId, change);
}

/** See `AttributionVerifier`. */
export function payableClaim(k: AttributionCore, context: ReadContext, payment: ClaimPayment): ClaimRecord {
  const { claimId, answer } = payment;
  const claim =
    k.state.claims.get(context, claimId) ?? refuseAs('unknown-claim', `there is no claim ${claimId}`);
  if (!isOpen(claim) || claim.receiptId > 0n || context.block.height > claim.finalHeight)
    refuseAs('claim-closed', `claim ${claimId} was paid, or its window is over; submit it again`);
  if (restsOnVoid(k, context, claim))
    refuseAs('not-usable', `an index or model card that claim ${claimId} rests on was convicted`);
  const { gasPerHash, gasPerByte } = currentParams(k.state, context);
  context.gas.consume(2 * chunkCount(answer.content.length) * gasPerHash, 'attribution hashes');
  context.gas.consume(answer.content.length * gasPerByte, 'attribution bytes');
  const other = otherThan(k, claim, payment);
  if (other !== undefined) refuseAs('other-claim', `claim ${claimId} is ${other}`);
  return claim;
}

/** What a payment does not have in common with the claim that it names. */
function otherThan(
  { addresses }: AttributionCore,
  claim: ClaimRecord,
  { model, answer, payer, requestHash }: ClaimPayment,
): string | undefined {
  if (claim.modelId !== model.id) return `about model ${claim.modelId}, not ${model.id}`;
  if (!equalBytes(addresses.toBytes(claim.payer), addresses.toBytes(payer)))
    return `for a payment of ${claim.payer}, not of ${payer}`;
  if (!equalBytes(claim.requestHash, requestHash))
    return `for request_hash ${toHex(claim.requestHash)}, not ${toHex(requestHash)}`;
  const { root, byteLength } = answerCommitment(answer);
  return claim.answerLength === BigInt(byteLength) && equalBytes(claim.answerRoot, root)
    ? undefined
    : 'about another answer';
}

/** See `AttributionVerifier`. */
export function payClaim(k: AttributionCore, context: Context, claim: ClaimRecord, receiptId: bigint): void {
  const paid = { ...claim, receiptId };
  if (claim.state === PENDING) k.state.claims.set(context, claim.id, paid);
  else closeClaim(k, context, paid, claim.state);
}

/** What it rests on is let go; the claim goes with it when nobody has paid by it. */
function closeClaim(
  k: AttributionCore,
  context: Context,
  claim: ClaimRecord,
  state: ClaimState,
): ClaimRecord {
  queueOf(k.state, claim).remove(context, [claim.dueHeight, claim.id]);
  releaseVersion(k.state, context, claim);
  holdGrounds(k, context, claim, -1);
  const closed = { ...claim, state, paramsVersion: 0n, dueHeight: 0n };
  if (claim.receiptId === 0n) k.state.claims.remove(context, claim.id);
  else insertClaim(k, context, closed);
  return closed;
}

/** The window of a claim is over: it is decided, or forgotten when it had its proofs and nobody paid by it. */
export function endClaim(k: AttributionCore, context: Context, claim: ClaimRecord): void {
  if (claim.openRequests > 0) {
    // Its requests expire in portions: what they show decides it.
    requeue(k, context, claim, context.block.height + 1n);
    return;
  }
  if (claim.state === VERIFIED) {
    closeClaim(k, context, claim, VERIFIED);
    context.emit(claimExpired(claim));
    return;
  }
  const state = restsOnVoid(k, context, claim) ? ClaimState.CLAIM_STATE_VOIDED : ClaimState.CLAIM_STATE_FINAL;
  if (claim.bond !== undefined) payBond(k, context, claim.claimant, claim.bond);
  decided(k, context, closeClaim(k, context, claim, state));
}

function decided(k: AttributionCore, context: Context, claim: ClaimRecord): void {
  context.emit(claimDecided(claim));
  if (claim.receiptId > 0n) k.hooks.claimDecided(context, claim);
}

function restsOnVoid(k: AttributionCore, context: ReadContext, { indexIds, cardId }: ClaimRecord): boolean {
  if (cardId > 0n && requireCard(k, context, cardId).voidedHeight > 0n) return true;
  return indexIds.some((id) => {
    const index = k.state.indexes.get(context, id);
    assert(index !== undefined, 'a claim names an index that is not there');
    return shardsOf(k, context, index).some(({ voidedHeight }) => voidedHeight > 0n);
  });
}

/** A claim that can still be disputed. @throws StateError (attribution 31, 32) */
export function pendingClaim(k: AttributionCore, context: ReadContext, id: bigint): ClaimRecord {
  const record = k.state.claims.get(context, id) ?? refuseAs('unknown-claim', `there is no claim ${id}`);
  if (!isPending(record))
    refuseAs(
      'claim-closed',
      `claim ${id} is not pending; only optimistic claims are disputed, in their window`,
    );
  return record;
}

/**
 * Windows by which questions can delay a claim: what one answer shows may be needed to ask the next, some
 * twelve times for the largest sum trees.
 */
const DELAY_WINDOWS_MAX = 2n;

/** Last height at which a claim can be asked about: as long as it waits, and that not for ever. */
function lastAskHeight({ height, finalHeight, dueHeight }: ClaimRecord): bigint {
  const last = finalHeight + DELAY_WINDOWS_MAX * (finalHeight - height);
  return dueHeight < last ? dueHeight : last;
}

/** A claim that can be asked about. @throws StateError (attribution 31, 32) */
export function askableClaim(k: AttributionCore, context: ReadContext, id: bigint): ClaimRecord {
  const record = pendingClaim(k, context, id);
  const last = lastAskHeight(record);
  if (context.block.height > last)
    refuseAs('claim-closed', `claim ${id} could be asked about until height ${last}`);
  return record;
}

/** Charges for its bytes. @throws StateError (attribution 33) unless this is the claim as it was submitted */
export function requireSubmitted(
  k: AttributionCore,
  context: ReadContext,
  record: ClaimRecord,
  claim: Claim,
): void {
  const bytes = Claim.encode(claim);
  context.gas.consume(bytes.length * currentParams(k.state, context).gasPerByte, 'attribution bytes');
  if (!equalBytes(sha256(bytes), record.claimHash))
    refuseAs('other-claim', `this is not claim ${record.id}: give it as it was submitted`);
}

/**
 * A request about a claim is opened, or closed. It is decided behind the deadline by as many blocks as the
 * request had, so that an answer in the last one can still be used against it. It may be gone.
 */
export function countClaimRequest(
  k: AttributionCore,
  context: Context,
  id: bigint,
  { change, deadline }: { readonly change: 1 | -1; readonly deadline: bigint },
): void {
  const claim = k.state.claims.get(context, id);
  if (claim === undefined) return;
  const counted = { ...claim, openRequests: claim.openRequests + change };
  const dueHeight = 2n * deadline - context.block.height;
  if (change === 1 && dueHeight > claim.dueHeight) requeue(k, context, counted, dueHeight);
  else k.state.claims.set(context, id, counted);
}

function requeue({ state }: AttributionCore, context: Context, claim: ClaimRecord, dueHeight: bigint): void {
  state.openClaims.remove(context, [claim.dueHeight, claim.id]);
  state.openClaims.add(context, [dueHeight, claim.id]);
  state.claims.set(context, claim.id, { ...claim, dueHeight });
}

/** The claim that a dispute convicts. @throws StateError (attribution 24, 25, 31, 32, 33) */
export function checkDispute(
  k: AttributionCore,
  context: ReadContext,
  message: MsgDisputeClaim,
): ClaimRecord {
  const { claimId, claim, provenance, influence, omission } = message;
  const record = pendingClaim(k, context, claimId);
  requireSubmitted(k, context, record, claim);
  if ([provenance !== undefined, influence.length > 0, omission !== undefined].filter(Boolean).length !== 1)
    refuseAs('not-convicted', 'give what contradicts the claim: one of provenance, influence and omission');
  const problem =
    provenance !== undefined
      ? problemOfProvenance(k, context, { record, claim, provenance })
      : omission !== undefined
        ? problemOfOmissionDispute(k, context, { record, token: claim.token, omission })
        : problemOfInfluence(k, context, { record, claim, proof: influence });
  if (problem !== undefined) refuseAs('not-convicted', `claim ${claimId}: ${problem}`);
  return record;
}

interface Disputed {
  readonly record: ClaimRecord;
  readonly claim: Claim;
}

/** Why a proof does not contradict what a claim says of the influence of contributions. */
function problemOfInfluence(
  k: AttributionCore,
  context: ReadContext,
  { record, claim, proof }: Disputed & { readonly proof: Uint8Array },
): string | undefined {
  if (claim.influence === undefined) return 'it says nothing of influence';
  const { card } = requireCard(k, context, record.cardId);
  const { statement } = claim.influence;
  return problemOfInfluenceDispute(k, context, { cardBytes: card, statement }, { proof, against: record });
}

/** Why a proof does not contradict what a claim says of a span in a shard. */
function problemOfProvenance(
  k: AttributionCore,
  context: ReadContext,
  { record, claim, provenance }: Disputed & { readonly provenance: ProvenanceDispute },
): string | undefined {
  chargeEvidence(k, context, { proof: provenance.proof, against: record });
  const span = claim.token?.spans[provenance.span];
  const shard = shardOfClaim(k, context, record, provenance.shardId);
  if (span === undefined || shard === undefined)
    return `it says nothing of span ${provenance.span} in shard ${provenance.shardId}`;
  // Behind the version stands how many: refused before the work of verifying them is done.
  if (provenance.proof[1] !== 1) return 'a dispute is a proof of one statement';
  const query = tokenise(span.text);
  const { commitment } = shard;
  const work = refusalOr(() => workOfShardProof({ commitment, query, proof: provenance.proof }));
  if ('refusal' in work) return `the proof does not hold: ${work.refusal}`;
  chargeWork(k, context, work.value);
  const proved = statementsOf(shard, query, provenance.proof);
  if (typeof proved === 'string') return `the proof does not hold: ${proved}`;
  const [statement] = proved;
  const claimed = { span, shard, tokens: query.length };
  const contributionOf = (of: ClaimedShard, document: number) => contributionIn(k, context, of, document);
  return statement === undefined || proved.length > 1 || !contradicts(statement, claimed, contributionOf)
    ? 'what the proof shows is what the claim says, or about something else'
    : undefined;
}

function shardOfClaim(
  k: AttributionCore,
  context: ReadContext,
  { indexIds }: ClaimRecord,
  shardId: bigint,
): ClaimedShard | undefined {
  for (const id of indexIds) {
    const index = k.state.indexes.get(context, id);
    if (index?.shardIds.includes(shardId) === true) return k.state.shards.get(context, shardId);
  }
  return undefined;
}

/**
 * Ends a claim that was contradicted, or of which a piece was not shown: its bond is lost, its payment goes
 * to the Datanet pools. The reward.
 */
export function refuteClaim(
  k: AttributionCore,
  context: Context,
  claim: ClaimRecord,
  conviction: Conviction,
): WireCoin {
  const { bond } = claim;
  assert(bond !== undefined, 'an optimistic claim without a bond');
  const params = paramsOf(k.state, context, claim);
  const reward = forfeitBond(k, context, { bond, challenger: conviction.challenger, params });
  context.emit(claimRefuted(claim, conviction, reward));
  decided(k, context, closeClaim(k, context, claim, ClaimState.CLAIM_STATE_REFUTED));
  return reward;
}
