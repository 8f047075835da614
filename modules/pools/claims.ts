/** Paying out what slots are owed. */
import type { Address } from '../../framework/address.ts';
import { type Coin, type Coins, normalizeCoins } from '../../framework/coins.ts';
import type { Context, ReadContext } from '../../framework/context.ts';
import { StateError } from '../../framework/errors.ts';
import type { Pool } from '../../proto/gen/openledger/pools/v1/pools.ts';
import type { PoolSlots } from '../../proto/gen/openledger/pools/v1/tx.ts';
import { type Debt, wholeUnits } from './arithmetic.ts';
import { poolErrors } from './errors.ts';
import { claimed, poolResidual, poolText, slotClaimed } from './events.ts';
import { creditSource } from './places.ts';
import { requirePool } from './pools.ts';
import type { PoolsCore } from './ports.ts';
import { rowsOf, viewOf } from './rows.ts';
import { poolKey } from './state.ts';
import { placeOver, settledDebt, takeOut } from './tree.ts';

/** A slot's money in one denomination, before and after it was settled. */
export interface SettledMoney {
  readonly denom: string;
  readonly before: Debt;
  readonly debt: Debt;
}

/** A slot settled as of now; nothing is written. */
export interface SettledSlot {
  readonly pool: Pool;
  readonly slot: bigint;
  readonly weight: bigint;
  /** Id of the chain's last credit. */
  readonly credit: bigint;
  readonly money: readonly SettledMoney[];
}

/** Settles a slot in all denominations of its pool: a balance for each level and denomination is read. */
export function settleSlot(k: PoolsCore, context: ReadContext, pool: Pool, slot: bigint): SettledSlot {
  const view = viewOf(k.state, context, pool.id);
  const money = pool.denoms.map((denom) => ({
    denom,
    before: view.debt(slot, denom),
    debt: settledDebt(view, { slot, denom, height: pool.height }),
  }));
  const credit = k.state.creditSequence.peek(context);
  return { pool, slot, weight: view.weight(placeOver(slot, 0)), credit, money };
}

/** Whole units that a settled slot is owed. */
export function coinsOf({ money }: SettledSlot): Coins {
  return normalizeCoins(money.map(({ denom, debt }) => ({ denom, amount: wholeUnits(debt.owed) })));
}

/** Writes down what was settled. */
export function writeDebts(k: PoolsCore, context: Context, { pool, slot, money }: SettledSlot): void {
  const rows = rowsOf(k.state, context, pool.id);
  for (const { denom, before, debt } of money) if (debt !== before) rows.setDebt(slot, denom, debt);
}

/**
 * What a claim would pay.
 * @throws StateError (pools 4 … 7) when a slot is not there or another's, or nothing is owed
 */
export function planClaim(
  k: PoolsCore,
  context: ReadContext,
  { owner, pools }: { readonly owner: string; readonly pools: readonly PoolSlots[] },
): readonly SettledSlot[] {
  const plan = pools.flatMap(({ pool: id, slots }) => {
    const pool = requirePool(k, context, id);
    return slots.map((slot) => {
      requireOwned(k, context, { pool, slot, owner });
      return settleSlot(k, context, pool, slot);
    });
  });
  if (plan.every((settled) => coinsOf(settled).length === 0))
    throw new StateError(poolErrors.nothingOwed, 'no slot is owed a whole unit of any denomination');
  return plan;
}

/** @throws StateError (pools 5, 6) */
export function requireOwned(
  k: PoolsCore,
  context: ReadContext,
  { pool, slot, owner }: { readonly pool: Pool; readonly slot: bigint; readonly owner: string },
): void {
  const found = k.state.slots.get(context, [poolKey(pool.id), slot]);
  const text = poolText(pool.id);
  if (found === undefined)
    throw new StateError(
      poolErrors.unknownSlot,
      `pool ${text} has no slot ${slot}; it has ${pool.slots}, from 0`,
    );
  if (found.owner !== owner)
    throw new StateError(poolErrors.notOwner, `slot ${slot} of pool ${text} belongs to ${found.owner}`);
}

/** Pays settled slots of one owner in one transfer. @returns what was paid */
export function payOut(
  k: PoolsCore,
  context: Context,
  { owner, slots }: { readonly owner: Address; readonly slots: readonly SettledSlot[] },
): Coins {
  const coins = normalizeCoins(slots.flatMap((settled) => takeSlot(k, context, settled)));
  if (coins.length === 0) return coins;
  const to = k.withdrawAddresses.withdrawAddress(context, owner);
  k.bank.send(context, { from: k.account, to, coins });
  context.emit(claimed(k.addresses.toText(owner), k.addresses.toText(to), coins));
  return coins;
}

/** Takes the whole units of a settled slot out of its pool's books. */
function takeSlot(k: PoolsCore, context: Context, settled: SettledSlot): readonly Coin[] {
  const { pool, slot, money, credit } = settled;
  const rows = rowsOf(k.state, context, pool.id);
  const paid: Coin[] = [];
  const left: Coin[] = [];
  for (const { denom, debt } of money) {
    // What is not owed a whole unit stays as it is, but in a closed pool.
    if (debt.owed === 0n || (wholeUnits(debt.owed) === 0n && !pool.closed)) continue;
    const taken = takeOut(rows, { slot, denom, debt, closed: pool.closed, credit });
    if (taken.paid > 0n) paid.push({ denom, amount: taken.paid });
    if (taken.left > 0n) left.push({ denom, amount: taken.left });
  }
  for (const coin of paid) context.emit(slotClaimed(settled, coin));
  if (left.length > 0) {
    const coins = normalizeCoins(left);
    k.communityPool.fundCommunityPool(context, { from: k.account, coins });
    context.emit(poolResidual(pool.id, coins, creditSource({ receiptId: 0n })));
  }
  return paid;
}
