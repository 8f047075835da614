/** Availability: whoever publishes a shard shows any piece of it in time, or loses the shard. */
import { assert } from '../../core/errors.ts';
import { equalBytes } from '../../core/bytes.ts';
import { HASH_BYTES } from '../../core/hash.ts';
import { type Coin, coinToWire } from '../../framework/coins.ts';
import type { Context, ReadContext } from '../../framework/context.ts';
import {
  type ChunkPlace,
  type ChunkRequest,
  ObjectState,
  type Shard,
  type ShardCommitment,
} from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import type { MsgRequestChunk, MsgServeChunk } from '../../proto/gen/openledger/attribution/v1/tx.ts';
import { checkBond, lockBond, payBond } from './bonds.ts';
import type { AttributionCore } from './core.ts';
import { refuseAs } from './errors.ts';
import { requestAnswered, requestExpired, requestMade } from './events.ts';
import { SHARD_TREES, type ShardTree } from './proof/kinds.ts';
import { treeOfShard } from './proof/shard/commitment.ts';
import { LEAF_BYTES_MAX, leafProblem } from './proof/shard/leaves.ts';
import { verifyOpening } from './proof/tree.ts';
import { chunkCount, chunkLength, rootOfRange } from './range-proof.ts';
import { closeRequestOf, requireShard, voidShard } from './shards.ts';
import { standingOf } from './standing.ts';
import { currentParams, holdVersion, releaseVersion } from './versions.ts';

const TREES: readonly ShardTree[] = ['text', 'suffix', 'inverse', 'documents'];

function treeAt(kind: number): ShardTree | undefined {
  return TREES.find((tree) => SHARD_TREES[tree] === kind);
}

/** Form of a place. @throws StateError (attribution 26) */
export function validatePlace({ tree, document }: ChunkPlace): void {
  if (tree !== 0 && treeAt(tree) === undefined)
    refuseAs('malformed-request', `there is no tree ${tree}; 0 is a document, 1 to 4 are the trees`);
  if (tree !== 0 && document !== 0)
    refuseAs('malformed-request', 'document belongs to a request for a content, with tree 0');
}

/** The content that a place of a shard lies in, as the chain has it. */
function contentAt(
  { datanets }: AttributionCore,
  context: ReadContext,
  { datanetId, firstPosition }: ShardCommitment,
  { document }: ChunkPlace,
): { readonly root: Uint8Array; readonly byteLength: number } {
  const found = datanets.contributionAt(context, datanetId, firstPosition + BigInt(document));
  assert(found !== undefined, 'a shard indexes a position that is not there');
  return { root: found.root, byteLength: Number(found.byteLength) };
}

function checkPlace(k: AttributionCore, context: ReadContext, shard: Shard, place: ChunkPlace): void {
  const { commitment } = shard;
  const tree = treeAt(place.tree);
  if (tree === undefined && place.document >= commitment.documents)
    refuseAs('malformed-request', `shard ${shard.id} has ${commitment.documents} documents`);
  const pieces =
    tree === undefined
      ? chunkCount(contentAt(k, context, commitment, place).byteLength)
      : treeOfShard(commitment, tree).leaves;
  if (place.chunk >= pieces)
    refuseAs('malformed-request', `there are ${pieces} pieces, from 0; ${place.chunk} is none of them`);
}

/** @throws StateError (attribution 19, 21, 23, 26, 27) */
export function checkRequest(k: AttributionCore, context: ReadContext, message: MsgRequestChunk): Coin {
  const params = currentParams(k.state, context);
  const bond = checkBond(message.bond, params.requestBond, params);
  const shard = requireShard(k, context, message.shardId);
  const standing = standingOf(shard, context.block.height);
  if (standing === ObjectState.OBJECT_STATE_VOIDED || standing === ObjectState.OBJECT_STATE_UNBONDING)
    refuseAs('not-usable', `shard ${shard.id} is voided or unbonding`);
  const { salted, datanetId } = shard.commitment;
  if (salted && !k.datanets.isMember(context, datanetId, k.addresses.toBytes(message.requester)))
    refuseAs(
      'not-member',
      `shard ${shard.id} is salted: its owner, its allow-list and its contributors may ask, since the answer is public`,
    );
  if (shard.openRequests >= params.shardRequestsMax)
    refuseAs('too-many-requests', `shard ${shard.id} has ${shard.openRequests} open requests; wait for one`);
  const open = k.state.requestsOf.get(context, k.addresses.toBytes(message.requester)) ?? 0n;
  if (open >= params.accountRequestsMax)
    refuseAs('too-many-requests', `${message.requester} has ${open} open requests; wait for one`);
  checkPlace(k, context, shard, message.place);
  return bond;
}

/** Takes the bond and opens the request. */
export function openRequest(
  k: AttributionCore,
  context: Context,
  message: MsgRequestChunk,
  bond: Coin,
): ChunkRequest {
  const { requester, shardId, place } = message;
  const account = k.addresses.toBytes(requester);
  lockBond(k, context, account, bond);
  const shard = requireShard(k, context, shardId);
  const { height } = context.block;
  const request: ChunkRequest = {
    id: k.state.requestSequence.next(context) + 1n,
    requester,
    shardId,
    place,
    bond: coinToWire(bond),
    height,
    deadline: height + BigInt(currentParams(k.state, context).requestBlocks),
    paramsVersion: holdVersion(k.state, context),
  };
  k.state.shards.set(context, shardId, { ...shard, openRequests: shard.openRequests + 1 });
  insertRequest(k, context, request);
  context.emit(requestMade(request));
  return request;
}

