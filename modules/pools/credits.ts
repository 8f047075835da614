/** Money that comes in, and the record of it that a claim is explained by. */
import type { Context, ReadContext } from '../../framework/context.ts';
import { coinToWire } from '../../framework/coins.ts';
import type { Credit, Pool } from '../../proto/gen/openledger/pools/v1/pools.ts';
import { poolCredited, poolResidual } from './events.ts';
import { CREDITS_FORGOTTEN_MAX, DENOMS_MAX } from './limits.ts';
import { paramsOf } from './pools.ts';
import type { PoolsCore } from './ports.ts';
import { rowsOf, viewOf } from './rows.ts';
import { poolKey, STORE_NAME } from './state.ts';
import { creditNode, type Place, rootOf } from './tree.ts';
import type { PoolPayment, PoolPlace } from './types.ts';

interface Taker {
  readonly pool: Pool;
  readonly place: Place;
}

/** The pool and node that would take money; undefined when it goes to the residual party. */
function takerOf(
  k: PoolsCore,
  context: ReadContext,
  { pool: id, place, denom }: PoolPlace & { readonly denom: string },
): Taker | undefined {
  const pool = k.state.pools.get(context, poolKey(id));
  if (pool === undefined || pool.closed) return undefined;
  if (!pool.denoms.includes(denom) && pool.denoms.length >= DENOMS_MAX) return undefined;
  const at = place ?? rootOf(pool.height);
  // A node outside of the tree has no weight either.
  return viewOf(k.state, context, id).weight(at) > 0n ? { pool, place: at } : undefined;
}

/** See `PoolPayer`. */
export function accountOf(
  k: PoolsCore,
  context: ReadContext,
  place: PoolPlace & { readonly denom: string },
): string {
  const isTaken = takerOf(k, context, place) !== undefined;
  return isTaken ? STORE_NAME : k.communityPool.communityPoolAccount;
}

/** See `PoolPayer`. */
export function pay(k: PoolsCore, context: Context, payment: PoolPayment): void {
  const { from, coin, receiptId } = payment;
  const { denom, amount } = coin;
  if (amount === 0n) return;
  const taker = takerOf(k, context, { ...payment, denom });
  if (taker === undefined) {
    k.communityPool.fundCommunityPool(context, { from, coins: [coin] });
    context.emit(poolResidual(payment.pool, [coin], receiptId));
    return;
  }
  k.bank.sendToModule(context, { from, module: STORE_NAME, coins: [coin] });
  const { pool, place } = taker;
  if (!pool.denoms.includes(denom))
    k.state.pools.set(context, poolKey(pool.id), { ...pool, denoms: [...pool.denoms, denom] });
  const perWeight = creditNode(rowsOf(k.state, context, pool.id), { place, denom, amount });
  const credit: Credit = {
    id: k.state.creditSequence.next(context) + 1n,
    pool: pool.id,
    place: { level: place.level, index: place.index },
    amount: coinToWire(coin),
    perWeight: perWeight.toString(),
    height: context.block.height,
    receiptId,
  };
  insertCredit(k, context, credit);
  context.emit(poolCredited(credit));
}

/** Writes a credit and its index. */
export function insertCredit(k: PoolsCore, context: Context, credit: Credit): void {
  k.state.credits.set(context, credit.id, credit);
  k.state.creditsByNode.add(context, indexOf(credit));
}

/** Forgets credits that were kept long enough, the oldest first. */
export function forgetCredits(k: PoolsCore, context: Context): void {
  const newest = context.block.height - BigInt(paramsOf(k, context).creditBlocks);
  const old: Credit[] = [];
  for (const [, credit] of k.state.credits.iterate(context)) {
    if (credit.height > newest || old.length >= CREDITS_FORGOTTEN_MAX) break;
    old.push(credit);
  }
  for (const credit of old) {
    k.state.credits.remove(context, credit.id);
    k.state.creditsByNode.remove(context, indexOf(credit));
  }
}

function indexOf({
  pool,
  place,
  amount,
  id,
}: Credit): Parameters<PoolsCore['state']['creditsByNode']['add']>[1] {
  return [[poolKey(pool), place.level, place.index], amount.denom, id];
}
