/**
 * Objects that were convicted end by themselves: the indexes on a shard, and a model card, as if somebody had
 * retired them. Nobody has a reason to do it, and state would grow by each lie.
 */
import { assert } from '../../core/errors.ts';
import type { Context } from '../../framework/context.ts';
import type { Index } from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import type { AttributionCore } from './core.ts';
import { retireIndex } from './indexes.ts';
import { indexOfShardKey } from './state.ts';
import { WORK } from './work.ts';

/**
 * Retires indexes that hold a voided shard, none after so much work; the shard goes with the last. The
 * work that was done.
 */
export function endIndexesOf(k: AttributionCore, context: Context, shardId: bigint, workMax: number): number {
  let work = 0;
  for (;;) {
    const index = firstIndexOf(k, context, shardId);
    if (index === undefined) break;
    if (work >= workMax) return work;
    work += index.shardIds.length * WORK.shardEnd;
    retireIndex(k, context, index);
  }
  // What is left of it waits for claims on its retired indexes.
  const shard = k.state.shards.get(context, shardId);
  if (shard !== undefined) {
    k.state.voidedShards.remove(context, [shard.releaseHeight, shardId]);
    k.state.shards.set(context, shardId, { ...shard, releaseHeight: 0n });
  }
  return work + WORK.shard;
}

function firstIndexOf({ state }: AttributionCore, context: Context, shardId: bigint): Index | undefined {
  const range = { prefix: indexOfShardKey.prefix(shardId) };
  for (const [, id] of state.indexesOfShard.iterate(context, range)) {
    const index = state.indexes.get(context, id);
    assert(index !== undefined, 'a shard names an index that is not there');
    return index;
  }
  return undefined;
}
