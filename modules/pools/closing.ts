import { type Coins, normalizeCoins } from '../../framework/coins.ts';
import type { Context } from '../../framework/context.ts';
import type { Pool } from '../../proto/gen/openledger/pools/v1/pools.ts';
import { poolClosed } from './events.ts';
import type { PoolsCore } from './ports.ts';
import { rowsOf } from './rows.ts';
import { poolKey } from './state.ts';
import { sweep } from './tree.ts';

/**
 * Ends a pool. What did not divide goes to the residual party at once, as whole units; what slots are owed
 * stays claimable, and their fractions follow as they are claimed. The nodes' `rem` mean nothing from now on.
 */
export function closePool(k: PoolsCore, context: Context, pool: Pool): void {
  const rows = rowsOf(k.state, context, pool.id);
  const swept: Coins = normalizeCoins(pool.denoms.map((denom) => ({ denom, amount: sweep(rows, denom) })));
  k.state.pools.set(context, poolKey(pool.id), { ...pool, closed: true });
  if (swept.length > 0) k.communityPool.fundCommunityPool(context, { from: k.account, coins: swept });
  context.emit(poolClosed(pool.id, swept));
}