/** Writes a request, its deadline and its account's count. */
export function insertRequest(k: AttributionCore, context: Context, request: ChunkRequest): void {
  const account = k.addresses.toBytes(request.requester);
  k.state.requests.set(context, request.id, request);
  k.state.deadlines.add(context, [request.deadline, request.id]);
  k.state.requestsOf.set(context, account, (k.state.requestsOf.get(context, account) ?? 0n) + 1n);
}

function removeRequest(k: AttributionCore, context: Context, request: ChunkRequest): void {
  const account = k.addresses.toBytes(request.requester);
  k.state.requests.remove(context, request.id);
  k.state.deadlines.remove(context, [request.deadline, request.id]);
  const open = (k.state.requestsOf.get(context, account) ?? 1n) - 1n;
  if (open === 0n) k.state.requestsOf.remove(context, account);
  else k.state.requestsOf.set(context, account, open);
  releaseVersion(k.state, context, request);
}

/** An answer that was checked. */
export interface AnswerPlan {
  readonly request: ChunkRequest;
  readonly publisher: string;
}

/** Charges gas by size, then checks the piece. @throws StateError (attribution 23, 25, 28, 29, 30) */
export function checkAnswer(k: AttributionCore, context: ReadContext, message: MsgServeChunk): AnswerPlan {
  const { requestId, content, hashes } = message;
  const params = currentParams(k.state, context);
  const request =
    k.state.requests.get(context, requestId) ??
    refuseAs('unknown-request', `there is no open request ${requestId}; it was answered or has expired`);
  if (context.block.height > request.deadline)
    refuseAs('request-closed', `request ${requestId} had to be answered by height ${request.deadline}`);
  const shard = requireShard(k, context, request.shardId);
  if (shard.voidedHeight > 0n) refuseAs('not-usable', `shard ${shard.id} is voided; no answer helps`);
  const bytes = content.length + hashes.length * HASH_BYTES;
  if (bytes > params.evidenceBytesMax)
    refuseAs(
      'evidence-size',
      `the answer has ${bytes} bytes, at most ${params.evidenceBytesMax} are allowed`,
    );
  context.gas.consume((2 + hashes.length) * params.gasPerHash, 'attribution hashes');
  context.gas.consume(bytes * params.gasPerByte, 'attribution bytes');
  if (!isPiece(k, context, shard, { place: request.place, content, hashes }))
    refuseAs(
      'wrong-chunk',
      `request ${requestId} is for piece ${request.place.chunk}; give it whole, and its path`,
    );
  return { request, publisher: shard.publisher };
}

interface Piece extends Pick<MsgServeChunk, 'content' | 'hashes'> {
  readonly place: ChunkPlace;
}

function isPiece(k: AttributionCore, context: ReadContext, { commitment }: Shard, piece: Piece): boolean {
  const { place, content, hashes } = piece;
  if (hashes.some((hash) => hash.length !== HASH_BYTES)) return false;
  const name = treeAt(place.tree);
  if (name !== undefined) {
    const joined = new Uint8Array(hashes.length * HASH_BYTES);
    for (const [i, hash] of hashes.entries()) joined.set(hash, i * HASH_BYTES);
    // What can be opened in no fraud proof is no answer: whoever committed to it loses the shard.
    if (content.length > LEAF_BYTES_MAX) return false;
    if (leafProblem(commitment, { tree: name, index: place.chunk, bytes: content }) !== undefined)
      return false;
    const tree = treeOfShard(commitment, name);
    return verifyOpening(tree, { indices: [place.chunk], leaves: [content], hashes: joined });
  }
  const { root, byteLength } = contentAt(k, context, commitment, place);
  if (content.length !== chunkLength(place.chunk, byteLength)) return false;
  const total = chunkCount(byteLength);
  const found = rootOfRange({ total, first: place.chunk, chunks: [content], hashes });
  return found !== undefined && equalBytes(found, root);
}

/** Pays the publisher for the answer and closes the request. */
export function answerRequest(
  k: AttributionCore,
  context: Context,
  { request, publisher }: AnswerPlan,
): void {
  payBond(k, context, publisher, request.bond);
  removeRequest(k, context, request);
  closeRequestOf(k, context, request.shardId);
  context.emit(requestAnswered(request, publisher));
}

/** A deadline has passed: the bond goes back, and the shard is lost to the requester unless it is already. */
export function expireRequest(k: AttributionCore, context: Context, id: bigint): void {
  const request = k.state.requests.get(context, id);
  assert(request !== undefined, 'a queue names a request that is not there');
  payBond(k, context, request.requester, request.bond);
  removeRequest(k, context, request);
  context.emit(requestExpired(request));
  const shard = k.state.shards.get(context, request.shardId);
  if (shard !== undefined && shard.voidedHeight === 0n)
    voidShard(k, context, shard, { challenger: request.requester, reason: 'unavailable' });
  closeRequestOf(k, context, request.shardId);
}
