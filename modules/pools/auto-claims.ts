/**
 * Claims that the chain makes for owners. Whoever orders them pays in gas for each attempt beforehand,
 * whether it finds enough to pay out or not: so no queue grows at the cost of others, and nothing is taken
 * from what is paid out.
 */
import { assert } from '../../core/errors.ts';
import { amountOf, parseCoin } from '../../framework/coins.ts';
import type { Context } from '../../framework/context.ts';
import type { AutoClaim, Pool, PoolId } from '../../proto/gen/openledger/pools/v1/pools.ts';
import type { MsgSetAutoClaim } from '../../proto/gen/openledger/pools/v1/tx.ts';
import { coinsOf, payOut, settleSlot } from './claims.ts';
import { autoClaimEnded, autoClaimSet } from './events.ts';
import { AUTO_CLAIM_ROWS_MAX, rowsOfSlot } from './limits.ts';
import { paramsOf } from './pools.ts';
import type { PoolsCore } from './ports.ts';
import { poolKey, type SlotKey } from './state.ts';

/** Orders what a checked message says, and takes the gas for it. */
export function setAutoClaims(
  k: PoolsCore,
  context: Context,
  message: MsgSetAutoClaim,
  pools: readonly Pool[],
): void {
  const { owner, minimum, intervalBlocks, times: timesLeft } = message;
  const { gasPerRow } = paramsOf(k, context);
  const dueHeight = context.block.height + BigInt(intervalBlocks);
  for (const [i, { slots }] of message.pools.entries())
    for (const slot of slots) {
      const pool = pools[i];
      assert(pool !== undefined, 'a pool for each row');
      endAutoClaim(k, context, { pool: pool.id, slot });
      if (timesLeft === 0) continue;
      context.gas.consume(gasPerRow * rowsOfSlot(pool) * timesLeft, 'PoolAutoClaim');
      const order = { pool: pool.id, slot, owner, minimum, intervalBlocks, timesLeft, dueHeight };
      putAutoClaim(k, context, order);
      context.emit(autoClaimSet(order));
    }
}

/** Writes an order and its place in the queue. */
export function putAutoClaim(k: PoolsCore, context: Context, order: AutoClaim): void {
  const key = poolKey(order.pool);
  k.state.autoClaims.set(context, [key, order.slot], order);
  k.state.autoClaimQueue.add(context, [order.dueHeight, key, order.slot]);
}

/** Ends a slot's automatic claims, if it has some. */
export function endAutoClaim(
  k: PoolsCore,
  context: Context,
  { pool, slot }: { readonly pool: PoolId; readonly slot: bigint },
): void {
  const key: SlotKey = [poolKey(pool), slot];
  const order = k.state.autoClaims.get(context, key);
  if (order === undefined) return;
  k.state.autoClaims.remove(context, key);
  k.state.autoClaimQueue.remove(context, [order.dueHeight, ...key]);
  context.emit(autoClaimEnded(order));
}

/** Makes the attempts that are due, the oldest first, until the next one does not fit. */
export function attemptAutoClaims(k: PoolsCore, context: Context): void {
  const { height } = context.block;
  const due: (readonly [AutoClaim, Pool])[] = [];
  let rows = 0;
  for (const [at, key, slot] of k.state.autoClaimQueue.iterate(context)) {
    if (at > height) break;
    const order = k.state.autoClaims.get(context, [key, slot]);
    const pool = k.state.pools.get(context, key);
    assert(order !== undefined && pool !== undefined, 'a queue names an order that is not there');
    rows += rowsOfSlot(pool);
    if (due.length > 0 && rows > AUTO_CLAIM_ROWS_MAX) break;
    due.push([order, pool]);
  }
  for (const [order, pool] of due) attempt(k, context, order, pool);
}

function attempt(k: PoolsCore, context: Context, order: AutoClaim, pool: Pool): void {
  const { slot, owner, minimum, timesLeft, intervalBlocks, dueHeight } = order;
  const { denom, amount } = parseCoin(minimum);
  const settled = settleSlot(k, context, pool, slot);
  if (amountOf(coinsOf(settled), denom) >= amount)
    payOut(k, context, { owner: k.addresses.toBytes(owner), slots: [settled] });
  if (timesLeft === 1) {
    endAutoClaim(k, context, order);
    return;
  }
  k.state.autoClaimQueue.remove(context, [dueHeight, poolKey(pool.id), slot]);
  putAutoClaim(k, context, {
    ...order,
    timesLeft: timesLeft - 1,
    dueHeight: context.block.height + BigInt(intervalBlocks),
  });
}
