import fc from 'fast-check';
import { expect, test } from 'vitest';
import { JsonReader } from '../../framework/json.ts';
import type { PoolId } from '../../proto/gen/openledger/pools/v1/pools.ts';
import { POOL, PoolsWorld } from '../../test/support/pools-world.ts';
import { epochEnd } from './change-queue.ts';
import { settleSlot } from './claims.ts';
import { poolGenesis } from './genesis.ts';
import { CHANGE_ROWS_MAX, rowsOfSlot } from './limits.ts';
import { DEFAULT_PARAMS } from './params.ts';
import { requirePool } from './pools.ts';
import { poolKey } from './state.ts';

function poolOf(subject: bigint): PoolId {
  return { kind: 1, subject };
}

/** Changes of a pool that wait, or of all. */
function waiting({ core, staking }: PoolsWorld, pool?: PoolId): number {
  const changes = [...core.state.changes.iterate(staking.context)];
  return changes.filter(([[key]]) => pool === undefined || key.join() === poolKey(pool).join()).length;
}

function weightOf({ core, staking }: PoolsWorld, id: PoolId, slot: bigint): bigint {
  return settleSlot(core, staking.context, requirePool(core, staking.context, id), slot).weight;
}

test('a flood of orders in one pool holds up no order of another', () => {
  const world = new PoolsWorld({ epochBlocks: 1 });
  const [mine, stranger, also] = [poolOf(9n), poolOf(1n), poolOf(2n)];
  for (let slot = 0; slot < 600; slot++) world.order(slot, 5n, 0, stranger);
  for (let slot = 0; slot < 600; slot++) world.order(slot, 5n, 0, also);
  world.staking.endBlock();
  expect(waiting(world)).toBeGreaterThan(500);
  // Ordered behind more than four blocks of others' changes.
  for (let slot = 0; slot < 3; slot++) world.order(slot, 7n, 1, mine);
  const left = waiting(world, stranger);
  world.staking.endBlock();
  expect([waiting(world, mine), weightOf(world, mine, 2n)]).toEqual([0, 7n]);
  expect(waiting(world, stranger)).toBeLessThan(left);
  expect(world.staking.broken()).toEqual([]);
});

test('pools with a flood each share a block to one change, whatever their keys, and a block is full', () => {
  const world = new PoolsWorld({ epochBlocks: 1 });
  const pools = [1n, 2n, 3n, 4n, 5n].map(poolOf);
  for (const pool of pools) for (let i = 0; i < 400; i++) world.order(i % 128, 5n, 0, pool);
  const rows = rowsOfSlot(requirePool(world.core, world.staking.context, poolOf(1n)));
  const portion = Math.floor(CHANGE_ROWS_MAX / rows);
  expect(portion % pools.length).not.toBe(0);
  let before = pools.map(() => 0);
  for (let block = 1; block * portion < 2000; block++) {
    world.staking.endBlock();
    const done = pools.map((pool) => 400 - waiting(world, pool));
    const shares = done.map((n, i) => n - (before[i] ?? 0));
    before = done;
    expect(Math.max(...shares) - Math.min(...shares)).toBe(1);
    expect(done.reduce((sum, n) => sum + n)).toBe(block * portion);
    expect(world.staking.broken()).toEqual([]);
  }
});

test('more pools than a block can serve: each has its turn before any has its second', () => {
  const world = new PoolsWorld({ epochBlocks: 1 });
  const pools = Array.from({ length: 900 }, (_, i) => poolOf(BigInt(i + 1)));
  for (const weight of [3n, 4n]) for (const pool of pools) world.order(0, weight, 0, pool);
  const weights = (): readonly bigint[] => pools.map((pool) => weightOf(world, pool, 0n));
  world.staking.endBlock();
  expect(new Set(weights())).toEqual(new Set([0n, 3n]));
  world.staking.endBlock();
  expect(new Set(weights())).toEqual(new Set([3n, 4n]));
  for (let block = 0; block < 3; block++) world.staking.endBlock();
  expect(new Set(weights())).toEqual(new Set([4n]));
  expect(world.staking.broken()).toEqual([]);
});

test('what is due does not bring along what its pool has ordered for later', () => {
  const world = new PoolsWorld({ epochBlocks: 1 });
  const { state } = world.core;
  world.order(0, 5n, 0);
  state.params.set(world.staking.context, { ...DEFAULT_PARAMS, epochBlocks: 20 });
  world.order(0, 9n, 0);
  world.endBlocksTo(19n);
  expect([waiting(world), weightOf(world, POOL, 0n)]).toEqual([1, 5n]);
  expect(world.staking.broken()).toEqual([]);
  world.endBlocksTo(20n);
  expect([waiting(world), weightOf(world, POOL, 0n)]).toEqual([0, 9n]);
});

