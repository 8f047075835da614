import { describe, expect, test } from 'vitest';
import { type ErrorKind, StateError } from '../../framework/errors.ts';
import {
  MsgSetWithdrawAddress,
  MsgSetWithdrawAddressResponse,
} from '../../proto/gen/cosmos/distribution/v1beta1/tx.ts';
import { MsgClaim, MsgClaimResponse } from '../../proto/gen/openledger/pools/v1/tx.ts';
import { POOL, PoolsWorld } from '../../test/support/pools-world.ts';
import { SCALE, SLOT_WEIGHT_MAX } from './arithmetic.ts';
import { orderSlot } from './changes.ts';
import { pay } from './credits.ts';
import { creditSource } from './places.ts';
import { settleSlot } from './claims.ts';
import { poolErrors } from './errors.ts';
import { CHANGE_ROWS_MAX, CREDITS_FORGOTTEN_MAX, DENOMS_MAX, rowsOfSlot, SLOTS_MAX } from './limits.ts';
import { requirePool } from './pools.ts';
import { viewOf } from './rows.ts';
import { poolKey } from './state.ts';

const OTHER = { kind: 1, subject: 78n };
const CLAIM = { message: MsgClaim, response: MsgClaimResponse };

function refused(act: () => unknown, kind: ErrorKind): string {
  try {
    act();
  } catch (error) {
    if (!(error instanceof StateError)) throw error;
    expect([error.kind.codespace, error.kind.code], error.message).toEqual([kind.codespace, kind.code]);
    return error.message;
  }
  throw new RangeError(`not refused: ${kind.description}`);
}

/** Slots 0, 1 and 2 of accounts 0, 1 and 0 weigh 1, 2 and 4; epochs of ten blocks, the first is over. */
function stocked(params: ConstructorParameters<typeof PoolsWorld>[0] = {}): PoolsWorld {
  const world = new PoolsWorld(params);
  world.order(0, 1n, 0);
  world.order(1, 2n, 1);
  world.order(2, 4n, 0);
  world.endBlocksTo(10n);
  expect(world.staking.broken()).toEqual([]);
  return world;
}

