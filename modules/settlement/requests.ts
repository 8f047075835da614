/**
 * Availability: a gateway shows any piece of a pending epoch in time, or the epoch is convicted. Whoever asks
 * puts a bond: answered, a part of it pays the gateway and the rest the community pool; unanswered, it goes
 * back. docs/adr/0031.
 */
import { concatBytes, uint64BigEndian } from '../../core/bytes.ts';
import { DecodeError } from '../../core/errors.ts';
import { bondOf, isBond, leastRequestBond } from '../../framework/bonds.ts';
import { type Coin, coinToWire, parseCoin } from '../../framework/coins.ts';
import type { Context, ReadContext } from '../../framework/context.ts';
import { EpochOpening, EpochTree } from '../../proto/gen/openledger/settlement/v1/epoch.ts';
import {
  Epoch,
  type EpochPiece,
  type EpochRequest,
  EpochState,
} from '../../proto/gen/openledger/settlement/v1/settlement.ts';
import type {
  MsgRequestEpochPiece,
  MsgServeEpochPiece,
} from '../../proto/gen/openledger/settlement/v1/tx.ts';
import { paramsOf, type SettlementCore } from './core.ts';
import { chargeOpenings } from './disputes.ts';
import { convictEpoch, divideBond, requireEpoch } from './epochs.ts';
import { refuseAs } from './errors.ts';
import { requestAnswered, requestExpired, requestMade } from './events.ts';
import { kindOfTree } from './proof/kinds.ts';
import { treeOf } from './proof/node-fraud.ts';
import { attributionNamed, isAttribution, runOf, verifyRun } from './proof/piece.ts';
import { STORE_NAME } from './state.ts';

const NO_HASH: Uint8Array = new Uint8Array(0);

/** Key of a piece, among those of its epoch: no two open requests have one. */
export function keyOfPiece({ tree, first, attribution }: EpochPiece): Uint8Array {
  return concatBytes(Uint8Array.of(tree), uint64BigEndian(BigInt(first)), attribution);
}

/** Form of a request. @throws StateError (settlement 9, 19) */
export function validateRequest({ tree, receipt, bond }: MsgRequestEpochPiece): void {
  if (!isBond(bond)) refuseAs('wrong-bond', 'bond must be a denomination and a positive whole number');
  if (tree === EpochTree.EPOCH_TREE_UNSPECIFIED) return;
  if (kindOfTree(tree) === undefined) refuseAs('malformed-request', `an epoch has no tree ${tree}`);
  if (!isEmpty(receipt)) refuseAs('malformed-request', 'a receipt is opened for its attribution only');
}

function isEmpty({ leaves, siblings }: EpochOpening): boolean {
  return leaves.length === 0 && siblings.length === 0;
}

/** A request that was checked. */
export interface RequestPlan {
  readonly epoch: Epoch;
  readonly piece: EpochPiece;
  readonly bond: Coin;
}

/** Charges by size. @throws StateError (settlement 9, 12, 13, 19, 20, 21) */
export function checkRequest(
  k: SettlementCore,
  context: ReadContext,
  message: MsgRequestEpochPiece,
): RequestPlan {
  const params = paramsOf(k, context);
  const epoch = requireAskable(k, context, message.epochId);
  chargeEpoch(k, context, epoch);
  const { id, openRequests } = epoch;
  if (openRequests >= params.epochRequestsMax)
    refuseAs('too-many-requests', `epoch ${id} has ${openRequests} open requests; wait for one`);
  const open = k.state.requestsOf.get(context, k.addresses.toBytes(message.requester)) ?? 0n;
  if (open >= params.accountRequestsMax)
    refuseAs('too-many-requests', `${message.requester} has ${open} open requests; wait for one`);
  const least = leastRequestBond(params.requestBond, openRequests);
  const bond = bondOf(message.bond, { denom: params.bondDenom, amount: least });
  if (typeof bond === 'string') return refuseAs('wrong-bond', bond);
  const piece = pieceOf(k, context, epoch, message);
  const same = k.state.requestsByPiece.get(context, [id, keyOfPiece(piece)]);
  if (same !== undefined)
    refuseAs('already-requested', `request ${same} is for the same piece of epoch ${id}; wait for it`);
  return { epoch, piece, bond };
}

/** Pending, and not for longer than requests may delay it. @throws StateError (settlement 12, 13) */
function requireAskable(k: SettlementCore, context: ReadContext, epochId: bigint): Epoch {
  const epoch = requireEpoch(k, context, epochId);
  const { state, finalHeight, requestHeight } = epoch;
  const { height } = context.block;
  const last = finalHeight < requestHeight ? finalHeight : requestHeight;
  if (state !== EpochState.EPOCH_STATE_PENDING || height > last)
    refuseAs('window-over', `pieces of epoch ${epochId} could be asked for until height ${last}`);
  return epoch;
}

/** It is written anew, with all of its rows. */
function chargeEpoch(k: SettlementCore, context: ReadContext, epoch: Epoch): void {
  context.gas.consume(Epoch.encode(epoch).length * paramsOf(k, context).gasPerByte, 'settlement epoch');
}

function pieceOf(
  k: SettlementCore,
  context: ReadContext,
  { commitment }: Epoch,
  { tree, index, receipt }: MsgRequestEpochPiece,
): EpochPiece {
  const kind = kindOfTree(tree);
  if (kind !== undefined) {
    const { leaves } = treeOf(commitment, kind);
    if (index >= leaves) refuseAs('malformed-request', `there are ${leaves} leaves, from 0, and no ${index}`);
    return { tree, first: runOf(kind, { leaves }, index).first, attribution: NO_HASH };
  }
  chargeOpenings(k, context, { openings: [receipt], bytes: EpochOpening.encode(receipt).length });
  const attribution = refusing('malformed-request', () =>
    attributionNamed(commitment.receipts, { index, opening: receipt }),
  );
  return { tree, first: 0, attribution };
}

