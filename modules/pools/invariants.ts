import { addCoins, amountOf, type Coins, NO_COINS } from '../../framework/coins.ts';
import type { ReadContext } from '../../framework/context.ts';
import type { Invariant } from '../../framework/module.ts';
import type { Pool } from '../../proto/gen/openledger/pools/v1/pools.ts';
import { SCALE } from './arithmetic.ts';
import { poolText } from './events.ts';
import { indexOf } from './credits.ts';
import type { PoolsCore } from './ports.ts';
import { viewOf } from './rows.ts';
import { settledDebt } from './tree.ts';

/**
 * What must hold of pools after every block. They walk over everything: for tests, simulation and `inspect`.
 */
export function poolInvariants(k: PoolsCore): readonly Invariant[] {
  return [
    { name: 'conservation', check: (context) => checkConservation(k, context) },
    { name: 'weights', check: (context) => checkWeights(k, context) },
    { name: 'account', check: (context) => checkAccount(k, context) },
    { name: 'turns', check: (context) => checkTurns(k, context) },
    { name: 'queues', check: (context) => checkQueues(k, context) },
  ];
}

/** paid · S = Σ owed, settled or not + Σ rem + out · S, for every pool and denomination. */
export function checkConservation(k: PoolsCore, context: ReadContext): string | undefined {
  const rems = new Map<string, bigint>();
  for (const [[[pool], denom], { rem }] of k.state.balances.iterate(context)) {
    const key = `${pool.join('/')}/${denom}`;
    rems.set(key, (rems.get(key) ?? 0n) + rem);
  }
  for (const [key, pool] of k.state.pools.iterate(context))
    for (const denom of pool.denoms) {
      const { paid, out, rem } = viewOf(k.state, context, pool.id).totals(denom);
      const what = `of pool ${poolText(pool.id)} in ${denom}`;
      const nodes = rems.get(`${key.join('/')}/${denom}`) ?? 0n;
      if (!pool.closed && rem !== nodes) return `remainders ${what} are ${nodes}, its totals say ${rem}`;
      const owed = owedIn(k, context, pool, denom);
      if (paid * SCALE !== owed + rem + out * SCALE)
        return `the books ${what} do not balance: paid ${paid}, out ${out}, owed ${owed}, remainders ${rem}`;
    }
  return undefined;
}

function owedIn(k: PoolsCore, context: ReadContext, { id, slots, height }: Pool, denom: string): bigint {
  const view = viewOf(k.state, context, id);
  let owed = 0n;
  for (let slot = 0n; slot < slots; slot++) owed += settledDebt(view, { slot, denom, height }).owed;
  return owed;
}

/** A node weighs what its slots weigh, up to the root and not beyond it. */
function checkWeights(k: PoolsCore, context: ReadContext): string | undefined {
  const sums = new Map<string, bigint>();
  for (const [[pool, level, index], weight] of k.state.weights.iterate(context)) {
    const { height = 0 } = k.state.pools.get(context, pool) ?? {};
    const above = `${pool.join('/')}/${level + 1}/${index >> 1n}`;
    if (level < height) sums.set(above, (sums.get(above) ?? 0n) + weight);
    if (level > height) return `a node above the root of pool ${pool.join('/')} has a weight`;
  }
  for (const [[pool, level, index], weight] of k.state.weights.iterate(context)) {
    const key = `${pool.join('/')}/${level}/${index}`;
    if (level > 0 && sums.get(key) !== weight)
      return `node ${key} weighs ${weight}, those below it ${sums.get(key) ?? 0n}`;
    sums.delete(key);
  }
  const [missing] = sums.keys();
  return missing === undefined ? undefined : `node ${missing} weighs nothing, those below it something`;
}