describe('payments', () => {
  test('weights count from the end of their epoch on; until then money goes to the residual party', () => {
    const world = new PoolsWorld();
    const before = world.communityPool();
    world.pay(10n);
    world.order(0, 1n, 0);
    world.pay(10n);
    world.endBlocksTo(9n);
    world.pay(10n);
    expect(world.communityPool() - before).toBe(30n);
    expect(world.events).toContain('pool_residual');
    world.endBlocksTo(10n);
    world.pay(10n);
    expect(world.communityPool() - before).toBe(30n);
    expect(world.claim(0, [0])).toEqual(['10uopen']);
    expect(world.staking.broken()).toEqual([]);
  });

  test('a node’s payment reaches those below it, by weight, in each denomination', () => {
    const world = stocked();
    world.pay(70n);
    world.pay(30n, { place: { level: 1, index: 0n } });
    world.pay(5n, { place: { level: 0, index: 2n }, denom: 'uusd' });
    // There is no slot 3, and no level 3.
    const before = world.communityPool();
    world.pay(9n, { place: { level: 0, index: 3n } });
    world.pay(9n, { place: { level: 3, index: 0n } });
    expect(world.communityPool() - before).toBe(18n);
    expect(world.claim(0, [0, 2])).toEqual(['60uopen', '5uusd']);
    expect(world.claim(1, [1])).toEqual(['40uopen']);
    expect(world.staking.broken()).toEqual([]);
  });

  test('what is paid to a slot is its owner’s whole: new, withdrawn, of a closed pool', () => {
    const world = new PoolsWorld();
    world.order(0, 1n, 0);
    world.order(1, 0n, 1);
    const before = world.communityPool();
    const slot = (index: bigint) => ({ place: { level: 0, index } });
    world.pay(7n, slot(0n));
    world.pay(5n, slot(1n));
    expect(world.attributes('pool_credit')).toMatchObject({
      level: '0',
      index: '1',
      amount: '5uopen',
      per_weight: '',
      whole: 'true',
      receipt_id: '9',
      epoch_id: '0',
    });
    expect(world.claim(0, [0])).toEqual(['7uopen']);
    expect(world.claim(1, [1])).toEqual(['5uopen']);
    world.endBlocksTo(10n);
    world.order(0, 0n, 0);
    world.endBlocksTo(20n);
    world.pay(3n, slot(0n));
    world.close();
    world.pay(4n, slot(0n));
    // Who joins a closed pool can be paid, too.
    world.order(2, 5n, 2);
    world.pay(8n, slot(2n));
    expect(world.communityPool() - before).toBe(0n);
    expect(world.staking.broken()).toEqual([]);
    expect(world.claim(0, [0])).toEqual(['7uopen']);
    expect(world.claim(2, [2])).toEqual(['8uopen']);
    // The slot that there is not is nobody's.
    world.pay(9n, slot(3n));
    expect(world.communityPool() - before).toBe(9n);
    expect(world.staking.broken()).toEqual([]);
  });

  test('the root of a pool with one slot is that slot: nothing is left over', () => {
    const world = new PoolsWorld();
    world.order(0, 3n, 0);
    world.endBlocksTo(10n);
    world.pay(5n);
    expect(world.claim(0, [0])).toEqual(['5uopen']);
    world.order(1, 7n, 1);
    world.endBlocksTo(20n);
    world.pay(10n);
    expect(world.claim(1, [1])).toEqual(['7uopen']);
    expect(world.staking.broken()).toEqual([]);
  });

  test('those below a number share by weight, whoever has come behind them with whatever weight', () => {
    const world = stocked();
    world.order(3, SLOT_WEIGHT_MAX, 3);
    world.endBlocksTo(20n);
    world.pay(70n, { place: { slotsBelow: 3n } });
    expect(world.attributes('pool_credit')).toMatchObject({
      level: '2',
      index: '0',
      prefix: '3',
      per_weight: `${10n * SCALE}`,
      whole: 'false',
    });
    refused(() => world.claim(3, [3]), poolErrors.nothingOwed);
    expect(world.claim(1, [1])).toEqual(['20uopen']);
    expect(world.claim(0, [0, 2])).toEqual(['50uopen']);
    // A slot alone has it all; more than there are is everybody.
    world.pay(7n, { place: { slotsBelow: 1n } });
    expect(world.attributes('pool_credit')).toMatchObject({ level: '0', prefix: '0', whole: 'true' });
    expect(world.claim(0, [0])).toEqual(['7uopen']);
    world.pay(SLOT_WEIGHT_MAX + 7n, { place: { slotsBelow: 9n } });
    expect(world.claim(3, [3])).toEqual([`${SLOT_WEIGHT_MAX}uopen`]);
    expect(world.claim(0, [0, 2])).toEqual(['5uopen']);
    expect(world.staking.broken()).toEqual([]);
  });

  test('those below a number of whom none weighs anything leave it to the residual party', () => {
    const world = stocked();
    world.order(0, 0n, 0);
    world.order(1, 0n, 1);
    world.endBlocksTo(20n);
    const before = world.communityPool();
    for (const slotsBelow of [1n, 2n]) world.pay(5n, { place: { slotsBelow } });
    expect(world.communityPool() - before).toBe(10n);
    world.pay(5n, { place: { slotsBelow: 3n } });
    expect(world.claim(0, [2])).toEqual(['5uopen']);
    expect(world.staking.broken()).toEqual([]);
  });

  test('a credit of those below a number is found at each of their nodes, also when the tree has grown since', () => {
    const world = stocked();
    const { context } = world.staking;
    world.pay(70n, { place: { slotsBelow: 3n } });
    for (let slot = 3; slot < 6; slot++) world.order(slot, 9n, 3);
    world.endBlocksTo(20n);
    world.pay(5n, { place: { slotsBelow: 3n } });
    const at = (level: number, index: bigint): readonly bigint[] =>
      [...world.core.state.creditsByNode.iterate(context)]
        .filter(([node]) => node[1] === level && node[2] === index)
        .map(([, , id]) => id);
    expect([at(1, 0n), at(0, 2n), at(2, 0n), at(3, 0n)]).toEqual([[1n, 2n], [1n, 2n], [], []]);
    expect(world.claim(1, [1])).toEqual(['21uopen']);
    expect(world.staking.broken()).toEqual([]);
  });

  test('many rows are one transfer to the pools, and one to the residual party', () => {
    const world = stocked();
    const { context } = world.staking;
    const source = creditSource({ epochId: 4n, epochRow: 2 });
    const row = (amount: bigint, level: number, index: bigint) => ({
      pool: POOL,
      place: { level, index },
      amount,
      source,
    });
    const rows = [row(2n, 0, 1n), row(0n, 0, 0n), row(7n, 2, 0n), row(3n, 2, 9n), row(5n, 0, 9n)];
    const from = world.staking.address(5);
    const before = context.events.length;
    pay(world.core, context, { from, denom: 'uopen', rows });
    const events = context.events.slice(before);
    const amounts = (type: string) =>
      events
        .filter((event) => event.type === type)
        .map(({ attributes }) => attributes.find(({ key }) => key === 'amount')?.value);
    expect(amounts('transfer')).toEqual(['9uopen', '8uopen']);
    expect(amounts('pool_credit')).toEqual(['2uopen', '7uopen']);
    expect(amounts('pool_residual')).toEqual(['3uopen', '5uopen']);
    expect(world.attributes('pool_credit')).toMatchObject({ epoch_id: '4', epoch_row: '2', whole: 'false' });
    expect(world.staking.broken()).toEqual([]);
  });

  test('a pool takes so many denominations; what comes in another goes to the residual party or, at a slot, to its owner', () => {
    const denoms = Array.from({ length: DENOMS_MAX + 1 }, (_, i) => `coin${String(i).padStart(2, '0')}`);
    const world = new PoolsWorld({}, ['uopen', ...denoms]);
    world.order(0, 1n, 0);
    world.endBlocksTo(10n);
    for (const denom of denoms) world.pay(3n, { denom });
    expect(world.communityPool(denoms.at(-1))).toBe(3n);
    const last = denoms.at(-1) ?? '';
    const had = world.balance(0, last);
    world.pay(4n, { denom: last, place: { level: 0, index: 0n } });
    expect([world.balance(0, last) - had, world.communityPool(last)]).toEqual([4n, 3n]);
    expect(world.attributes('forward_slot')).toMatchObject({
      slot: '0',
      to: world.text(0),
      amount: `4${last}`,
    });
    expect(world.claim(0, [0])).toEqual(denoms.slice(0, -1).map((denom) => `3${denom}`));
    world.pay(3n, { denom: 'coin03' });
    expect(world.claim(0, [0])).toEqual(['3coin03']);
  });
});

