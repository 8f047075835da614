import { type Coin, type Coins, coinsToString, coinToString } from '../../framework/coins.ts';
import { type Event, event } from '../../framework/events.ts';
import type { AutoClaim, Credit, PoolId, WeightChange } from '../../proto/gen/openledger/pools/v1/pools.ts';
import { PoolKind } from '../../proto/gen/openledger/pools/v1/pools.ts';
import type { SettledSlot } from './claims.ts';

/** A pool as text: `datanet/1`. */
export function poolText({ kind, subject }: PoolId): string {
  const name = kind === PoolKind.POOL_KIND_DATANET ? 'datanet' : kind.toString();
  return `${name}/${subject}`;
}

/** A pool came into being. */
export function poolCreated(id: PoolId): Event {
  return event('create_pool', { pool: poolText(id) });
}

/** A weight will change. */
export function weightOrdered(change: WeightChange): Event {
  return event('order_weight', {
    ...changePairs(change),
    effective_height: change.effectiveHeight.toString(),
  });
}

/** A weight has changed. */
export function weightChanged(change: WeightChange): Event {
  return event('change_weight', changePairs(change));
}

function changePairs({ pool, slot, weight, owner }: WeightChange): Readonly<Record<string, string>> {
  return { pool: poolText(pool), slot: slot.toString(), weight: weight.toString(), owner };
}

/** Money came in at a node. */
export function poolCredited({ id, pool, place, amount, perWeight, receiptId }: Credit): Event {
  return event('pool_credit', {
    pool: poolText(pool),
    level: place.level.toString(),
    index: place.index.toString(),
    amount: `${amount.amount}${amount.denom}`,
    per_weight: perWeight,
    credit_id: id.toString(),
    receipt_id: receiptId.toString(),
  });
}

/** Money that a pool had nobody for went to the residual party. */
export function poolResidual(id: PoolId, amount: Coins, receiptId: bigint): Event {
  return event('pool_residual', {
    pool: poolText(id),
    amount: coinsToString(amount),
    receipt_id: receiptId.toString(),
  });
}

/** What a claim paid of a slot's debt, and which credits were new in it. */
export function slotClaimed({ pool, slot, weight, money }: SettledSlot, coin: Coin): Event {
  const of = money.find(({ denom }) => denom === coin.denom);
  return event('claim_slot', {
    pool: poolText(pool.id),
    slot: slot.toString(),
    amount: coinToString(coin),
    weight: weight.toString(),
    since_credit: (of?.before.seenCredit ?? 0n).toString(),
    credit: (of?.debt.seenCredit ?? 0n).toString(),
  });
}

/** An owner was paid. */
export function claimed(owner: string, to: string, coins: Coins): Event {
  return event('claim', { owner, to, amount: coinsToString(coins) });
}

/** Automatic claims of a slot were ordered. */
export function autoClaimSet(order: AutoClaim): Event {
  return event('set_auto_claim', {
    pool: poolText(order.pool),
    slot: order.slot.toString(),
    owner: order.owner,
    times: order.timesLeft.toString(),
    due_height: order.dueHeight.toString(),
  });
}

/** Automatic claims of a slot are over. */
export function autoClaimEnded({ pool, slot, owner }: Pick<AutoClaim, 'pool' | 'slot' | 'owner'>): Event {
  return event('end_auto_claim', { pool: poolText(pool), slot: slot.toString(), owner });
}

/** A pool was closed; what nobody was owed left it. */
export function poolClosed(id: PoolId, swept: Coins): Event {
  return event('close_pool', { pool: poolText(id), swept: coinsToString(swept) });
}
