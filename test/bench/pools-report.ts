/** Payments and claims of modules/pools on 2^20 slots: in memory, over the rows of the store, and whole. */
import { performance } from 'node:perf_hooks';
import { moduleAddress } from '../../framework/address.ts';
import { pay } from '../../modules/pools/credits.ts';
import type { PoolsCore } from '../../modules/pools/ports.ts';
import { rowsOf } from '../../modules/pools/rows.ts';
import { poolKey, poolState, STORE_NAME } from '../../modules/pools/state.ts';
import {
  creditNode,
  creditPrefix,
  creditSlot,
  heightOf,
  type Place,
  setSlotWeight,
  settledDebt,
  takeOut,
  type TreeRows,
} from '../../modules/pools/tree.ts';
import { creditSource, type PoolNode } from '../../modules/pools/places.ts';
import { Pool, Slot } from '../../proto/gen/openledger/pools/v1/pools.ts';
import { MsgClaim } from '../../proto/gen/openledger/pools/v1/tx.ts';
import { memoryRows } from '../conservation/memory-rows.ts';
import { Random } from '../fuzz/random.ts';
import { anyWith } from './messages/case.ts';
import { MessageWorld } from './messages/world.ts';
import { percentile } from './percentile.ts';
import type { Report } from './report.ts';

const SLOTS = 1 << 20;
const HEIGHT = heightOf(BigInt(SLOTS));
const DENOM = 'uopen';
const RUNS = 20_000;
const WARM_UP = 2_000;
const MESSAGES = 300;
const SLOTS_OF_MESSAGE = 256;
const POOL = { kind: 1, subject: 9_000_000n };

/** Operations a second, and the slowest of a hundred in microseconds. */
interface Rate {
  readonly perSecond: number;
  readonly p99Us: number;
}

function measure(runs: number, action: (i: number) => void): Rate {
  for (let i = 0; i < Math.min(WARM_UP, runs); i++) action(i);
  const us: number[] = [];
  const start = performance.now();
  for (let i = 0; i < runs; i++) {
    const began = performance.now();
    action(i);
    us.push((performance.now() - began) * 1000);
  }
  return { perSecond: (1000 * runs) / (performance.now() - start), p99Us: percentile(us, 0.99) };
}

/** A third at the root, a third at single slots, the others anywhere. */
function somewhere(random: Random): Place {
  const dice = random.below(3);
  const level = dice === 0 ? HEIGHT : dice === 1 ? 0 : random.below(HEIGHT + 1);
  return { level, index: BigInt(random.below(SLOTS) >> level) };
}

function payRow(rows: TreeRows, random: Random): void {
  const place = somewhere(random);
  const of = { denom: DENOM, amount: BigInt(1 + random.below(1000)) };
  if (place.level === 0) creditSlot(rows, { slot: place.index, ...of });
  else creditNode(rows, { place, ...of });
}

/** The positions of a snapshot: any length, so half of a tree's levels on average. */
function somePrefix(random: Random): bigint {
  return BigInt(1 + random.below(SLOTS - 1));
}

function payPrefixRow(rows: TreeRows, random: Random): void {
  const amount = BigInt(1 + random.below(1000));
  creditPrefix(rows, { count: somePrefix(random), height: HEIGHT, denom: DENOM, amount });
}

function claimRow(rows: TreeRows, random: Random): void {
  const slot = BigInt(random.below(SLOTS));
  const debt = settledDebt(rows, { slot, denom: DENOM, height: HEIGHT });
  takeOut(rows, { slot, denom: DENOM, debt, closed: false, credit: 0n });
}

function weigh(rows: TreeRows, note: (text: string) => void): void {
  for (let slot = 0; slot < SLOTS; slot++)
    setSlotWeight(rows, { slot: BigInt(slot), height: 0, weight: BigInt(100 + (slot % 1000)) });
  for (let level = 1; level <= HEIGHT; level++)
    for (let i = 0; i < SLOTS >> level; i++) {
      const [left, right] = [2 * i, 2 * i + 1].map((index) =>
        rows.weight({ level: level - 1, index: BigInt(index) }),
      );
      rows.setWeight({ level, index: BigInt(i) }, (left ?? 0n) + (right ?? 0n));
    }
  note(`${SLOTS} slots weigh something, ${HEIGHT} levels`);
}

