import type { AddressCodec } from '../../framework/address.ts';
import type { Context, ReadContext } from '../../framework/context.ts';
import type { JsonReader } from '../../framework/json.ts';
import type { GenesisHandler } from '../../framework/module.ts';
import { messageFromJson, messageToJson } from '../../framework/proto-json.ts';
import { GenesisState } from '../../proto/gen/openledger/pools/v1/genesis.ts';
import type { PoolId } from '../../proto/gen/openledger/pools/v1/pools.ts';
import { putAutoClaim } from './auto-claims.ts';
import { orderChange } from './change-queue.ts';
import { insertCredit } from './credits.ts';
import { poolText } from './events.ts';
import { checkConservation } from './invariants.ts';
import { checkGenesis } from './genesis-check.ts';
import { DEFAULT_PARAMS, paramsFromJson } from './params.ts';
import { paramsOf } from './pools.ts';
import type { PoolsCore } from './ports.ts';
import { rowsOf } from './rows.ts';
import { type NodeKey, type PoolKey, poolKey } from './state.ts';
import { initWeights, type Place } from './tree.ts';
import { balanceOfWire, balanceToWire, debtOfWire, debtToWire, totalsOfWire, totalsToWire } from './wire.ts';

/**
 * Genesis of pools: `openledger.pools.v1.GenesisState`. Weights above level 0, indexes and queues are rebuilt,
 * and the books have to balance.
 */
export function poolGenesis(k: PoolsCore): GenesisHandler {
  return {
    defaults: () => messageToJson(GenesisState, GenesisState.create({ params: DEFAULT_PARAMS })),
    validate: (json) => void readGenesis(json, k.addresses),
    init(context, json) {
      const genesis = readGenesis(json, k.addresses);
      k.state.params.set(context, genesis.params);
      initTrees(k, context, genesis);
      initQueues(k, context, genesis);
      const problem = checkConservation(k, context);
      if (problem !== undefined) json.fail(problem);
      return [];
    },
    export: (context) => messageToJson(GenesisState, exportGenesis(k, context)),
  };
}

function initTrees(k: PoolsCore, context: Context, genesis: GenesisState): void {
  for (const pool of genesis.pools) k.state.pools.set(context, poolKey(pool.id), pool);
  const weights = Map.groupBy(genesis.weights, ({ pool }) => poolText(pool));
  for (const pool of genesis.pools) {
    const slots = weights.get(poolText(pool.id)) ?? [];
    const bySlot = new Map(slots.map(({ place, weight }) => [place.index, weight]));
    initWeights(rowsOf(k.state, context, pool.id), pool.height, bySlot);
  }
  for (const { pool, place, denom, balance } of genesis.balances)
    rowsOf(k.state, context, pool).setBalance(place, denom, balanceOfWire(balance));
  for (const { pool, index, slot } of genesis.slots) {
    k.state.slots.set(context, [poolKey(pool), index], slot);
    k.state.byOwner.add(context, [k.addresses.toBytes(slot.owner), poolKey(pool), index]);
  }
  for (const { pool, index, denom, debt } of genesis.debts)
    rowsOf(k.state, context, pool).setDebt(index, denom, debtOfWire(debt));
  for (const { pool, denom, totals } of genesis.totals)
    rowsOf(k.state, context, pool).setTotals(denom, totalsOfWire(totals));
}

function initQueues(k: PoolsCore, context: Context, genesis: GenesisState): void {
  const { changes, nextChange } = genesis;
  const first = nextChange - BigInt(changes.length);
  for (const [i, change] of changes.entries()) orderChange(k, context, first + BigInt(i), change);
  k.state.changeSequence.set(context, nextChange);
  for (const order of genesis.autoClaims) putAutoClaim(k, context, order);
  for (const credit of genesis.credits) insertCredit(k, context, credit);
  k.state.creditSequence.set(context, genesis.lastCredit);
}

function readGenesis(json: JsonReader, addresses: AddressCodec): GenesisState {
  const params = paramsFromJson(json.member('params'));
  const genesis = { ...messageFromJson(GenesisState, json), params };
  checkGenesis(json, genesis, addresses);
  return genesis;
}

function exportGenesis(k: PoolsCore, context: ReadContext): GenesisState {
  const { state } = k;
  const level0 = [...state.weights.iterate(context)].filter(([[, level]]) => level === 0);
  return {
    params: paramsOf(k, context),
    pools: [...state.pools.iterate(context)].map(([, pool]) => pool),
    weights: level0.map(([node, weight]) => ({ ...nodeOf(node), weight })),
    balances: [...state.balances.iterate(context)].map(([[node, denom], balance]) => ({
      ...nodeOf(node),
      denom,
      balance: balanceToWire(balance),
    })),
    slots: [...state.slots.iterate(context)].map(([[pool, index], slot]) => ({
      pool: idOf(pool),
      index,
      slot,
    })),
    debts: [...state.debts.iterate(context)].map(([[[pool, index], denom], debt]) => ({
      pool: idOf(pool),
      index,
      denom,
      debt: debtToWire(debt),
    })),
    totals: [...state.totals.iterate(context)].map(([[pool, denom], totals]) => ({
      pool: idOf(pool),
      denom,
      totals: totalsToWire(totals),
    })),
    changes: [...state.changes.iterate(context)].map(([, change]) => change),
    autoClaims: [...state.autoClaims.iterate(context)].map(([, order]) => order),
    credits: [...state.credits.iterate(context)].map(([, credit]) => credit),
    lastCredit: state.creditSequence.peek(context),
    nextChange: state.changeSequence.peek(context),
  };
}

function idOf([kind, subject]: PoolKey): PoolId {
  return { kind, subject };
}

function nodeOf([pool, level, index]: NodeKey): { readonly pool: PoolId; readonly place: Place } {
  return { pool: idOf(pool), place: { level, index } };
}