test('what comes to a slot in a denomination too many goes to the withdraw address of its owner', () => {
  const denoms = Array.from({ length: DENOMS_MAX + 1 }, (_, i) => `coin${String(i).padStart(2, '0')}`);
  const world = new PoolsWorld({}, ['uopen', ...denoms]);
  world.order(0, 1n, 0);
  world.endBlocksTo(10n);
  for (const denom of denoms) world.pay(3n, { denom });
  world.staking.run(
    { message: MsgSetWithdrawAddress, response: MsgSetWithdrawAddressResponse },
    { delegatorAddress: world.text(0), withdrawAddress: world.text(3) },
  );
  const last = denoms.at(-1) ?? '';
  const before = [0, 3].map((i) => world.balance(i, last));
  world.pay(4n, { denom: last, place: { level: 0, index: 0n } });
  expect([0, 3].map((i) => world.balance(i, last))).toEqual([before[0], (before[1] ?? 0n) + 4n]);
  expect(world.attributes('forward_slot')).toMatchObject({ to: world.text(3), amount: `4${last}` });
  expect(world.staking.broken()).toEqual([]);
});

describe('weights', () => {
  test('one that comes and goes around a payment earns nothing', () => {
    const world = stocked();
    world.order(1, SLOT_WEIGHT_MAX, 1);
    world.pay(700n);
    world.order(1, 2n, 1);
    world.endBlocksTo(20n);
    world.pay(700n);
    expect(world.claim(1, [1])).toEqual(['400uopen']);
    expect(world.claim(0, [0, 2])).toEqual(['1000uopen']);
  });

  test('orders are applied in portions, in their order', () => {
    const world = new PoolsWorld({ epochBlocks: 100 });
    for (let slot = 0; slot < 800; slot++) world.order(slot, 5n, slot % 3);
    const pool = requirePool(world.core, world.staking.context, POOL);
    world.order(799, 0n, 0);
    const left = (): number => [...world.core.state.changes.iterate(world.staking.context)].length;
    world.endBlocksTo(99n);
    expect(left()).toBe(801);
    world.endBlocksTo(100n);
    const portion = Math.floor(CHANGE_ROWS_MAX / rowsOfSlot(pool));
    expect(801 - left()).toBe(portion);
    expect(portion).toBeGreaterThan(100);
    while (left() > 0) world.staking.endBlock();
    expect(settleSlot(world.core, world.staking.context, pool, 799n).weight).toBe(0n);
    expect(settleSlot(world.core, world.staking.context, pool, 798n).weight).toBe(5n);
    expect(world.staking.broken()).toEqual([]);
  });

  test('a slot knows between which credits it weighed something', () => {
    const world = new PoolsWorld({ epochBlocks: 1 });
    const { state } = world.core;
    const weighed = (): readonly bigint[] => {
      const slot = state.slots.require(world.staking.context, [poolKey(POOL), 1n]);
      return [slot.sinceCredit, slot.untilCredit];
    };
    const ordered = (weight: bigint, owner = 1): readonly bigint[] => {
      world.order(1, weight, owner);
      world.staking.endBlock();
      return weighed();
    };
    world.order(0, 1n, 0);
    expect(ordered(0n)).toEqual([0n, 0n]);
    world.pay(10n);
    expect(ordered(5n)).toEqual([1n, 0n]);
    world.pay(10n);
    // Another weight or owner, as long as it weighs something, is nothing new.
    expect(ordered(6n)).toEqual([1n, 0n]);
    expect(ordered(6n, 2)).toEqual([1n, 0n]);
    expect(ordered(0n)).toEqual([1n, 2n]);
    world.pay(10n);
    expect(ordered(0n)).toEqual([1n, 2n]);
    expect(ordered(7n)).toEqual([3n, 0n]);
  });

  test('who orders one pays for its rows in gas', () => {
    const world = stocked({ gasPerRow: 1_000_000 });
    const { context } = world.staking;
    const before = context.gas.consumed;
    world.order(1, 1n, 0);
    const rows = rowsOfSlot(requirePool(world.core, context, POOL));
    expect(Math.floor((context.gas.consumed - before) / 1_000_000)).toBe(rows);
  });

  test('a slot that changes hands pays its old owner, and the new one has what comes then', () => {
    const world = stocked();
    world.pay(10n);
    const before = world.balance(1);
    world.order(1, 2n, 2);
    world.pay(11n);
    world.endBlocksTo(20n);
    // 2/7 of 21 is 6.
    expect(world.balance(1) - before).toBe(6n);
    world.pay(7n);
    refused(() => world.claim(1, [1]), poolErrors.notOwner);
    expect(world.claim(2, [1])).toEqual(['2uopen']);
    expect(world.staking.broken()).toEqual([]);
  });

  test('there are less than 2^32 slots', () => {
    const world = stocked();
    const { context } = world.staking;
    const pool = requirePool(world.core, context, POOL);
    world.core.state.pools.set(context, poolKey(POOL), { ...pool, slots: SLOTS_MAX, height: 32 });
    const order = { pool: POOL, slot: SLOTS_MAX, weight: 1n, owner: world.staking.address(0) };
    refused(() => orderSlot(world.core, context, order), poolErrors.poolFull);
  });
});

