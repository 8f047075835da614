/** Shards: bonds, convictions, and the way out. An index holds a shard; what nothing holds unbonds. */
import { assert } from '../../core/errors.ts';
import type { Coin } from '../../framework/coins.ts';
import { coinToWire, type WireCoin } from '../../framework/coins.ts';
import type { Context, ReadContext } from '../../framework/context.ts';
import {
  ObjectState,
  type Shard,
  type ShardCommitment,
} from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import { ContributionState } from '../../proto/gen/openledger/datanet/v1/datanet.ts';
import { forfeitBond, payBond } from './bonds.ts';
import type { AttributionCore } from './core.ts';
import { refuseAs } from './errors.ts';
import { type Conviction, shardPublished, shardReleased, shardVoided } from './events.ts';
import { problemOfEvidence } from './evidence.ts';
import { type FraudChain, verifyFraud } from './proof/shard/fraud.ts';
import { decodeFraud } from './proof/shard/fraud-format.ts';
import { workOfFraud } from './proof/shard/work.ts';
import { newWindow, standingOf, withoutRequest, withRequest } from './standing.ts';
import { currentParams, holdVersion, paramsOf, releaseVersion } from './versions.ts';

/** @throws StateError (attribution 19) when there is none */
export function requireShard({ state }: AttributionCore, context: ReadContext, id: bigint): Shard {
  return state.shards.get(context, id) ?? refuseAs('unknown-shard', `there is no shard ${id}; check the id`);
}

/** A shard before it has a number. */
export interface NewShard {
  readonly publisher: string;
  readonly commitment: ShardCommitment;
  readonly bond: Coin;
}

/** Writes a new shard, held by one index. Its bond has been taken. */
export function addShard(k: AttributionCore, context: Context, made: NewShard): Shard {
  const { height } = context.block;
  const shard: Shard = {
    id: k.state.shardSequence.next(context) + 1n,
    publisher: made.publisher,
    commitment: made.commitment,
    bond: coinToWire(made.bond),
    height,
    ...newWindow(height, BigInt(currentParams(k.state, context).challengeBlocks)),
    paramsVersion: holdVersion(k.state, context),
    indexes: 1,
    openRequests: 0,
    voidedHeight: 0n,
    releaseHeight: 0n,
  };
  k.state.shards.set(context, shard.id, shard);
  context.emit(shardPublished(shard));
  return shard;
}

/** One more index holds it. */
export function holdShard({ state }: AttributionCore, context: Context, shard: Shard): void {
  state.shards.set(context, shard.id, { ...shard, indexes: shard.indexes + 1 });
}

/** One index less holds it: a shard that none holds unbonds, a voided one is gone. */
export function letGoOfShard(k: AttributionCore, context: Context, id: bigint): void {
  const shard = k.state.shards.get(context, id);
  assert(shard !== undefined && shard.indexes > 0, 'an index names a shard that is not there');
  const indexes = shard.indexes - 1;
  if (indexes > 0) k.state.shards.set(context, id, { ...shard, indexes });
  else if (shard.voidedHeight > 0n) dropShard(k, context, shard);
  else {
    const { unbondingBlocks } = paramsOf(k.state, context, shard);
    const releaseHeight = context.block.height + BigInt(unbondingBlocks);
    k.state.shards.set(context, id, { ...shard, indexes, releaseHeight });
    k.state.shardReleases.add(context, [releaseHeight, id]);
  }
}

/** The end of unbonding, when the queue says so: the bond goes back, unless requests are open. */
export function releaseShard(k: AttributionCore, context: Context, id: bigint): void {
  const shard = k.state.shards.get(context, id);
  assert(shard !== undefined, 'a queue names a shard that is not there');
  k.state.shardReleases.remove(context, [shard.releaseHeight, id]);
  if (shard.openRequests === 0) giveBack(k, context, shard);
}

