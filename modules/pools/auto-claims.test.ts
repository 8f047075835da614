import { expect, test } from 'vitest';
import { type ErrorKind, StateError } from '../../framework/errors.ts';
import { MsgSetAutoClaim, MsgSetAutoClaimResponse } from '../../proto/gen/openledger/pools/v1/tx.ts';
import { POOL, PoolsWorld } from '../../test/support/pools-world.ts';
import { poolErrors } from './errors.ts';
import { AUTO_CLAIM_ROWS_MAX, rowsOfSlot } from './limits.ts';
import { requirePool } from './pools.ts';

const SET = { message: MsgSetAutoClaim, response: MsgSetAutoClaimResponse };

/** Slot 0 of account 0 weighs 1, slot 1 of account 1 weighs 3; the first epoch is over. */
function stocked(): PoolsWorld {
  const world = new PoolsWorld({ autoClaimBlocksMin: 2, autoClaimTimesMax: 50, epochBlocks: 1 });
  world.order(0, 1n, 0);
  world.order(1, 3n, 1);
  world.endBlocksTo(1n);
  return world;
}

function set(world: PoolsWorld, owner: number, change: Partial<MsgSetAutoClaim> = {}): void {
  world.staking.run(SET, {
    owner: world.text(owner),
    pools: [{ pool: POOL, slots: [BigInt(owner)] }],
    minimum: { denom: 'uopen', amount: '10' },
    intervalBlocks: 3,
    times: 2,
    ...change,
  });
}

function refused(act: () => void, kind: ErrorKind): void {
  try {
    act();
  } catch (error) {
    if (!(error instanceof StateError)) throw error;
    expect([error.kind.codespace, error.kind.code], error.message).toEqual([kind.codespace, kind.code]);
    return;
  }
  throw new RangeError(`not refused: ${kind.description}`);
}

function ordersOf(world: PoolsWorld): readonly (readonly [bigint, number, bigint])[] {
  return [...world.core.state.autoClaims.iterate(world.staking.context)].map(
    ([, { slot, timesLeft, dueHeight }]) => [slot, timesLeft, dueHeight],
  );
}

test('pays at its heights when enough is owed, as often as was paid for, all denominations together', () => {
  const world = stocked();
  const start = world.height;
  set(world, 1, { times: 3 });
  world.pay(12n);
  world.pay(4n, { denom: 'uusd' });
  const before = world.balance(1);
  world.endBlocksTo(start + 3n);
  expect(world.balance(1)).toBe(before);
  expect(ordersOf(world)).toEqual([[1n, 2, start + 6n]]);
  world.pay(4n);
  world.endBlocksTo(start + 5n);
  expect(world.balance(1)).toBe(before);
  world.endBlocksTo(start + 6n);
  expect([world.balance(1) - before, world.balance(1, 'uusd') - (1n << 80n)]).toEqual([12n, 3n]);
  world.endBlocksTo(start + 9n);
  expect(ordersOf(world)).toEqual([]);
  world.pay(400n);
  world.endBlocksTo(start + 20n);
  expect(world.balance(1) - before).toBe(12n);
  expect(world.staking.broken()).toEqual([]);
});

test('what is set again replaces what was set, and no times end it', () => {
  const world = stocked();
  set(world, 0);
  set(world, 0, { times: 7, intervalBlocks: 9 });
  expect(ordersOf(world)).toEqual([[0n, 7, world.height + 9n]]);
  expect(world.staking.broken()).toEqual([]);
  set(world, 0, { times: 0, intervalBlocks: 0, minimum: { denom: '', amount: '' } });
  expect(ordersOf(world)).toEqual([]);
  expect(world.events).toContain('end_auto_claim');
  expect(world.staking.broken()).toEqual([]);
});

test('each attempt is paid for in gas when it is ordered', () => {
  const world = stocked();
  const { context } = world.staking;
  const consumed = (times: number): number => {
    const before = context.gas.consumed;
    set(world, 0, { times });
    return context.gas.consumed - before;
  };
  consumed(1);
  const rows = rowsOfSlot(requirePool(world.core, context, POOL));
  expect(consumed(41) - consumed(1)).toBe(40 * rows * 2_000);
});

test('what cannot be ordered is refused by its own number', () => {
  const world = stocked();
  const minimum = (denom: string, amount: string) => ({ minimum: { denom, amount } });
  refused(() => set(world, 0, minimum('uopen', '0')), poolErrors.invalidAutoClaim);
  refused(() => set(world, 0, minimum('', '5')), poolErrors.invalidAutoClaim);
  refused(() => set(world, 0, { intervalBlocks: 1 }), poolErrors.invalidAutoClaim);
  refused(() => set(world, 0, { times: 51 }), poolErrors.invalidAutoClaim);
  refused(() => set(world, 0, { pools: [] }), poolErrors.invalidSlots);
  refused(() => set(world, 0, { pools: [{ pool: POOL, slots: [1n] }] }), poolErrors.notOwner);
  refused(() => set(world, 0, { pools: [{ pool: POOL, slots: [9n] }] }), poolErrors.unknownSlot);
  const many = Array.from({ length: 257 }, (_, i) => BigInt(i));
  refused(() => set(world, 0, { pools: [{ pool: POOL, slots: many }] }), poolErrors.tooManySlots);
  expect(ordersOf(world)).toEqual([]);
});

test('they end with the slot’s owner', () => {
  const world = stocked();
  set(world, 1);
  world.order(1, 3n, 2);
  world.staking.endBlock();
  expect(ordersOf(world)).toEqual([]);
  expect(world.staking.broken()).toEqual([]);
});

test('attempts that are due at once are made in portions, the oldest first', () => {
  const world = stocked();
  const count = 1200;
  for (let slot = 2; slot < count; slot++) world.order(slot, 1n, 0);
  while ([...world.core.state.changes.iterate(world.staking.context)].length > 0) world.staking.endBlock();
  for (let from = 2; from < count; from += 200) {
    const slots = Array.from({ length: Math.min(200, count - from) }, (_, i) => BigInt(from + i));
    set(world, 0, { pools: [{ pool: POOL, slots }], times: 1, intervalBlocks: 3 });
  }
  const due = world.height + 3n;
  world.endBlocksTo(due - 1n);
  const before = ordersOf(world).length;
  world.endBlocksTo(due);
  const portion = Math.floor(
    AUTO_CLAIM_ROWS_MAX / rowsOfSlot(requirePool(world.core, world.staking.context, POOL)),
  );
  expect(portion).toBeLessThan(before);
  expect(before - ordersOf(world).length).toBe(portion);
  expect(ordersOf(world)[0]?.[0]).toBe(BigInt(2 + portion));
  while (ordersOf(world).length > 0) world.staking.endBlock();
  expect(world.height).toBeLessThan(due + 10n);
});