/** The module's account has what was paid in and not out. Anyone may send it more; nobody may take. */
function checkAccount(k: PoolsCore, context: ReadContext): string | undefined {
  let pooled: Coins = NO_COINS;
  for (const [[, denom], { paid, out }] of k.state.totals.iterate(context))
    if (paid > out) pooled = addCoins(pooled, [{ denom, amount: paid - out }]);
  const held = k.bank.balances(context, k.account);
  const short = pooled.find(({ denom, amount }) => amountOf(held, denom) < amount);
  return short === undefined
    ? undefined
    : `pools hold ${short.amount}${short.denom}, the module account only ${amountOf(held, short.denom)}`;
}

/** Each pool with changes has one turn, when its first change is due or later, and what is due is written. */
function checkTurns({ state }: PoolsCore, context: ReadContext): string | undefined {
  const dues = new Map<string, (readonly [number: bigint, height: bigint])[]>();
  for (const [[pool, number], { effectiveHeight }] of state.changes.iterate(context)) {
    const rows = (dues.get(pool.join('/')) ?? []).filter(([, height]) => height < effectiveHeight);
    dues.set(pool.join('/'), [...rows, [number, effectiveHeight]]);
  }
  const written = Map.groupBy(state.changeDues.iterate(context), ([[pool]]) => pool.join('/'));
  for (const name of new Set([...dues.keys(), ...written.keys()])) {
    const [expected, found] = [dues.get(name), written.get(name)?.map(([[, number], due]) => [number, due])];
    if (`${expected}` !== `${found}`)
      return `changes of pool ${name} are due by ${expected}, it is written ${found}`;
  }
  const waiting = new Map([...dues].map(([name, rows]) => [name, rows[0]?.[1] ?? 0n]));
  for (const [turn, pool] of state.changeTurns.iterate(context)) {
    const name = pool.join('/');
    const first = waiting.get(name);
    if (first === undefined) return `pool ${name} has a turn, and no changes or another turn`;
    if (turn < first) return `pool ${name} has its turn at ${turn}, before its first change is due, ${first}`;
    waiting.delete(name);
  }
  const [missing] = waiting.keys();
  return missing === undefined ? undefined : `changes of pool ${missing} wait without a turn`;
}

/** Slots, owners, orders, queues and credits name each other. */
function checkQueues(k: PoolsCore, context: ReadContext): string | undefined {
  const { slots, byOwner, autoClaims, autoClaimQueue, credits, creditsByNode } = k.state;
  const counts = { slots: 0, owners: 0, orders: 0, queued: 0, credits: 0, indexed: 0 };
  for (const [[pool, slot], { owner }] of slots.iterate(context)) {
    counts.slots++;
    if (!byOwner.has(context, [k.addresses.toBytes(owner), pool, slot]))
      return `slot ${slot} of pool ${pool.join('/')} is not among its owner's`;
  }
  for (const _ of byOwner.iterate(context)) counts.owners++;
  for (const [[pool, slot], { dueHeight, owner }] of autoClaims.iterate(context)) {
    counts.orders++;
    if (!autoClaimQueue.has(context, [dueHeight, pool, slot]))
      return `an automatic claim of slot ${slot} of pool ${pool.join('/')} is not queued`;
    if (slots.get(context, [pool, slot])?.owner !== owner)
      return `an automatic claim of slot ${slot} of pool ${pool.join('/')} is not its owner's`;
  }
  for (const _ of autoClaimQueue.iterate(context)) counts.queued++;
  for (const [id, credit] of credits.iterate(context))
    for (const row of indexOf(credit)) {
      counts.credits++;
      if (!creditsByNode.has(context, row)) return `credit ${id} is not among its node's`;
    }
  for (const _ of creditsByNode.iterate(context)) counts.indexed++;
  if (counts.slots !== counts.owners) return `${counts.slots} slots, ${counts.owners} of them with owners`;
  if (counts.orders !== counts.queued) return `${counts.orders} automatic claims, ${counts.queued} queued`;
  if (counts.credits !== counts.indexed)
    return `credits of ${counts.credits} nodes, ${counts.indexed} indexed`;
  return undefined;
}
