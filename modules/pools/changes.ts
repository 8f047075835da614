/** Weights and owners of slots: ordered now, applied when the epoch ends. */
import { assert } from '../../core/errors.ts';
import type { Address } from '../../framework/address.ts';
import type { Context } from '../../framework/context.ts';
import { StateError } from '../../framework/errors.ts';
import { Pool, type PoolId, Slot, type WeightChange } from '../../proto/gen/openledger/pools/v1/pools.ts';
import { SLOT_WEIGHT_MAX } from './arithmetic.ts';
import { endAutoClaim } from './auto-claims.ts';
import { epochEnd, orderChange, takeDueChanges } from './change-queue.ts';
import { payOut, settleSlot, writeDebts } from './claims.ts';
import { poolErrors } from './errors.ts';
import { poolCreated, poolText, weightChanged, weightOrdered } from './events.ts';
import { rowsOfSlot, SLOTS_MAX } from './limits.ts';
import { paramsOf } from './pools.ts';
import type { PoolsCore } from './ports.ts';
import { rowsOf } from './rows.ts';
import { poolKey } from './state.ts';
import { grow, heightOf, initWeights, setSlotWeight } from './tree.ts';
import type { FixedSlot, SlotOrder } from './types.ts';

/**
 * Orders a weight and an owner for a slot; a slot that is not there must be the next one, and a pool that is
 * not there is made. A new slot is its owner's at once, without weight. Who orders pays for the work at the
 * end of the epoch. In a closed pool a slot gets no weight any more: it can only be paid itself.
 * @throws StateError (pools 10) when the pool has all slots that it can have
 */
export function orderSlot(k: PoolsCore, context: Context, order: SlotOrder): void {
  const { slot, weight } = order;
  assert(weight >= 0n && weight <= SLOT_WEIGHT_MAX, 'a slot cannot weigh so much');
  const pool = slotReady(k, context, order);
  if (pool.closed) return;
  const { epochBlocks, gasPerRow } = paramsOf(k, context);
  context.gas.consume(gasPerRow * rowsOfSlot(pool), 'PoolWeight');
  const change: WeightChange = {
    pool: pool.id,
    slot,
    weight,
    owner: k.addresses.toText(order.owner),
    effectiveHeight: epochEnd(context.block.height, epochBlocks),
  };
  orderChange(k, context, k.state.changeSequence.next(context), change);
  context.emit(weightOrdered(change));
}

/** The pool with this slot. */
function slotReady(k: PoolsCore, context: Context, order: SlotOrder): Pool {
  const { slot, owner } = order;
  const key = poolKey(order.pool);
  const pool = k.state.pools.get(context, key) ?? created(context, order.pool);
  if (slot < pool.slots) return pool;
  assert(slot === pool.slots, 'slots are given out one after another');
  if (slot >= SLOTS_MAX)
    throw new StateError(
      poolErrors.poolFull,
      `pool ${poolText(pool.id)} has ${pool.slots} slots, the most there can be`,
    );
  const slots = slot + 1n;
  const height = heightOf(slots);
  grow(rowsOf(k.state, context, pool.id), { from: pool.height, to: height });
  const grown = { ...pool, slots, height };
  k.state.pools.set(context, key, grown);
  setOwner(k, context, { pool: pool.id, slot, owner });
  return grown;
}

function created(context: Context, id: PoolId): Pool {
  context.emit(poolCreated(id));
  return Pool.create({ id });
}

/** A pool whose slots are known from the beginning and never change; they weigh at once. */
export function createPool(
  k: PoolsCore,
  context: Context,
  { id, slots }: { readonly id: PoolId; readonly slots: readonly FixedSlot[] },
): void {
  const count = BigInt(slots.length);
  const pool = { ...created(context, id), slots: count, height: heightOf(count) };
  k.state.pools.set(context, poolKey(id), pool);
  for (const [i, { owner, weight }] of slots.entries()) {
    const slot = { pool: id, slot: BigInt(i) };
    setOwner(k, context, { ...slot, owner });
    noteWeight(k, context, { ...slot, before: 0n, after: weight });
  }
  const weights = new Map(slots.map(({ weight }, i) => [BigInt(i), weight]));
  initWeights(rowsOf(k.state, context, id), pool.height, weights);
}

function setOwner(k: PoolsCore, context: Context, of: Pick<SlotOrder, 'pool' | 'slot' | 'owner'>): void {
  const key = poolKey(of.pool);
  const slot = k.state.slots.get(context, [key, of.slot]) ?? Slot.create();
  k.state.slots.set(context, [key, of.slot], { ...slot, owner: k.addresses.toText(of.owner) });
  k.state.byOwner.add(context, [of.owner, key, of.slot]);
}

/** Writes down between which credits a slot weighs something. */
function noteWeight(
  k: PoolsCore,
  context: Context,
  of: { readonly pool: PoolId; readonly slot: bigint; readonly before: bigint; readonly after: bigint },
): void {
  const { before, after } = of;
  if (before > 0n === after > 0n) return;
  const key = [poolKey(of.pool), of.slot] as const;
  const slot = k.state.slots.require(context, key);
  const credit = k.state.creditSequence.peek(context);
  const noted = after > 0n ? { sinceCredit: credit, untilCredit: 0n } : { untilCredit: credit };
  k.state.slots.set(context, key, { ...slot, ...noted });
}

/** Applies what is due of each pool in its order, the pools by turns, as much as a block does. */
export function applyChanges(k: PoolsCore, context: Context): void {
  for (const change of takeDueChanges(k, context)) {
    const pool = k.state.pools.require(context, poolKey(change.pool));
    if (!pool.closed) applyChange(k, context, pool, change);
  }
}

/** What was earned until now is settled by the old weight, and is the old owner's. */
function applyChange(k: PoolsCore, context: Context, pool: Pool, change: WeightChange): void {
  const { slot, weight } = change;
  const settled = settleSlot(k, context, pool, slot);
  writeDebts(k, context, settled);
  const before = k.state.slots.require(context, [poolKey(pool.id), slot]).owner;
  if (before !== change.owner) {
    const [from, to] = [before, change.owner].map((text) => k.addresses.toBytes(text));
    assert(from !== undefined && to !== undefined, 'two owners');
    // The fraction of a unit that is left goes with the slot.
    payOut(k, context, { owner: from, slots: [settled] });
    handOver(k, context, { pool: pool.id, slot, from, to });
  }
  setSlotWeight(rowsOf(k.state, context, pool.id), { slot, height: pool.height, weight });
  noteWeight(k, context, { pool: pool.id, slot, before: settled.weight, after: weight });
  context.emit(weightChanged(change, settled.credit));
}

function handOver(
  k: PoolsCore,
  context: Context,
  of: { readonly pool: PoolId; readonly slot: bigint; readonly from: Address; readonly to: Address },
): void {
  endAutoClaim(k, context, of);
  k.state.byOwner.remove(context, [of.from, poolKey(of.pool), of.slot]);
  setOwner(k, context, { pool: of.pool, slot: of.slot, owner: of.to });
}
