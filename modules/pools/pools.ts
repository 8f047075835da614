/** Reading of parameters and pools. */
import type { ReadContext } from '../../framework/context.ts';
import { StateError } from '../../framework/errors.ts';
import type { Params, Pool, PoolId } from '../../proto/gen/openledger/pools/v1/pools.ts';
import { poolErrors } from './errors.ts';
import { poolText } from './events.ts';
import { DEFAULT_PARAMS } from './params.ts';
import type { PoolsCore } from './ports.ts';
import { poolKey } from './state.ts';

/** The parameters that hold. */
export function paramsOf(k: PoolsCore, context: ReadContext): Params {
  return k.state.params.get(context) ?? DEFAULT_PARAMS;
}

/** @throws StateError (pools 4) when there is none */
export function requirePool(k: PoolsCore, context: ReadContext, id: PoolId): Pool {
  const pool = k.state.pools.get(context, poolKey(id));
  if (pool === undefined)
    throw new StateError(poolErrors.unknownPool, `there is no pool ${poolText(id)}; check kind and subject`);
  return pool;
}
