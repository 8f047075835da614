/**
 * Work that is done when a claim's window is over: in an end-block hook, so it is counted, bounded in a block,
 * and paid for by whoever caused it.
 */
import { bitsSet } from '../../core/bits.ts';
import type { ReadContext } from '../../framework/context.ts';
import type { ClaimRecord, Params } from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import type { Model } from '../../proto/gen/openledger/models/v1/models.ts';
import type { AttributionCore } from './core.ts';

/**
 * Units of work, in the proportions of the time that blocks of the chains in test/attribution/end-block.test.ts
 * took (a unit 4 to 6 µs on the machine they were chosen on).
 */
export const WORK = {
  /** A claim that ends. */
  claim: 6,
  /** A shard that a claim rests on, looked at. */
  shard: 1,
  /** A shard that its last index lets go of. */
  shardEnd: 4,
  /** A snapshot of the model, to whose positions something may go. */
  snapshot: 10,
  /** A node of those that tile the positions: 25 to 30 µs where a unit was 4 to 6 (`modules/pools/tree.ts`). */
  node: 6,
  /** A contribution that is paid. */
  payout: 6,
} as const;

/** Gas of work: a payout costs `gas_per_share`, the rest in proportion. */
export function gasOfWork({ gasPerShare }: Params, units: number): number {
  return Math.ceil((units * gasPerShare) / WORK.payout);
}

type Ends = Pick<ClaimRecord, 'indexIds' | 'shares'>;

/** What a claim will cost at the end of its window, but for indexes that go with it: their publisher paid. */
export function workToCome(
  k: AttributionCore,
  context: ReadContext,
  { indexIds, shares }: Ends,
  { snapshotIds }: Model,
): number {
  const shards = indexIds.reduce(
    (sum, id) => sum + (k.state.indexes.get(context, id)?.shardIds.length ?? 0),
    0,
  );
  const snapshots = workOfSnapshots(k, context, snapshotIds);
  return WORK.claim + shards * WORK.shard + snapshots + shares.length * WORK.payout;
}

/** Of paying the positions of snapshots: as many nodes as their number has bits set, at most. */
function workOfSnapshots(k: AttributionCore, context: ReadContext, ids: readonly bigint[]): number {
  const nodes = ids.reduce((sum, id) => sum + bitsSet(k.datanets.snapshot(context, id)?.count ?? 0n), 0);
  return ids.length * WORK.snapshot + nodes * WORK.node;
}

/** What ending a claim costs now. */
export function workOfClaim(k: AttributionCore, context: ReadContext, claim: ClaimRecord): number {
  const { indexIds, receiptId, modelId, shares } = claim;
  let units: number = WORK.claim;
  for (const id of indexIds) {
    const index = k.state.indexes.get(context, id);
    if (index === undefined) continue;
    const goes = index.retired && index.claims === 1;
    units += index.shardIds.length * (WORK.shard + (goes ? WORK.shardEnd : 0));
  }
  if (receiptId === 0n) return units;
  const snapshotIds = k.models.model(context, modelId)?.snapshotIds ?? [];
  return units + workOfSnapshots(k, context, snapshotIds) + shares.length * WORK.payout;
}
