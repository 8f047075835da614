/** Indexes: shards of one publisher that partition a snapshot. */
import { assert } from '../../core/errors.ts';
import type { Coin } from '../../framework/coins.ts';
import type { Context, ReadContext } from '../../framework/context.ts';
import {
  type Index,
  ObjectState,
  type Shard,
  type ShardCommitment,
} from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import type { IndexShard, MsgPublishIndex } from '../../proto/gen/openledger/attribution/v1/tx.ts';
import { Admission, type Snapshot } from '../../proto/gen/openledger/datanet/v1/datanet.ts';
import { checkBond, lockBond } from './bonds.ts';
import type { AttributionCore } from './core.ts';
import { checkEndpoint, validateEndpoint } from './endpoint.ts';
import { refuseAs } from './errors.ts';
import { indexPublished, indexRemoved, indexRetired } from './events.ts';
import { commitmentProblem } from './proof/shard/commitment.ts';
import { addShard, holdShard, letGoOfShard, requireShard } from './shards.ts';
import { STANDING_NAMES, standingOf, standingOfIndex } from './standing.ts';
import { currentParams } from './versions.ts';
import { gasOfWork, WORK } from './work.ts';

/** @throws StateError (attribution 20) when there is none */
export function requireIndex({ state }: AttributionCore, context: ReadContext, id: bigint): Index {
  return state.indexes.get(context, id) ?? refuseAs('unknown-index', `there is no index ${id}; check the id`);
}

/** The shards of an index, in order. */
export function shardsOf(
  { state }: AttributionCore,
  context: ReadContext,
  { shardIds }: Index,
): readonly Shard[] {
  return shardIds.map((id) => {
    const shard = state.shards.get(context, id);
    assert(shard !== undefined, 'an index names a shard that is not there');
    return shard;
  });
}

/** An index that was checked: its shards, known or new. */
export interface IndexPlan {
  readonly bond: Coin;
  readonly shards: readonly (Shard | ShardCommitment)[];
}

function isShard(part: Shard | ShardCommitment): part is Shard {
  return 'commitment' in part;
}

/** @throws StateError (attribution 17, 18, 19, 21, 22, 23) */
export function planIndex(k: AttributionCore, context: ReadContext, message: MsgPublishIndex): IndexPlan {
  const params = currentParams(k.state, context);
  const { shards: parts, snapshotId, endpoint } = message;
  if (parts.length > params.shardsMax)
    refuseAs('malformed-index', `${parts.length} shards, at most ${params.shardsMax} are allowed`);
  checkEndpoint(endpoint, params, 'malformed-index');
  const bond = checkBond(message.bond, params.shardBond, params);
  const snapshot =
    k.datanets.snapshot(context, snapshotId) ??
    refuseAs('unknown-snapshot', `there is no snapshot ${snapshotId}; check snapshot_id`);
  // Its end may come with a claim's, or when it was convicted: in a hook.
  context.gas.consume(gasOfWork(params, parts.length * WORK.shardEnd), 'attribution end of index');
  const shards = parts.map((part) => planShard(k, context, message, part));
  checkPartition(
    shards.map((part) => (isShard(part) ? part.commitment : part)),
    snapshot,
  );
  return { bond, shards };
}

function planShard(
  k: AttributionCore,
  context: ReadContext,
  { publisher }: MsgPublishIndex,
  { shardId, commitment }: IndexShard,
): Shard | ShardCommitment {
  if (commitment !== undefined) {
    checkSalted(k, context, commitment);
    return commitment;
  }
  const shard = requireShard(k, context, shardId);
  if (shard.publisher !== publisher)
    refuseAs('not-owner', `shard ${shardId} is of ${shard.publisher}; publish a shard of your own`);
  const standing = standingOf(shard, context.block.height);
  if (standing === ObjectState.OBJECT_STATE_VOIDED || standing === ObjectState.OBJECT_STATE_UNBONDING)
    refuseAs('not-usable', `shard ${shardId} is voided or unbonding; publish it anew`);
  return shard;
}

/** Of a Datanet that is open to all anybody has the texts, and anybody has to be able to ask for leaves. */
function checkSalted(
  { datanets }: AttributionCore,
  context: ReadContext,
  { salted, datanetId }: ShardCommitment,
): void {
  if (salted && datanets.datanet(context, datanetId)?.admission !== Admission.ADMISSION_ALLOW_LIST)
    refuseAs('malformed-index', `datanet ${datanetId} has no allow-list; publish an index without salts`);
}

function checkPartition(commitments: readonly ShardCommitment[], snapshot: Snapshot): void {
  let position = 0n;
  for (const [i, { datanetId, firstPosition, documents }] of commitments.entries()) {
    if (datanetId !== snapshot.datanetId)
      refuseAs('malformed-index', `shard ${i} is of datanet ${datanetId}, not ${snapshot.datanetId}`);
    if (firstPosition !== position)
      refuseAs('malformed-index', `shard ${i} begins at position ${firstPosition}, not at ${position}`);
    position += BigInt(documents);
  }
  if (position !== snapshot.count)
    refuseAs(
      'malformed-index',
      `the shards hold ${position} documents, snapshot ${snapshot.id} has ${snapshot.count}`,
    );
}

