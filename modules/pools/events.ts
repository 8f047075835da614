import { type Coin, type Coins, coinsToString, coinToString } from '../../framework/coins.ts';
import { type Event, event } from '../../framework/events.ts';
import type { AutoClaim, Credit, PoolId, WeightChange } from '../../proto/gen/openledger/pools/v1/pools.ts';
import { PoolKind } from '../../proto/gen/openledger/pools/v1/pools.ts';
import { SCALE } from './arithmetic.ts';
import type { SettledSlot } from './claims.ts';
import type { CreditSource } from './places.ts';

const KIND_NAMES: ReadonlyMap<PoolKind, string> = new Map([
  [PoolKind.POOL_KIND_DATANET, 'datanet'],
  [PoolKind.POOL_KIND_MODEL, 'model'],
]);

/** A pool as text: `datanet/1`. */
export function poolText({ kind, subject }: PoolId): string {
  return `${KIND_NAMES.get(kind) ?? kind.toString()}/${subject}`;
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

/** A weight has changed. @param credit id of the last credit that the old one counts for */
export function weightChanged(change: WeightChange, credit: bigint): Event {
  return event('change_weight', { ...changePairs(change), credit: credit.toString() });
}

function changePairs({ pool, slot, weight, owner }: WeightChange): Readonly<Record<string, string>> {
  return { pool: poolText(pool), slot: slot.toString(), weight: weight.toString(), owner };
}

/** Money came in at a node. */
export function poolCredited(credit: Credit): Event {
  const { id, pool, place, amount, perWeight, whole, prefix } = credit;
  return event('pool_credit', {
    pool: poolText(pool),
    level: place.level.toString(),
    index: place.index.toString(),
    amount: `${amount.amount}${amount.denom}`,
    per_weight: perWeight,
    whole: whole.toString(),
    prefix: prefix.toString(),
    credit_id: id.toString(),
    ...sourcePairs(credit),
  });
}

/** Money that a pool had nobody for went to the residual party. */
export function poolResidual(id: PoolId, amount: Coins, source: CreditSource): Event {
  return event('pool_residual', {
    pool: poolText(id),
    amount: coinsToString(amount),
    ...sourcePairs(source),
  });
}

/** Money for a slot of a pool that takes no further denomination was sent on to its owner. */
export function slotForwarded(
  { pool, slot, to }: { readonly pool: PoolId; readonly slot: bigint; readonly to: string },
  coin: Coin,
  source: CreditSource,
): Event {
  return event('forward_slot', {
    pool: poolText(pool),
    slot: slot.toString(),
    to,
    amount: coinToString(coin),
    ...sourcePairs(source),
  });
}

function sourcePairs({ receiptId, epochId, epochRow }: CreditSource): Readonly<Record<string, string>> {
  return {
    receipt_id: receiptId.toString(),
    epoch_id: epochId.toString(),
    epoch_row: epochRow.toString(),
  };
}

/** What a claim paid of a slot's debt, what is left of it, and which credits were new in it. */
export function slotClaimed({ pool, slot, weight, credit, money }: SettledSlot, coin: Coin): Event {
  const { owed = 0n, paidCredit = 0n } = money.find(({ denom }) => denom === coin.denom)?.debt ?? {};
  return event('claim_slot', {
    pool: poolText(pool.id),
    slot: slot.toString(),
    amount: coinToString(coin),
    weight: weight.toString(),
    since_credit: paidCredit.toString(),
    credit: credit.toString(),
    left: (pool.closed ? 0n : owed % SCALE).toString(),
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
