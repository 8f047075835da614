/**
 * Availability: whoever publishes a shard, a model card or an optimistic claim of influence shows any piece
 * of it in time, or loses it. docs/adr/0024.
 */
import { leastRequestBond } from '../../framework/bonds.ts';
import { type Coin, coinToWire } from '../../framework/coins.ts';
import type { Context, ReadContext } from '../../framework/context.ts';
import type { ChunkPlace, ChunkRequest } from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import type { MsgRequestChunk, MsgServeChunk } from '../../proto/gen/openledger/attribution/v1/tx.ts';
import { checkBond, divideBond, lockBond, payBond } from './bonds.ts';
import type { AttributionCore } from './core.ts';
import { refuseAs } from './errors.ts';
import { requestAnswered, requestExpired, requestMade } from './events.ts';
import { workOfPiece } from './proof/influence/pieces.ts';
import { type AskedPiece, askedPiece, isAnswer, validatePlace } from './request-pieces.ts';
import {
  answererOf,
  countRequest,
  loseTo,
  nameOf,
  requireAskable,
  type Target,
  type TargetKind,
  targetOf,
  uncountRequest,
} from './request-targets.ts';
import type { PlaceKey } from './state.ts';
import { currentParams, holdVersion, paramsOf, releaseVersion } from './versions.ts';

const TARGET_NUMBERS: Readonly<Record<TargetKind, number>> = { shard: 1, card: 2, claim: 3 };

/** Key of a place: no two open requests have one. */
export function placeKeyOf({ kind, id }: Target, { tree, document, chunk }: ChunkPlace): PlaceKey {
  return [[TARGET_NUMBERS[kind], id], [tree, document], chunk];
}

/** Form of a request. @throws StateError (attribution 26) */
export function validateRequest(message: MsgRequestChunk): void {
  validatePlace(targetOf(message), message.place);
}

/** A request that was checked. */
export interface RequestPlan {
  readonly target: Target;
  readonly piece: AskedPiece;
  readonly bond: Coin;
  /** Blocks in which it has to be answered: those of the version of the target. */
  readonly blocks: number;
}

/** @throws StateError (attribution 19, 21, 23, 26, 27, 31, 32, 33, 39, 41, 42) */
export function checkRequest(
  k: AttributionCore,
  context: ReadContext,
  message: MsgRequestChunk,
): RequestPlan {
  const params = currentParams(k.state, context);
  const target = targetOf(message);
  const asked = requireAskable(k, context, target, message.requester);
  const { openRequests } = asked;
  if (openRequests >= params.shardRequestsMax)
    refuseAs('too-many-requests', `${nameOf(target)} has ${openRequests} open requests; wait for one`);
  const bond = checkBond(message.bond, leastRequestBond(params.requestBond, openRequests), params);
  const open = k.state.requestsOf.get(context, k.addresses.toBytes(message.requester)) ?? 0n;
  if (open >= params.accountRequestsMax)
    refuseAs('too-many-requests', `${message.requester} has ${open} open requests; wait for one`);
  const piece = askedPiece(k, context, target, message);
  const same = k.state.requestPlaces.get(context, placeKeyOf(target, piece.place));
  if (same !== undefined)
    refuseAs('already-requested', `request ${same} is for the same piece of ${nameOf(target)}; wait for it`);
  const { requestBlocks: blocks } = paramsOf(k.state, context, asked);
  return { target, piece, bond, blocks };
}

/** Takes the bond and opens the request. */
export function openRequest(
  k: AttributionCore,
  context: Context,
  message: MsgRequestChunk,
  { target, piece, bond, blocks }: RequestPlan,
): ChunkRequest {
  const { requester, shardId, cardId, claimId } = message;
  const { place, root } = piece;
  lockBond(k, context, k.addresses.toBytes(requester), bond);
  const { height } = context.block;
  const request: ChunkRequest = {
    id: k.state.requestSequence.next(context) + 1n,
    requester,
    shardId,
    cardId,
    claimId,
    place,
    bond: coinToWire(bond),
    height,
    deadline: height + BigInt(blocks),
    paramsVersion: holdVersion(k.state, context),
    root,
  };
  countRequest(k, context, target, request.deadline);
  insertRequest(k, context, request);
  context.emit(requestMade(request));
  return request;
}