/** Form of a MsgPublishIndex. @throws StateError (attribution 18) */
export function validateIndex({ shards, endpoint }: MsgPublishIndex): void {
  if (shards.length === 0) refuseAs('malformed-index', 'an index needs at least one shard');
  const known = shards.flatMap(({ commitment, shardId }) => (commitment === undefined ? [shardId] : []));
  if (new Set(known).size !== known.length) refuseAs('malformed-index', 'a shard is named twice');
  for (const [i, { shardId, commitment }] of shards.entries()) {
    if (commitment === undefined && shardId > 0n) continue;
    if (commitment === undefined || shardId > 0n)
      refuseAs('malformed-index', `shard ${i}: give the id of a known shard or a commitment, one of both`);
    const problem = commitmentProblem(commitment);
    if (problem !== undefined) refuseAs('malformed-index', `the commitment of shard ${i} ${problem}`);
  }
  validateEndpoint(endpoint, 'malformed-index');
}

/** Takes the bonds, writes new shards and the index. */
export function publishIndex(
  k: AttributionCore,
  context: Context,
  message: MsgPublishIndex,
  { bond, shards }: IndexPlan,
): Index {
  const { publisher, snapshotId, endpoint } = message;
  const made = shards.filter((part) => !isShard(part)).length;
  if (made > 0)
    lockBond(k, context, k.addresses.toBytes(publisher), { ...bond, amount: bond.amount * BigInt(made) });
  const shardIds = shards.map((part) => {
    if (!isShard(part)) return addShard(k, context, { publisher, commitment: part, bond }).id;
    holdShard(k, context, part);
    return part.id;
  });
  const index: Index = {
    id: k.state.indexSequence.next(context) + 1n,
    publisher,
    snapshotId,
    shardIds,
    endpoint,
    height: context.block.height,
    claims: 0,
    retired: false,
  };
  insertIndex(k, context, index);
  context.emit(indexPublished(index));
  return index;
}

/** Writes an index, and for its shards that it holds them. */
export function insertIndex({ state }: AttributionCore, context: Context, index: Index): void {
  state.indexes.replace(context, index.id, undefined, index);
  if (index.retired) return;
  for (const shardId of index.shardIds) state.indexesOfShard.add(context, [shardId, index.id]);
}

/** @throws StateError (attribution 22, 23) when the sender may not retire it, or it is retired */
export function checkRetirement(
  k: AttributionCore,
  context: ReadContext,
  { id, sender }: { readonly id: bigint; readonly sender: string },
): Index {
  const index = requireIndex(k, context, id);
  if (index.retired) refuseAs('not-usable', `index ${id} is retired; it goes when its claims are decided`);
  const standing = standingOfIndex(index, shardsOf(k, context, index), context.block.height);
  if (index.publisher !== sender && standing !== ObjectState.OBJECT_STATE_VOIDED)
    refuseAs('not-owner', `index ${id} is of ${index.publisher} and is not voided`);
  return index;
}

/** No new claims; gone at once when no claim rests on it. */
export function retireIndex(k: AttributionCore, context: Context, index: Index): void {
  context.emit(indexRetired(index));
  for (const shardId of index.shardIds) k.state.indexesOfShard.remove(context, [shardId, index.id]);
  const retired = { ...index, retired: true };
  if (index.claims === 0) removeIndex(k, context, retired);
  else k.state.indexes.replace(context, index.id, index, retired);
}

function removeIndex(k: AttributionCore, context: Context, index: Index): void {
  k.state.indexes.remove(context, index.id);
  for (const id of index.shardIds) letGoOfShard(k, context, id);
  context.emit(indexRemoved(index));
}

/** A claim rests on it from now on, or no longer. */
export function countClaim(k: AttributionCore, context: Context, id: bigint, change: 1 | -1): void {
  const index = k.state.indexes.get(context, id);
  assert(index !== undefined, 'a claim names an index that is not there');
  const changed = { ...index, claims: index.claims + change };
  if (changed.retired && changed.claims === 0) removeIndex(k, context, changed);
  else k.state.indexes.replace(context, id, index, changed);
}

/** @throws StateError (attribution 20, 23) unless claims may rest on it */
export function activeIndex(k: AttributionCore, context: ReadContext, id: bigint): Index {
  const index = requireIndex(k, context, id);
  const standing = standingOfIndex(index, shardsOf(k, context, index), context.block.height);
  if (standing !== ObjectState.OBJECT_STATE_ACTIVE)
    refuseAs('not-usable', `index ${id} is ${STANDING_NAMES[standing] ?? 'not active'}`);
  return index;
}
