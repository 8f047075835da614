import { expect, test } from 'vitest';
import { type JsonObject, JsonReader } from '../../framework/json.ts';
import { messageFromJson, messageToJson } from '../../framework/proto-json.ts';
import { GenesisState } from '../../proto/gen/openledger/pools/v1/genesis.ts';
import { POOL, PoolsWorld } from '../../test/support/pools-world.ts';
import { poolGenesis } from './genesis.ts';

/** Two slots, a payment in each denomination, a claim, an order that waits. */
function exported(): { readonly world: PoolsWorld; readonly state: GenesisState } {
  const world = new PoolsWorld({ epochBlocks: 2 });
  world.order(0, 3n, 0);
  world.order(1, 4n, 1);
  world.endBlocksTo(2n);
  world.pay(100n);
  world.pay(9n, { denom: 'uusd', place: { level: 0, index: 1n } });
  world.claim(0, [0]);
  world.order(1, 6n, 2);
  const json = poolGenesis(world.core).export(world.staking.context);
  return { world, state: messageFromJson(GenesisState, new JsonReader(json, 'pools')) };
}

function started(state: GenesisState): PoolsWorld {
  const world = new PoolsWorld();
  const json = new JsonReader(messageToJson(GenesisState, state), 'pools');
  const genesis = poolGenesis(world.core);
  genesis.validate(json);
  genesis.init(world.staking.context, json);
  return world;
}

test('a chain goes on from its export: debts, fractions, orders, the numbers of credits', () => {
  const { world, state } = exported();
  const other = started(state);
  const { context } = other.staking;
  // The coins are bank's to restore.
  world.core.bank.send(context, {
    from: other.staking.address(5),
    to: other.core.account,
    coins: [
      { denom: 'uopen', amount: 58n },
      { denom: 'uusd', amount: 9n },
    ],
  });
  for (const one of [world, other]) {
    one.endBlocksTo(4n);
    one.pay(900n);
  }
  expect(other.claim(2, [1])).toEqual(world.claim(2, [1]));
  expect(other.claim(0, [0])).toEqual(world.claim(0, [0]));
  expect(poolGenesis(other.core).export(other.staking.context)).toMatchObject({
    credits: [{ id: '1' }, { id: '2' }, { id: '3' }],
    last_credit: '3',
  });
  expect(other.staking.broken()).toEqual([]);
});

test('a genesis whose rows do not belong together is refused, and where is said', () => {
  const { state } = exported();
  const [pool] = state.pools;
  const [slot] = state.slots;
  const [weight] = state.weights;
  const [balance] = state.balances;
  const [debt] = state.debts;
  const [totals] = state.totals;
  const [change] = state.changes;
  const [credit] = state.credits;
  if (!pool || !slot || !weight || !balance || !debt || !totals || !change || !credit)
    throw new RangeError('not stocked');
  const elsewhere = { kind: 1, subject: 5n };
  const order = {
    pool: POOL,
    slot: 0n,
    owner: slot.slot.owner,
    minimum: { denom: 'uopen', amount: '1' },
    intervalBlocks: 5,
    timesLeft: 1,
    dueHeight: 9n,
  };
  const wrong: readonly [Partial<GenesisState>, RegExp][] = [
    [{ pools: [pool, pool] }, /pools.*listed twice/],
    [{ pools: [{ ...pool, id: { kind: 3, subject: 77n } }] }, /no pools of kind 3/],
    [{ pools: [{ ...pool, height: 3 }] }, /pools\[0\].*height 3/],
    [{ pools: [{ ...pool, denoms: ['uopen', 'uopen'] }] }, /different denominations/],
    [{ slots: state.slots.slice(1) }, /slots.*there are 1, the pools have 2/],
    [{ slots: [slot, { ...slot, pool: elsewhere }] }, /slots\[1\].*no pool datanet\/5/],
    [{ slots: [{ ...slot, slot: { ...slot.slot, sinceCredit: 9n } }] }, /slots\[0\].*above last_credit/],
    [{ slots: [{ ...slot, slot: { ...slot.slot, untilCredit: 9n } }] }, /slots\[0\].*above last_credit/],
    [
      { slots: [{ ...slot, slot: { ...slot.slot, sinceCredit: 2n, untilCredit: 1n } }] },
      /until_credit 1 is below since_credit, 2/,
    ],
    [{ weights: [{ ...weight, weight: 1n << 32n }] }, /weights\[0\].*above/],
    [{ weights: [{ ...weight, place: { level: 1, index: 0n } }] }, /must be of level 0/],
    [{ weights: [{ ...weight, place: { level: 0, index: 2n } }] }, /slot 2 is not one of 2/],
    [{ balances: [{ ...balance, place: { level: 2, index: 0n } }] }, /node 2\/0 is not in the pool/],
    [
      { balances: [{ ...balance, balance: { acc: '5', rem: '1' }, place: { level: 0, index: 0n } }] },
      /a slot has no rem/,
    ],
    [{ credits: [{ ...credit, prefix: 1n, place: { level: 0, index: 1n } }] }, /a prefix is paid at a root/],
    [
      { credits: [{ ...credit, prefix: 1n, whole: true, place: { level: 0, index: 0n } }] },
      /a prefix is paid at a root/,
    ],
    [{ credits: [{ ...credit, whole: true }] }, /credits\[0\].*whole at a slot/],
    [{ credits: [{ ...credit, perWeight: 'x' }] }, /'x' is not a whole number/],
    [
      { credits: [{ ...credit, whole: true, place: { level: 0, index: 0n } }] },
      /whole credit has no per_weight/,
    ],
    [{ balances: [{ ...balance, denom: 'uxyz' }] }, /uxyz is none of/],
    [{ balances: [{ ...balance, balance: { acc: '-1', rem: '0' } }] }, /'-1' is not a whole number/],
    [{ debts: [{ ...debt, index: 7n }] }, /debts\[0\].*slot 7/],
    [{ totals: [{ ...totals, denom: 'uxyz' }] }, /totals\[0\]/],
    [{ changes: [{ ...change, slot: 2n }] }, /changes\[0\]/],
    [{ autoClaims: [{ ...order, timesLeft: 0 }] }, /auto_claims\[0\].*attempt/],
    [{ autoClaims: [{ ...order, slot: 1n }] }, /slot’s owner/],
    [{ nextChange: 0n }, /next_change.*below the 1 change/],
    [{ lastCredit: 1n }, /credits\[1\].*last_credit/],
    // The books do not balance.
    [
      { totals: state.totals.map((one) => ({ ...one, totals: { ...one.totals, paid: '101' } })) },
      /do not balance/,
    ],
    [{ debts: state.debts.map((one) => ({ ...one, debt: { ...one.debt, owed: '1' } })) }, /do not balance/],
    [{ weights: [{ ...weight, weight: 5n }] }, /do not balance/],
    [{ balances: [] }, /remainders|do not balance/],
  ];
  for (const [change_, expected] of wrong)
    expect(() => started({ ...state, ...change_ }), expected.source).toThrow(expected);
  expect(() => started(state)).not.toThrow();
});

test('a genesis that says nothing of pools has none, and the defaults', () => {
  const world = new PoolsWorld();
  const json = poolGenesis(world.core).defaults() as JsonObject;
  expect(json['pools']).toEqual([]);
  expect(json['params']).toMatchObject({ epoch_blocks: 10, slots_max: 256 });
});