test('orders of a long epoch hold up none of a shorter one, in their order, as many as a block does', () => {
  const world = new PoolsWorld({ epochBlocks: 1 });
  const { state } = world.core;
  const [mine, quiet] = [poolOf(1n), poolOf(2n)];
  const set = (epochBlocks: number): void =>
    state.params.set(world.staking.context, { ...DEFAULT_PARAMS, epochBlocks });
  world.staking.endBlock();
  set(1_000_000);
  for (let i = 0; i < 600; i++) world.order(i % 128, BigInt(1 + i), 0, mine);
  world.order(0, 5n, 0, quiet);
  set(10);
  world.order(127, 0n, 0, mine);
  world.endBlocksTo(9n);
  // Not before the present epoch ends.
  expect([waiting(world, mine), weightOf(world, mine, 0n)]).toEqual([601, 0n]);
  let left = 601;
  while (left > 0) {
    world.staking.endBlock();
    expect(world.staking.broken()).toEqual([]);
    expect(waiting(world, mine)).toBeLessThan(left);
    left = waiting(world, mine);
  }
  expect(world.height).toBeLessThan(16n);
  // 599 is the last order of slot 87 and 512 the first of those that are the last of theirs.
  expect([0n, 87n, 88n, 127n].map((slot) => weightOf(world, mine, slot))).toEqual([513n, 600n, 473n, 0n]);
  // Where nothing else is ordered it stays as it was ordered.
  expect([waiting(world, quiet), weightOf(world, quiet, 0n)]).toEqual([1, 0n]);
  world.order(0, 6n, 0, quiet);
  world.endBlocksTo(20n);
  expect([waiting(world, quiet), weightOf(world, quiet, 0n)]).toEqual([0, 6n]);
});

test('a flood of a longer epoch is done as fast as blocks can, also when it is more than one does', () => {
  const world = new PoolsWorld({ epochBlocks: 1 });
  const { state } = world.core;
  const mine = poolOf(1n);
  const set = (epochBlocks: number): void =>
    state.params.set(world.staking.context, { ...DEFAULT_PARAMS, epochBlocks });
  world.staking.endBlock();
  set(1000);
  for (let i = 0; i < 1200; i++) world.order(i % 128, BigInt(1 + i), 0, mine);
  set(300);
  world.order(127, 0n, 0, mine);
  world.endBlocksTo(299n);
  expect(waiting(world, mine)).toBe(1201);
  let left = 1201;
  while (left > 0) {
    world.staking.endBlock();
    expect(world.staking.broken()).toEqual([]);
    expect(waiting(world, mine)).toBeLessThan(left);
    left = waiting(world, mine);
  }
  expect([world.height, weightOf(world, mine, 127n)]).toEqual([304n, 0n]);
});

test('an order of a longer epoch takes no effect within a shorter one, also behind a flood', () => {
  const world = new PoolsWorld({ epochBlocks: 10 });
  const { state } = world.core;
  const mine = poolOf(1n);
  const set = (epochBlocks: number): void =>
    state.params.set(world.staking.context, { ...DEFAULT_PARAMS, epochBlocks });
  for (let i = 0; i < 900; i++) world.order(i % 128, 5n, 0, mine);
  world.endBlocksTo(10n);
  set(1000);
  world.order(5, 777n, 0, mine);
  set(10);
  world.endBlocksTo(15n);
  expect([waiting(world, mine), weightOf(world, mine, 5n)]).toEqual([1, 5n]);
  world.order(6, 7n, 0, mine);
  world.endBlocksTo(19n);
  expect(weightOf(world, mine, 5n)).toBe(5n);
  world.endBlocksTo(20n);
  expect([5n, 6n].map((slot) => weightOf(world, mine, slot))).toEqual([777n, 7n]);
});

test('an export in the middle of a flood goes on: orders of a pool in their order, each pool with a turn', () => {
  const world = new PoolsWorld({ epochBlocks: 1 });
  for (let slot = 0; slot < 400; slot++) world.order(slot, 5n, 0, poolOf(1n));
  for (let slot = 0; slot < 400; slot++) world.order(slot, 6n, 0, poolOf(2n));
  world.order(399, 8n, 0, poolOf(2n));
  world.order(399, 9n, 0, poolOf(2n));
  world.staking.endBlock();
  const exported = poolGenesis(world.core).export(world.staking.context);
  const other = new PoolsWorld();
  poolGenesis(other.core).init(other.staking.context, new JsonReader(exported, 'pools'));
  expect(poolGenesis(other.core).export(other.staking.context)).toEqual(exported);
  expect(other.staking.broken()).toEqual([]);
  other.endBlocksTo(world.height + 10n);
  expect([waiting(other), weightOf(other, poolOf(2n), 399n), weightOf(other, poolOf(1n), 399n)]).toEqual([
    0,
    9n,
    5n,
  ]);
});