/** See the file comment. */
export function reportPools(report: Report): Readonly<Record<string, Rate>> {
  const { row, note } = report;
  const results: Record<string, Rate> = {};
  const say = (name: string, rate: Rate, text: string): void => {
    results[name] = rate;
    const us = 1_000_000 / rate.perSecond;
    row(
      name,
      { slots: SLOTS },
      `${Math.round(rate.perSecond)} a second, ${us.toFixed(1)} µs, p99 ${rate.p99Us.toFixed(0)}; ${text}`,
    );
  };
  const random = new Random(1);
  const memory = memoryRows();
  weigh(memory, note);
  say(
    'pools/memory/pay',
    measure(RUNS, () => payRow(memory, random)),
    'the same functions over arrays',
  );
  say(
    'pools/memory/pay-prefix',
    measure(RUNS, () => payPrefixRow(memory, random)),
    `to the slots below any number, ${HEIGHT / 2} nodes on average`,
  );
  say(
    'pools/memory/claim',
    measure(RUNS, () => claimRow(memory, random)),
    `${HEIGHT} balances`,
  );
  overStore(random, note, say);
  return results;
}

function overStore(
  random: Random,
  note: (text: string) => void,
  say: (name: string, rate: Rate, text: string) => void,
): void {
  const world = new MessageWorld({ accounts: 1000, validators: 4 });
  const core = coreOf(world);
  const { state } = core;
  const owner = world.account(10);
  const pool = Pool.create({ id: POOL, slots: BigInt(SLOTS), height: HEIGHT, denoms: [DENOM] });
  state.pools.set(world.context, poolKey(POOL), pool);
  weigh(rowsOf(state, world.context, POOL), note);
  for (let slot = 0n; slot < BigInt(SLOTS); slot++)
    state.slots.set(world.context, [poolKey(POOL), slot], Slot.create({ owner: owner.address }));
  world.endBlock();
  note('written and committed');
  const from = world.account(11).pubKey.address;
  // What is paid to rows without a transfer is there already.
  const coins = [{ denom: DENOM, amount: 2_000n * BigInt(RUNS + WARM_UP) }];
  core.bank.sendToModule(world.context, { from, module: STORE_NAME, coins });
  const rows = (): TreeRows => rowsOf(state, world.context, POOL);
  say(
    'pools/rows/pay',
    measure(RUNS, () => payRow(rows(), random)),
    'over the rows of the store, in a block',
  );
  say(
    'pools/rows/pay-prefix',
    measure(RUNS, () => payPrefixRow(rows(), random)),
    'as above',
  );
  say(
    'pools/rows/claim',
    measure(RUNS, () => claimRow(rows(), random)),
    'as above',
  );
  const payOnce = (place: NonNullable<PoolNode['place']>): void => {
    const amount = BigInt(1 + random.below(1000));
    const row = { pool: POOL, place, amount, source: creditSource({ receiptId: 1n }) };
    pay(core, world.context, { from, denom: DENOM, rows: [row] });
  };
  const whole = 'with the transfer, the credit and its index, events';
  say(
    'pools/module/pay',
    measure(RUNS, () => payOnce(somewhere(random))),
    whole,
  );
  say(
    'pools/module/pay-prefix',
    measure(RUNS, () => payOnce({ slotsBelow: somePrefix(random) })),
    whole,
  );
  const commit = world.endBlock();
  note(
    `the block of these ${2 * (RUNS + WARM_UP)} payments and the rows before is committed in ${commit.commitMs.toFixed(0)} ms`,
  );
  claims(world, core, say);
}

/** Claims as messages, of one slot and of many, each slot once after a payment to everybody. */
function claims(
  world: MessageWorld,
  core: PoolsCore,
  say: (name: string, rate: Rate, text: string) => void,
): void {
  const from = world.account(11).pubKey.address;
  const owner = world.account(10).address;
  for (const [name, count] of [
    ['pools/module/claim', 1],
    ['pools/module/claim-many', SLOTS_OF_MESSAGE],
  ] as const) {
    const row = { pool: POOL, amount: 100_000_000_000n, source: creditSource({ receiptId: 1n }) };
    pay(core, world.context, { from, denom: DENOM, rows: [row] });
    world.endBlock();
    let next = 0;
    const claim = (): void => {
      const slots = Array.from({ length: count }, (_, i) => BigInt(next + i));
      next += count;
      world.run(anyWith(MsgClaim, { owner, pools: [{ pool: POOL, slots }] }));
    };
    const rate = measure(MESSAGES, claim);
    const perSlot = { perSecond: rate.perSecond * count, p99Us: rate.p99Us };
    say(name, perSlot, `slots; messages of ${count} without the transaction around them; p99 of a message`);
  }
}

function coreOf(world: MessageWorld): PoolsCore {
  const { addresses, bank, distribution } = world.composition;
  return {
    addresses,
    bank,
    communityPool: distribution,
    withdrawAddresses: distribution,
    state: poolState(),
    account: moduleAddress(STORE_NAME),
  };
}