/** What a verifier refuses is refused with its words. */
function refusing<T>(name: 'malformed-request' | 'wrong-answer', verify: () => T): T {
  try {
    return verify();
  } catch (error) {
    if (error instanceof DecodeError) return refuseAs(name, error.message);
    throw error;
  }
}

/** Takes the bond and opens the request; there is time to use what is answered. */
export function openRequest(
  k: SettlementCore,
  context: Context,
  requester: string,
  { epoch, piece, bond }: RequestPlan,
): EpochRequest {
  const { height } = context.block;
  const { requestBlocks } = epoch;
  k.bank.sendToModule(context, {
    from: k.addresses.toBytes(requester),
    module: STORE_NAME,
    coins: [bond],
  });
  const request: EpochRequest = {
    id: k.state.requestSequence.next(context) + 1n,
    requester,
    epochId: epoch.id,
    piece,
    bond: coinToWire(bond),
    height,
    deadline: height + BigInt(requestBlocks),
    answerBps: paramsOf(k, context).answerBps,
  };
  insertRequest(k, context, request);
  const used = request.deadline + BigInt(requestBlocks);
  const finalHeight = used > epoch.finalHeight ? used : epoch.finalHeight;
  k.state.due.remove(context, [epoch.finalHeight, epoch.id]);
  k.state.due.add(context, [finalHeight, epoch.id]);
  k.state.epochs.set(context, epoch.id, { ...epoch, finalHeight, openRequests: epoch.openRequests + 1 });
  context.emit(requestMade(request));
  return request;
}

/** Writes a request, its deadline, its piece and its account's count. */
export function insertRequest(k: SettlementCore, context: Context, request: EpochRequest): void {
  const { id, requester, epochId, piece, deadline } = request;
  const account = k.addresses.toBytes(requester);
  k.state.requests.set(context, id, request);
  k.state.deadlines.add(context, [deadline, id]);
  k.state.requestsByPiece.set(context, [epochId, keyOfPiece(piece)], id);
  k.state.requestsOf.set(context, account, (k.state.requestsOf.get(context, account) ?? 0n) + 1n);
}

/** The epoch as it is now; undefined when it was convicted. */
function removeRequest(k: SettlementCore, context: Context, request: EpochRequest): Epoch | undefined {
  const { id, requester, epochId, piece, deadline } = request;
  const account = k.addresses.toBytes(requester);
  k.state.requests.remove(context, id);
  k.state.deadlines.remove(context, [deadline, id]);
  k.state.requestsByPiece.remove(context, [epochId, keyOfPiece(piece)]);
  const open = (k.state.requestsOf.get(context, account) ?? 1n) - 1n;
  if (open === 0n) k.state.requestsOf.remove(context, account);
  else k.state.requestsOf.set(context, account, open);
  const epoch = k.state.epochs.get(context, epochId);
  if (epoch === undefined) return undefined;
  const left = { ...epoch, openRequests: epoch.openRequests - 1 };
  k.state.epochs.set(context, epochId, left);
  return left;
}

/** An answer that was checked. */
export interface AnswerPlan {
  readonly request: EpochRequest;
  readonly gateway: string;
}

/** Charges by size, then checks the piece. @throws StateError (settlement 12, 22, 23, 24) */
export function checkAnswer(
  k: SettlementCore,
  context: ReadContext,
  { requestId, opening, attribution }: MsgServeEpochPiece,
): AnswerPlan {
  const request =
    k.state.requests.get(context, requestId) ??
    refuseAs('unknown-request', `there is no open request ${requestId}; it was answered or has expired`);
  const { deadline, piece } = request;
  if (context.block.height > deadline)
    refuseAs('request-closed', `request ${requestId} had to be answered by height ${deadline}`);
  const epoch = requireEpoch(k, context, request.epochId);
  chargeEpoch(k, context, epoch);
  const bytes = EpochOpening.encode(opening).length + attribution.length;
  chargeOpenings(k, context, { openings: [opening], bytes });
  const kind = kindOfTree(piece.tree);
  if (kind === undefined) {
    if (!isEmpty(opening) || !isAttribution(piece.attribution, attribution))
      refuseAs('wrong-answer', `request ${requestId} is for an attribution: give it, and nothing else`);
    return { request, gateway: epoch.gateway };
  }
  if (attribution.length > 0) refuseAs('wrong-answer', `request ${requestId} is for leaves`);
  const tree = treeOf(epoch.commitment, kind);
  const run = runOf(kind, tree, piece.first);
  refusing('wrong-answer', () => verifyRun(kind, tree, { run, opening }));
  return { request, gateway: epoch.gateway };
}

/** Pays the gateway for the answer and closes the request. */
export function answerRequest(k: SettlementCore, context: Context, { request, gateway }: AnswerPlan): void {
  const paid = divideBond(k, context, {
    bond: parseCoin(request.bond),
    to: gateway,
    bps: request.answerBps,
  });
  removeRequest(k, context, request);
  context.emit(requestAnswered(request, gateway, paid));
}

/** A deadline has passed: the bond goes back, and the epoch is convicted unless it is already. */
export function expireRequest(k: SettlementCore, context: Context, request: EpochRequest): void {
  const to = k.addresses.toBytes(request.requester);
  k.bank.send(context, { from: k.account, to, coins: [parseCoin(request.bond)] });
  context.emit(requestExpired(request));
  const epoch = removeRequest(k, context, request);
  if (epoch !== undefined) convictEpoch(k, context, epoch, request.requester);
}