describe('claims', () => {
  test('of several pools at once, in one transfer, to the withdraw address', () => {
    const world = stocked();
    world.order(0, 3n, 0, OTHER);
    world.endBlocksTo(20n);
    world.pay(7n);
    world.pay(6n, { pool: OTHER, denom: 'uusd' });
    world.staking.run(
      { message: MsgSetWithdrawAddress, response: MsgSetWithdrawAddressResponse },
      { delegatorAddress: world.text(0), withdrawAddress: world.text(3) },
    );
    const before = [0, 3].map((i) => world.balance(i));
    const pools = [
      { pool: POOL, slots: [0n, 2n] },
      { pool: OTHER, slots: [0n] },
    ];
    const { amount } = world.staking.run(CLAIM, { owner: world.text(0), pools });
    expect(amount).toEqual([
      { denom: 'uopen', amount: '5' },
      { denom: 'uusd', amount: '6' },
    ]);
    expect([0, 3].map((i) => world.balance(i))).toEqual([before[0], (before[1] ?? 0n) + 5n]);
    expect(world.staking.broken()).toEqual([]);
  });

  test('twice: there is nothing the second time, and fractions add up to units in the end', () => {
    const world = stocked();
    world.pay(1n);
    refused(() => world.claim(1, [1]), poolErrors.nothingOwed);
    for (let i = 0; i < 6; i++) world.pay(1n);
    // Two sevenths of seven, although no single unit could be divided.
    expect(world.claim(1, [1])).toEqual(['2uopen']);
    refused(() => world.claim(1, [1]), poolErrors.nothingOwed);
    for (let i = 0; i < 4; i++) world.pay(1n);
    expect(world.claim(1, [1])).toEqual(['1uopen']);
    for (let i = 0; i < 3; i++) world.pay(1n);
    expect(world.claim(1, [1])).toEqual(['1uopen']);
    expect(world.staking.broken()).toEqual([]);
  });

  test('what cannot be claimed is refused by its own number', () => {
    const world = stocked({ slotsMax: 2 });
    world.pay(70n);
    const run = (rows: MsgClaim['pools']) => () =>
      world.staking.run(CLAIM, { owner: world.text(0), pools: rows });
    refused(run([]), poolErrors.invalidSlots);
    refused(run([{ pool: POOL, slots: [] }]), poolErrors.invalidSlots);
    refused(run([{ pool: POOL, slots: [0n, 0n] }]), poolErrors.invalidSlots);
    refused(run([{ pool: POOL, slots: [2n, 0n] }]), poolErrors.invalidSlots);
    const row = { pool: POOL, slots: [0n] };
    expect(refused(run([row, row]), poolErrors.invalidSlots)).toContain('named twice');
    refused(run([{ pool: POOL, slots: [0n, 1n, 2n] }]), poolErrors.tooManySlots);
    refused(run([{ pool: OTHER, slots: [0n] }]), poolErrors.unknownPool);
    expect(refused(run([{ pool: POOL, slots: [3n] }]), poolErrors.unknownSlot)).toContain('no slot 3');
    refused(run([{ pool: POOL, slots: [1n] }]), poolErrors.notOwner);
    expect(world.claim(0, [0, 2])).toEqual(['50uopen']);
  });

  test('the credits of a slot’s path since its last claim add up to what it is owed, to the fraction', () => {
    const world = stocked();
    const { context } = world.staking;
    world.pay(10n);
    world.claim(0, [2]);
    const left = viewOf(world.core.state, context, POOL).debt(2n, 'uopen').owed;
    expect(world.attributes('claim_slot')).toMatchObject({ since_credit: '0', credit: '1', left: `${left}` });
    for (const amount of [100n, 37n, 5n]) {
      world.pay(amount);
      world.pay(amount, { place: { level: 1, index: 0n } });
      world.pay(amount, { place: { level: 1, index: 1n } });
      world.pay(amount, { place: { level: 0, index: 1n } });
      world.pay(amount, { place: { level: 0, index: 2n } });
      // The first two do not have slot 2; all three have it at a node of its own.
      world.pay(amount, { place: { slotsBelow: 2n } });
      world.pay(amount, { place: { slotsBelow: 3n } });
    }
    const settled = settleSlot(world.core, context, requirePool(world.core, context, POOL), 2n);
    const [money] = settled.money;
    let sum = 0n;
    for (const [, credit] of world.core.state.credits.iterate(context)) {
      const { level, index } = credit.place;
      const isIn = credit.prefix === 0n || 2n < credit.prefix;
      if (index !== 2n >> BigInt(level) || !isIn || credit.id <= (money?.debt.paidCredit ?? 0n)) continue;
      sum += credit.whole ? BigInt(credit.amount.amount) * SCALE : 4n * BigInt(credit.perWeight);
    }
    expect(left + sum).toBe(money?.debt.owed);
    world.claim(0, [2]);
    const { amount, left: after } = world.attributes('claim_slot');
    expect(BigInt(parseInt(amount ?? '', 10)) * SCALE + BigInt(after ?? '')).toBe(left + sum);
    expect(world.attributes('claim_slot')).toMatchObject({ since_credit: '1', credit: '22' });
  });

  test('credits are forgotten in portions once they were kept long enough', () => {
    const world = stocked({ creditBlocks: 5 });
    for (let i = 0; i < CREDITS_FORGOTTEN_MAX + 10; i++) world.pay(1n);
    const { height } = world;
    const left = (): number => [...world.core.state.credits.iterate(world.staking.context)].length;
    world.endBlocksTo(height + 4n);
    expect(left()).toBe(CREDITS_FORGOTTEN_MAX + 10);
    world.endBlocksTo(height + 5n);
    expect(left()).toBe(10);
    world.endBlocksTo(height + 6n);
    expect(left()).toBe(0);
    world.pay(1n);
    const [[id] = [0n]] = world.core.state.credits.iterate(world.staking.context);
    expect(id).toBe(BigInt(CREDITS_FORGOTTEN_MAX + 11));
    expect(world.staking.broken()).toEqual([]);
  });
});

