/**
 * Work that is done when a claim's window is over: in an end-block hook, so it is counted, bounded in a block,
 * and paid for by whoever caused it.
 */
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
  /** A snapshot of the model, to whose Datanet's pool something may go. */
  snapshot: 10,
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
  { state }: AttributionCore,
  context: ReadContext,
  { indexIds, shares }: Ends,
  { snapshotIds }: Model,
): number {
  const shards = indexIds.reduce(
    (sum, id) => sum + (state.indexes.get(context, id)?.shardIds.length ?? 0),
    0,
  );
  return WORK.claim + shards * WORK.shard + snapshotIds.length * WORK.snapshot + shares.length * WORK.payout;
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
  const snapshots = k.models.model(context, modelId)?.snapshotIds.length ?? 0;
  return units + snapshots * WORK.snapshot + shares.length * WORK.payout;
}
