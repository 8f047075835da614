/** Money that comes in, and the record of it that a claim is explained by. */
import type { Context, ReadContext } from '../../framework/context.ts';
import type { Address } from '../../framework/address.ts';
import { type Coin, coinToWire } from '../../framework/coins.ts';
import type { Credit } from '../../proto/gen/openledger/pools/v1/pools.ts';
import { poolCredited, poolResidual, slotForwarded } from './events.ts';
import { CREDITS_FORGOTTEN_MAX, DENOMS_MAX } from './limits.ts';
import { paramsOf } from './pools.ts';
import { type NodePayment, type NodeRow, nodesOfCredit, type PoolNode } from './places.ts';
import type { PoolsCore } from './ports.ts';
import { rowsOf, viewOf } from './rows.ts';
import { poolKey, STORE_NAME } from './state.ts';
import { creditNode, creditPrefix, creditSlot, type Place, rootOf } from './tree.ts';

/**
 * Who takes money: a node or a prefix below it by weight, a slot whole, or a slot's owner directly. Undefined:
 * the residual party.
 */
type Taker =
  /** `prefix`: the slots below it; 0 for all of the place, else that is the root. */
  | { readonly kind: 'node' | 'slot'; readonly place: Place; readonly prefix: bigint }
  | { readonly kind: 'owner'; readonly slot: bigint; readonly owner: string };

function takerOf(
  k: PoolsCore,
  context: ReadContext,
  { pool: id, place, denom }: PoolNode & { readonly denom: string },
): Taker | undefined {
  const pool = k.state.pools.get(context, poolKey(id));
  if (pool === undefined) return undefined;
  const isTaken = pool.denoms.includes(denom) || pool.denoms.length < DENOMS_MAX;
  if (place !== undefined && 'level' in place && place.level === 0) {
    const slot = k.state.slots.get(context, [poolKey(id), place.index]);
    if (slot === undefined) return undefined;
    return isTaken
      ? { kind: 'slot', place, prefix: 0n }
      : { kind: 'owner', slot: place.index, owner: slot.owner };
  }
  if (pool.closed || !isTaken) return undefined;
  const root = rootOf(pool.height);
  const paid = { place: root, prefix: 0n, ...ofPlace(root, place) };
  const nodes = nodesOfCredit(paid);
  const view = viewOf(k.state, context, id);
  // A node outside of the tree has no weight either.
  if (nodes.every((node) => view.weight(node) === 0n)) return undefined;
  const [first = root] = nodes;
  // A root or a prefix that is one slot: all of it is one owner's.
  if (nodes.length === 1 && first.level === 0) return { kind: 'slot', place: first, prefix: 0n };
  return { kind: 'node', ...paid };
}

/** As a credit has it. */
function ofPlace(root: Place, place: PoolNode['place']): Partial<Pick<Credit, 'place' | 'prefix'>> {
  if (place === undefined) return {};
  return 'level' in place ? { place } : { place: root, prefix: place.slotsBelow };
}

/** See `PoolPayer`. */
export function accountOf(
  k: PoolsCore,
  context: ReadContext,
  place: PoolNode & { readonly denom: string },
): string {
  const isTaken = takerOf(k, context, place) !== undefined;
  return isTaken ? STORE_NAME : k.communityPool.communityPoolAccount;
}

/** See `PoolPayer`. */
export function pay(k: PoolsCore, context: Context, { from, denom, rows }: NodePayment): void {
  const taken = rows
    .filter(({ amount }) => amount > 0n)
    .map((row) => ({ row, taker: takerOf(k, context, { ...row, denom }) }));
  const held = taken.filter(({ taker }) => taker?.kind === 'node' || taker?.kind === 'slot');
  const left = taken.filter(({ taker }) => taker === undefined);
  const pooled = sumOf(held);
  if (pooled > 0n)
    k.bank.sendToModule(context, { from, module: STORE_NAME, coins: [{ denom, amount: pooled }] });
  const residual = sumOf(left);
  if (residual > 0n)
    k.communityPool.fundCommunityPool(context, { from, coins: [{ denom, amount: residual }] });
  for (const { row, taker } of taken) {
    const coin = { denom, amount: row.amount };
    if (taker === undefined) context.emit(poolResidual(row.pool, [coin], row.source));
    else if (taker.kind === 'owner') forward(k, context, { from, row, taker, coin });
    else credit(k, context, { row, taker, coin });
  }
}