describe('closing', () => {
  test('what is owed stays claimable, what nobody is owed goes, and so does what is paid later', () => {
    const world = stocked();
    world.pay(100n);
    world.order(1, 50n, 1);
    const before = world.communityPool();
    world.close();
    world.pay(100n);
    expect(world.communityPool() - before).toBe(100n);
    world.order(3, 5n, 3);
    world.endBlocksTo(20n);
    expect(world.staking.broken()).toEqual([]);
    expect(world.claim(1, [1])).toEqual(['28uopen']);
    expect(world.claim(0, [0, 2])).toEqual(['71uopen']);
    // 100/7, 200/7 and 400/7 have left a whole unit of fractions, with what did not divide.
    expect(world.communityPool() - before).toBe(101n);
    expect(world.core.bank.balances(world.staking.context, world.core.account)).toEqual([]);
    expect(world.staking.broken()).toEqual([]);
  });

  test('what is paid to a prefix of a closed pool goes to the residual party too', () => {
    const world = stocked();
    world.close();
    const before = world.communityPool();
    world.pay(100n, { place: { slotsBelow: 2n } });
    expect(world.communityPool() - before).toBe(100n);
    expect(world.staking.broken()).toEqual([]);
  });

  test('only the governance account closes, once, what there is', () => {
    const world = stocked();
    expect(() => world.close(POOL, world.text(0))).toThrow('invalid authority');
    refused(() => world.close(OTHER), poolErrors.unknownPool);
    world.close();
    refused(() => world.close(), poolErrors.poolClosed);
  });
});