/** An order, and when it is due by itself. */
interface Ordered {
  readonly pool: number;
  readonly slot: number;
  readonly weight: bigint;
  readonly height: bigint;
}

/** What a slot weighs: an order is due when itself or one behind it of its pool is. */
function expectedWeight(orders: readonly Ordered[], of: Pick<Ordered, 'pool' | 'slot'>, now: bigint): bigint {
  const ofPool = orders.filter(({ pool }) => pool === of.pool);
  const last = ofPool.findLastIndex(({ height }) => height <= now);
  const done = ofPool.slice(0, last + 1);
  return done.findLast(({ slot }) => slot === of.slot)?.weight ?? 0n;
}

test('whatever is ordered while epochs change: a weight comes when its order or one behind it is due', () => {
  const order = fc.record({ pool: fc.nat(1), slot: fc.nat(2), weight: fc.bigInt(1n, 9n) });
  const block = fc.record({
    epochBlocks: fc.integer({ min: 1, max: 9 }),
    orders: fc.array(order, { maxLength: 4 }),
  });
  fc.assert(
    fc.property(fc.array(block, { minLength: 20, maxLength: 30 }), (blocks) => {
      const world = new PoolsWorld({ epochBlocks: 1 });
      const { state } = world.core;
      for (let pool = 0; pool < 2; pool++)
        for (let slot = 0; slot < 3; slot++) world.order(slot, 0n, 0, poolOf(BigInt(pool)));
      world.staking.endBlock();
      const ordered: Ordered[] = [];
      for (const { epochBlocks, orders } of blocks) {
        const { context } = world.staking;
        state.params.set(context, { ...state.params.require(context), epochBlocks });
        const { height: now } = context.block;
        for (const { pool, slot, weight } of orders) {
          world.order(slot, weight, 0, poolOf(BigInt(pool)));
          ordered.push({ pool, slot, weight, height: epochEnd(now, epochBlocks) });
        }
        world.staking.endBlock();
        for (const pool of [0, 1])
          for (const slot of [0, 1, 2])
            expect(weightOf(world, poolOf(BigInt(pool)), BigInt(slot))).toBe(
              expectedWeight(ordered, { pool, slot }, now),
            );
        expect(world.staking.broken()).toEqual([]);
      }
    }),
    { numRuns: 25, seed: 27 },
  );
});

test('whatever is ordered while epochs change: a slot has its last order in the end', () => {
  const order = fc.record({ pool: fc.nat(3), slot: fc.nat(2), weight: fc.bigInt(1n, 9n) });
  const epochBlocks = fc.oneof(fc.integer({ min: 1, max: 6 }), fc.constant(10_000));
  const block = fc.record({ epochBlocks, orders: fc.array(order) });
  fc.assert(
    fc.property(fc.array(block, { minLength: 1, maxLength: 8 }), (blocks) => {
      const world = new PoolsWorld();
      const { state } = world.core;
      const last = new Map<
        string,
        { readonly pool: PoolId; readonly slot: bigint; readonly weight: bigint }
      >();
      for (let pool = 0; pool < 4; pool++)
        for (let slot = 0; slot < 3; slot++) world.order(slot, 0n, 0, poolOf(BigInt(pool)));
      for (const { epochBlocks, orders } of blocks) {
        const { context } = world.staking;
        state.params.set(context, { ...state.params.require(context), epochBlocks });
        for (const { pool: i, slot, weight } of orders) {
          const pool = poolOf(BigInt(i));
          world.order(slot, weight, 0, pool);
          last.set(`${i}/${slot}`, { pool, slot: BigInt(slot), weight });
        }
        world.staking.endBlock();
        expect(world.staking.broken()).toEqual([]);
      }
      // The next order brings forward what was ordered under longer epochs.
      const { context } = world.staking;
      state.params.set(context, { ...state.params.require(context), epochBlocks: 6 });
      for (let pool = 0; pool < 4; pool++) world.order(3, 1n, 0, poolOf(BigInt(pool)));
      world.endBlocksTo(world.height + 12n);
      expect(waiting(world)).toBe(0);
      for (const { pool, slot, weight } of last.values()) expect(weightOf(world, pool, slot)).toBe(weight);
    }),
    { numRuns: 15, seed: 26 },
  );
});