function sumOf(of: readonly { readonly row: NodeRow }[]): bigint {
  return of.reduce((sum, { row }) => sum + row.amount, 0n);
}

/** A slot of a pool that takes no further denomination: its owner has the money at once. */
function forward(
  k: PoolsCore,
  context: Context,
  of: {
    readonly from: Address;
    readonly row: NodeRow;
    readonly taker: Extract<Taker, { readonly kind: 'owner' }>;
    readonly coin: Coin;
  },
): void {
  const { from, row, taker, coin } = of;
  const to = k.withdrawAddresses.withdrawAddress(context, k.addresses.toBytes(taker.owner));
  k.bank.send(context, { from, to, coins: [coin] });
  const slot = { pool: row.pool, slot: taker.slot, to: k.addresses.toText(to) };
  context.emit(slotForwarded(slot, coin, row.source));
}

function credit(
  k: PoolsCore,
  context: Context,
  of: {
    readonly row: NodeRow;
    readonly taker: Extract<Taker, { readonly place: Place }>;
    readonly coin: Coin;
  },
): void {
  const { row, taker, coin } = of;
  const { denom, amount } = coin;
  const { kind, place, prefix } = taker;
  const pool = k.state.pools.require(context, poolKey(row.pool));
  if (!pool.denoms.includes(denom))
    k.state.pools.set(context, poolKey(pool.id), { ...pool, denoms: [...pool.denoms, denom] });
  const rows = rowsOf(k.state, context, pool.id);
  let perWeight = '';
  if (kind === 'slot') creditSlot(rows, { slot: place.index, denom, amount });
  else if (prefix === 0n) perWeight = creditNode(rows, { place, denom, amount }).toString();
  else perWeight = creditPrefix(rows, { count: prefix, height: place.level, denom, amount }).toString();
  const paid: Credit = {
    id: k.state.creditSequence.next(context) + 1n,
    pool: pool.id,
    place: { level: place.level, index: place.index },
    amount: coinToWire(coin),
    perWeight,
    height: context.block.height,
    ...row.source,
    whole: kind === 'slot',
    prefix,
  };
  insertCredit(k, context, paid);
  context.emit(poolCredited(paid));
}

/** Writes a credit and its index: under each node that it was paid to, so that a slot finds it on its path. */
export function insertCredit(k: PoolsCore, context: Context, credit: Credit): void {
  k.state.credits.set(context, credit.id, credit);
  for (const row of indexOf(credit)) k.state.creditsByNode.add(context, row);
}

/** Forgets credits that were kept long enough, the oldest first. */
export function forgetCredits(k: PoolsCore, context: Context): void {
  const newest = context.block.height - BigInt(paramsOf(k, context).creditBlocks);
  const old: Credit[] = [];
  for (const [, credit] of k.state.credits.iterate(context)) {
    if (credit.height > newest || old.length >= CREDITS_FORGOTTEN_MAX) break;
    old.push(credit);
  }
  for (const credit of old) {
    k.state.credits.remove(context, credit.id);
    for (const row of indexOf(credit)) k.state.creditsByNode.remove(context, row);
  }
}

/** Where a credit is indexed: node, denomination, id. */
export function indexOf(
  credit: Credit,
): readonly Parameters<PoolsCore['state']['creditsByNode']['add']>[1][] {
  const { pool, amount, id } = credit;
  return nodesOfCredit(credit).map(({ level, index }) => [[poolKey(pool), level, index], amount.denom, id]);
}