/** One more request about it is open. */
export function openRequestOfShard(k: AttributionCore, context: Context, id: bigint): void {
  const shard = requireShard(k, context, id);
  k.state.shards.set(context, id, withRequest(shard, context.block.height));
}

/** A request about it is closed. The last one ends an unbonding whose height has passed. It may be gone. */
export function closeRequestOfShard(k: AttributionCore, context: Context, id: bigint): void {
  const shard = k.state.shards.get(context, id);
  if (shard === undefined) return;
  const left = withoutRequest(shard, context.block.height);
  const waits = shard.releaseHeight > 0n && !k.state.shardReleases.has(context, [shard.releaseHeight, id]);
  if (waits && left.openRequests === 0 && left.voidedHeight === 0n) giveBack(k, context, left);
  else k.state.shards.set(context, id, left);
}

function giveBack(k: AttributionCore, context: Context, shard: Shard): void {
  payBond(k, context, shard.publisher, shard.bond);
  dropShard(k, context, shard);
  context.emit(shardReleased(shard));
}

/** Its indexes end as late as its bond would have gone back, if nobody retires them before. */
function queueVoided({ state }: AttributionCore, context: Context, shard: Shard): void {
  state.shards.set(context, shard.id, shard);
  state.voidedShards.add(context, [shard.releaseHeight, shard.id]);
}

function dropShard({ state }: AttributionCore, context: Context, shard: Shard): void {
  state.shards.remove(context, shard.id);
  if (shard.voidedHeight > 0n && shard.releaseHeight > 0n)
    state.voidedShards.remove(context, [shard.releaseHeight, shard.id]);
  releaseVersion(state, context, shard);
}

/**
 * Voids a shard that has not been: its bond is lost, every index that holds it is void with it. The reward.
 */
export function voidShard(
  k: AttributionCore,
  context: Context,
  shard: Shard,
  conviction: Conviction,
): WireCoin {
  const params = paramsOf(k.state, context, shard);
  const reward = forfeitBond(k, context, { bond: shard.bond, challenger: conviction.challenger, params });
  if (shard.releaseHeight > 0n) k.state.shardReleases.remove(context, [shard.releaseHeight, shard.id]);
  const voided = { ...shard, voidedHeight: context.block.height, releaseHeight: 0n };
  if (shard.indexes === 0) dropShard(k, context, voided);
  else
    queueVoided(k, context, {
      ...voided,
      releaseHeight: context.block.height + BigInt(params.unbondingBlocks),
    });
  context.emit(shardVoided(voided, conviction, reward));
  return reward;
}

/** @throws StateError (attribution 23) when it was convicted before */
export function requireBonded(shard: Shard, context: ReadContext): void {
  if (standingOf(shard, context.block.height) === ObjectState.OBJECT_STATE_VOIDED)
    refuseAs('not-usable', `shard ${shard.id} was voided at height ${shard.voidedHeight}`);
}

/** Why a fraud proof does not convict a shard; undefined when it does. Charges gas by its work. */
export function problemOfFraud(
  k: AttributionCore,
  context: ReadContext,
  shard: Shard,
  proof: Uint8Array,
): string | undefined {
  const evidence = { proof, against: shard };
  return problemOfEvidence(k, context, evidence, {
    decode: decodeFraud,
    workOf: workOfFraud,
    verify: (fraud) => verifyFraud(shard.commitment, fraud, chainOf(k, context)),
  });
}

function chainOf({ datanets, addresses }: AttributionCore, context: ReadContext): FraudChain {
  return {
    recordAt(datanetId, position) {
      const found = datanets.contributionAt(context, datanetId, position);
      if (found === undefined) return undefined;
      const { id: contributionId, contributor, root, byteLength, state } = found;
      const accepted = state === ContributionState.CONTRIBUTION_STATE_ACCEPTED;
      return { contributionId, contributor: addresses.toBytes(contributor), root, byteLength, accepted };
    },
  };
}
