import type { Context, ReadContext } from '../../framework/context.ts';
import type { PoolId } from '../../proto/gen/openledger/pools/v1/pools.ts';
import { NO_BALANCE, NO_DEBT, NO_TOTALS } from './arithmetic.ts';
import { type NodeKey, type PoolKey, type PoolState, poolKey } from './state.ts';
import type { Place, TreeRows, TreeView } from './tree.ts';

function nodeKey(pool: PoolKey, { level, index }: Place): NodeKey {
  return [pool, level, index];
}

/** A pool's tree in the store, to read. */
export function viewOf(state: PoolState, context: ReadContext, id: PoolId): TreeView {
  const pool = poolKey(id);
  return {
    weight: (place) => state.weights.get(context, nodeKey(pool, place)) ?? 0n,
    balance: (place, denom) => state.balances.get(context, [nodeKey(pool, place), denom]) ?? NO_BALANCE,
    debt: (slot, denom) => state.debts.get(context, [[pool, slot], denom]) ?? NO_DEBT,
    totals: (denom) => state.totals.get(context, [pool, denom]) ?? NO_TOTALS,
  };
}

/** A pool's tree in the store. */
export function rowsOf(state: PoolState, context: Context, id: PoolId): TreeRows {
  const pool = poolKey(id);
  return {
    ...viewOf(state, context, id),
    setWeight(place, weight) {
      if (weight > 0n) state.weights.set(context, nodeKey(pool, place), weight);
      else state.weights.remove(context, nodeKey(pool, place));
    },
    setBalance: (place, denom, balance) =>
      state.balances.set(context, [nodeKey(pool, place), denom], balance),
    setDebt: (slot, denom, debt) => state.debts.set(context, [[pool, slot], denom], debt),
    setTotals: (denom, totals) => state.totals.set(context, [pool, denom], totals),
  };
}
