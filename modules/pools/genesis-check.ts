/** What a genesis of pools must be, before it is written anywhere: bounds, and that its rows belong together. */
import type { AddressCodec } from '../../framework/address.ts';
import { isDenom, parseCoin } from '../../framework/coins.ts';
import type { JsonReader } from '../../framework/json.ts';
import type { GenesisState } from '../../proto/gen/openledger/pools/v1/genesis.ts';
import { type Pool, type PoolId, PoolKind, type Slot } from '../../proto/gen/openledger/pools/v1/pools.ts';
import { SLOT_WEIGHT_MAX } from './arithmetic.ts';
import { poolText } from './events.ts';
import { DENOMS_MAX, SLOTS_MAX } from './limits.ts';
import { heightOf, isPlace, type Place } from './tree.ts';
import { balanceOfWire, debtOfWire, integerOf, totalsOfWire } from './wire.ts';

/** @throws LedgerError `genesis` naming the path in the document */
export function checkGenesis(json: JsonReader, genesis: GenesisState, addresses: AddressCodec): void {
  const pools = new Map(genesis.pools.map((pool) => [poolText(pool.id), pool]));
  if (pools.size < genesis.pools.length) json.member('pools').fail('a pool is listed twice');
  for (const [i, pool] of genesis.pools.entries())
    json
      .member('pools')
      .elements()
      [i]?.attempt(() => checkPool(pool));
  const check = { json, genesis, addresses, pools };
  checkSlots(check);
  checkMoney(check);
  checkOrders(check);
}

interface Check {
  readonly json: JsonReader;
  readonly genesis: GenesisState;
  readonly addresses: AddressCodec;
  readonly pools: ReadonlyMap<string, Pool>;
}

const KINDS: readonly PoolKind[] = [PoolKind.POOL_KIND_DATANET, PoolKind.POOL_KIND_MODEL];

function checkPool({ id, slots, height, denoms }: Pool): void {
  if (!KINDS.includes(id.kind)) throw new RangeError(`there are no pools of kind ${id.kind}`);
  if (slots > SLOTS_MAX || height !== heightOf(slots))
    throw new RangeError(`a pool of ${slots} slots cannot have height ${height}`);
  if (denoms.length > DENOMS_MAX || new Set(denoms).size < denoms.length || !denoms.every(isDenom))
    throw new RangeError(`denoms must be at most ${DENOMS_MAX} different denominations`);
}

function checkSlots({ json, genesis, addresses, pools }: Check): void {
  const owners = new Set<string>();
  each(json.member('slots'), genesis.slots, ({ pool, index, slot }) => {
    requireSlot(pools, pool, index);
    addresses.toBytes(slot.owner);
    requireWeighed(slot, genesis.lastCredit);
    owners.add(`${poolText(pool)}/${index}`);
  });
  const slots = genesis.pools.reduce((sum, pool) => sum + pool.slots, 0n);
  if (BigInt(owners.size) !== slots)
    json.member('slots').fail(`there are ${owners.size}, the pools have ${slots}`);
  each(json.member('weights'), genesis.weights, ({ pool, place, weight }) => {
    requireSlot(pools, pool, place.index);
    requireWeight(weight);
    if (place.level !== 0) throw new RangeError('must be of level 0, the others follow from it');
  });
}

/** @throws RangeError when a slot has weighed something between credits that there are not */
function requireWeighed({ sinceCredit, untilCredit }: Slot, lastCredit: bigint): void {
  if (sinceCredit > lastCredit || untilCredit > lastCredit)
    throw new RangeError(`since_credit or until_credit is above last_credit, ${lastCredit}`);
  if (untilCredit !== 0n && untilCredit < sinceCredit)
    throw new RangeError(`until_credit ${untilCredit} is below since_credit, ${sinceCredit}`);
}

function checkMoney({ json, genesis, pools }: Check): void {
  each(json.member('balances'), genesis.balances, ({ pool, place, denom, balance }) => {
    requireDenom(requirePlace(pools, pool, place), denom);
    const { rem } = balanceOfWire(balance);
    if (place.level === 0 && rem !== 0n)
      throw new RangeError('a slot has no rem: that of a prefix is its root’s');
  });
  each(json.member('debts'), genesis.debts, ({ pool, index, denom, debt }) => {
    requireDenom(requireSlot(pools, pool, index), denom);
    debtOfWire(debt);
  });
  each(json.member('totals'), genesis.totals, ({ pool, denom, totals }) => {
    requireDenom(requirePool(pools, pool), denom);
    totalsOfWire(totals);
  });
  each(json.member('credits'), genesis.credits, ({ id, pool, place, prefix, amount, perWeight, whole }) => {
    requireDenom(requirePlace(pools, pool, place), amount.denom);
    if (prefix !== 0n && (whole || place.index !== 0n))
      throw new RangeError('a prefix is paid at a root, by weight');
    parseCoin(amount);
    if (whole !== (place.level === 0)) throw new RangeError('a credit is whole at a slot, and nowhere else');
    if (!whole) integerOf(perWeight);
    else if (perWeight !== '') throw new RangeError('a whole credit has no per_weight');
    if (id > genesis.lastCredit) throw new RangeError(`is above last_credit, ${genesis.lastCredit}`);
  });
}

function checkOrders({ json, genesis, addresses, pools }: Check): void {
  if (genesis.nextChange < BigInt(genesis.changes.length))
    json.member('next_change').fail(`is below the ${genesis.changes.length} changes that wait`);
  each(json.member('changes'), genesis.changes, ({ pool, slot, weight, owner }) => {
    requireSlot(pools, pool, slot);
    requireWeight(weight);
    addresses.toBytes(owner);
  });
  const owners = new Map(
    genesis.slots.map(({ pool, index, slot }) => [`${poolText(pool)}/${index}`, slot.owner]),
  );
  each(json.member('auto_claims'), genesis.autoClaims, ({ pool, slot, owner, minimum, timesLeft }) => {
    if (owners.get(`${poolText(pool)}/${slot}`) !== owner) throw new RangeError('is not of the slot’s owner');
    if (parseCoin(minimum).amount <= 0n || timesLeft === 0)
      throw new RangeError('needs a minimum above 0 and an attempt that is left');
  });
}

function each<T>(json: JsonReader, list: readonly T[], check: (entry: T) => void): void {
  const places = list.length === 0 ? [] : json.elements();
  for (const [i, entry] of list.entries()) (places[i] ?? json).attempt(() => check(entry));
}

function requirePool(pools: Check['pools'], id: PoolId): Pool {
  const pool = pools.get(poolText(id));
  if (pool === undefined) throw new RangeError(`there is no pool ${poolText(id)}`);
  return pool;
}

function requireSlot(pools: Check['pools'], id: PoolId, slot: bigint): Pool {
  const pool = requirePool(pools, id);
  if (slot >= pool.slots) throw new RangeError(`slot ${slot} is not one of ${pool.slots}`);
  return pool;
}

function requirePlace(pools: Check['pools'], id: PoolId, place: Place): Pool {
  const pool = requirePool(pools, id);
  if (!isPlace(place, pool.height))
    throw new RangeError(`node ${place.level}/${place.index} is not in the pool`);
  return pool;
}

function requireDenom({ denoms }: Pool, denom: string): void {
  if (!denoms.includes(denom)) throw new RangeError(`${denom} is none of the pool's denominations`);
}

function requireWeight(weight: bigint): void {
  if (weight > SLOT_WEIGHT_MAX) throw new RangeError(`weight ${weight} is above ${SLOT_WEIGHT_MAX}`);
}