/** Writes a request, its deadline, its place and its account's count. */
export function insertRequest(k: AttributionCore, context: Context, request: ChunkRequest): void {
  const account = k.addresses.toBytes(request.requester);
  k.state.requests.set(context, request.id, request);
  k.state.deadlines.add(context, [request.deadline, request.id]);
  k.state.requestPlaces.set(context, placeKeyOf(targetOf(request), request.place), request.id);
  k.state.requestsOf.set(context, account, (k.state.requestsOf.get(context, account) ?? 0n) + 1n);
}

function removeRequest(k: AttributionCore, context: Context, request: ChunkRequest): void {
  const account = k.addresses.toBytes(request.requester);
  k.state.requests.remove(context, request.id);
  k.state.deadlines.remove(context, [request.deadline, request.id]);
  k.state.requestPlaces.remove(context, placeKeyOf(targetOf(request), request.place));
  const open = (k.state.requestsOf.get(context, account) ?? 1n) - 1n;
  if (open === 0n) k.state.requestsOf.remove(context, account);
  else k.state.requestsOf.set(context, account, open);
  releaseVersion(k.state, context, request);
}

/** An answer that was checked. */
export interface AnswerPlan {
  readonly request: ChunkRequest;
  readonly target: Target;
  readonly publisher: string;
}

/** Charges gas by size, then checks the piece. @throws StateError (attribution 23, 25, 28, 29, 30, 32) */
export function checkAnswer(k: AttributionCore, context: ReadContext, message: MsgServeChunk): AnswerPlan {
  const { requestId } = message;
  const params = currentParams(k.state, context);
  const request =
    k.state.requests.get(context, requestId) ??
    refuseAs('unknown-request', `there is no open request ${requestId}; it was answered or has expired`);
  if (context.block.height > request.deadline)
    refuseAs('request-closed', `request ${requestId} had to be answered by height ${request.deadline}`);
  const target = targetOf(request);
  const publisher = answererOf(k, context, target);
  const { hashes, bytes } = workOfPiece(message);
  if (bytes > params.evidenceBytesMax)
    refuseAs(
      'evidence-size',
      `the answer has ${bytes} bytes, at most ${params.evidenceBytesMax} are allowed`,
    );
  context.gas.consume(hashes * params.gasPerHash, 'attribution hashes');
  context.gas.consume(bytes * params.gasPerByte, 'attribution bytes');
  if (!isAnswer(k, context, { target, request }, message))
    refuseAs(
      'wrong-chunk',
      `request ${requestId} is for piece ${request.place.chunk}; give it whole, a run with all its leaves, and its path`,
    );
  return { request, target, publisher };
}

/** Pays the publisher for the answer and closes the request. */
export function answerRequest(
  k: AttributionCore,
  context: Context,
  { request, target, publisher }: AnswerPlan,
): void {
  const { answerBps: bps } = paramsOf(k.state, context, request);
  const paid = divideBond(k, context, { bond: request.bond, to: publisher, bps });
  removeRequest(k, context, request);
  uncountRequest(k, context, target);
  context.emit(requestAnswered(request, publisher, paid));
}

/** A deadline has passed: the bond goes back, and the object is lost to the requester unless it is already. */
export function expireRequest(k: AttributionCore, context: Context, request: ChunkRequest): void {
  const target = targetOf(request);
  payBond(k, context, request.requester, request.bond);
  removeRequest(k, context, request);
  context.emit(requestExpired(request));
  loseTo(k, context, target, request.requester);
  uncountRequest(k, context, target);
}
