import { coinsToWire } from '../../framework/coins.ts';
import type { ReadContext } from '../../framework/context.ts';
import { QueryError } from '../../framework/errors.ts';
import type { Pair } from '../../framework/keys.ts';
import { paginate } from '../../framework/pagination.ts';
import { queriedAddress, query, type QueryRoute, queryService } from '../../framework/query.ts';
import type { Credit, Pool, PoolId, WeightChange } from '../../proto/gen/openledger/pools/v1/pools.ts';
import * as wire from '../../proto/gen/openledger/pools/v1/query.ts';
import { coinsOf, type SettledSlot, settleSlot } from './claims.ts';
import { poolText } from './events.ts';
import { paramsOf } from './pools.ts';
import type { PoolsCore } from './ports.ts';
import { viewOf } from './rows.ts';
import { creditKeyCodec, ownerKeyCodec, type PoolKey, poolKey } from './state.ts';
import { isPlace, rootOf } from './tree.ts';
import { balanceToWire, debtToWire, totalsToWire } from './wire.ts';

type Methods = Parameters<typeof queryService>[1];

/** `openledger.pools.v1.Query`. */
export function poolQueries(k: PoolsCore): readonly QueryRoute[] {
  return queryService(wire.QueryService, { ...poolMethods(k), ...slotMethods(k), ...historyMethods(k) });
}

function poolMethods(k: PoolsCore): Methods {
  return {
    Params: query(wire.QueryParamsRequest, wire.QueryParamsResponse, (context) => ({
      params: paramsOf(k, context),
    })),
    Pool: query(wire.QueryPoolRequest, wire.QueryPoolResponse, (context, id) => {
      const pool = found(k, context, id);
      const view = viewOf(k.state, context, id);
      const totals = pool.denoms.map((denom) => ({ denom, totals: totalsToWire(view.totals(denom)) }));
      return { pool, weight: view.weight(rootOf(pool.height)), totals };
    }),
    Pools: query(wire.QueryPoolsRequest, wire.QueryPoolsResponse, (context, { pagination: request }) => {
      const transform = (_: PoolKey, pool: Pool): Pool => pool;
      const { items, pagination } = paginate(context, k.state.pools, { request, transform });
      return { pools: items, pagination };
    }),
    Node: query(wire.QueryNodeRequest, wire.QueryNodeResponse, (context, request) => {
      const pool = found(k, context, request);
      const { level, index } = request;
      if (!isPlace(request, pool.height))
        notFound(`node ${level}/${index} in pool ${poolText(request)}, whose height is ${pool.height}`);
      const view = viewOf(k.state, context, request);
      const balances = pool.denoms.map((denom) => ({
        denom,
        balance: balanceToWire(view.balance({ level, index }, denom)),
      }));
      return { weight: view.weight({ level, index }), balances };
    }),
  };
}

function slotMethods(k: PoolsCore): Methods {
  return {
    Slot: query(wire.QuerySlotRequest, wire.QuerySlotResponse, (context, request) => {
      const settled = settleSlot(k, context, found(k, context, request), request.slot);
      const { credit } = settled;
      const debts = settled.money.map(({ denom, debt }) => ({ denom, debt: debtToWire(debt), credit }));
      return { slot: slotView(k, context, settled), debts };
    }),
    SlotsByOwner: query(
      wire.QuerySlotsByOwnerRequest,
      wire.QuerySlotsByOwnerResponse,
      (context, { owner, pagination: request }) => {
        const prefix = ownerKeyCodec.prefix(queriedAddress(k.addresses, owner));
        const { items, pagination } = paginate(context, k.state.byOwner.map, {
          request,
          prefix,
          transform: ([, pool, slot]) =>
            slotView(k, context, settleSlot(k, context, k.state.pools.require(context, pool), slot)),
        });
        return { slots: items, pagination };
      },
    ),
  };
}

function historyMethods(k: PoolsCore): Methods {
  return {
    Changes: query(
      wire.QueryChangesRequest,
      wire.QueryChangesResponse,
      (context, { pagination: request }) => {
        const transform = (_: Pair<PoolKey, bigint>, change: WeightChange): WeightChange => change;
        const { items, pagination } = paginate(context, k.state.changes, { request, transform });
        return { changes: items, pagination };
      },
    ),
    Credits: query(
      wire.QueryCreditsRequest,
      wire.QueryCreditsResponse,
      (context, { kind, subject, level, index, denom, pagination: request }) => {
        const prefix = creditKeyCodec.prefix2([[kind, subject], level, index], denom);
        const { items, pagination } = paginate(context, k.state.creditsByNode.map, {
          request,
          prefix,
          transform: ([, , id]): Credit => k.state.credits.require(context, id),
        });
        return { credits: items, pagination };
      },
    ),
  };
}

function slotView(k: PoolsCore, context: ReadContext, settled: SettledSlot): wire.SlotView {
  const { pool, slot: index, weight } = settled;
  const { owner } = k.state.slots.get(context, [poolKey(pool.id), index]) ?? notFound(`slot ${index}`);
  const claimable = coinsToWire(coinsOf(settled));
  const autoClaim = k.state.autoClaims.get(context, [poolKey(pool.id), index]);
  return { pool: pool.id, index, owner, weight, claimable, autoClaim };
}

function found(k: PoolsCore, context: ReadContext, id: PoolId): Pool {
  return k.state.pools.get(context, poolKey(id)) ?? notFound(`pool ${poolText(id)}`);
}

function notFound(what: string): never {
  throw new QueryError('NotFound', `there is no ${what}`);
}
