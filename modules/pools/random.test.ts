import fc from 'fast-check';
import { expect, test } from 'vitest';
import { JsonReader } from '../../framework/json.ts';
import { StateError } from '../../framework/errors.ts';
import { MsgSetAutoClaim, MsgSetAutoClaimResponse } from '../../proto/gen/openledger/pools/v1/tx.ts';
import { type PayOptions, POOL, PoolsWorld } from '../../test/support/pools-world.ts';
import { poolGenesis } from './genesis.ts';
import { poolKey } from './state.ts';

const POOLS = [POOL, { kind: 1, subject: 78n }];
const DENOMS = ['uopen', 'uusd'];

const step = fc.record({
  kind: fc.constantFrom('order', 'order', 'pay', 'pay', 'pay', 'claim', 'auto', 'block', 'block', 'close'),
  pool: fc.nat(1),
  slot: fc.nat(40),
  who: fc.nat(3),
  weight: fc.bigInt(0n, 9n),
  level: fc.nat(3),
  denom: fc.nat(1),
  amount: fc.bigInt(0n, 1000n),
});
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** A node, those below a slot or, by default, everybody. */
function placeOf({ slot: dice, level }: Step, slot: number): Pick<PayOptions, 'place'> {
  if (dice % 4 === 1) return { place: { slotsBelow: BigInt(slot + 1) } };
  return dice % 2 === 0 ? {} : { place: { level, index: BigInt(slot >> level) } };
}

/** Does what a step says; what is refused changes nothing. */
function take(world: PoolsWorld, of: Step): void {
  const pool = POOLS[of.pool] ?? POOL;
  const { context } = world.staking;
  const slots = Number(world.core.state.pools.get(context, poolKey(pool))?.slots ?? 0n);
  const slot = of.slot % (slots + 1);
  switch (of.kind) {
    case 'order':
      world.order(slot, of.weight, of.who, pool);
      break;
    case 'pay':
      world.pay(of.amount, {
        pool,
        denom: DENOMS[of.denom] ?? '',
        ...placeOf(of, slot),
      });
      break;
    case 'claim':
      world.claim(of.who, [slot], pool);
      break;
    case 'auto':
      world.staking.run(
        { message: MsgSetAutoClaim, response: MsgSetAutoClaimResponse },
        {
          owner: world.text(of.who),
          pools: [{ pool, slots: [BigInt(slot)] }],
          minimum: { denom: DENOMS[of.denom] ?? '', amount: (of.amount + 1n).toString() },
          intervalBlocks: 1 + of.level,
          times: of.slot % 5,
        },
      );
      break;
    case 'block':
      world.staking.endBlock();
      break;
    default:
      if (of.slot % 8 === 0) world.close(pool);
  }
}

function played(steps: readonly Step[]): PoolsWorld {
  const world = new PoolsWorld({ epochBlocks: 2, autoClaimBlocksMin: 1, creditBlocks: 9 });
  for (const one of steps)
    try {
      take(world, one);
    } catch (error) {
      if (!(error instanceof StateError)) throw error;
    }
  return world;
}

test('whatever people do, the books balance; what is exported is imported, and goes on in the same way', () => {
  let claims = 0;
  fc.assert(
    fc.property(fc.array(step, { minLength: 60, maxLength: 200 }), (steps) => {
      const world = played(steps);
      expect(world.staking.broken()).toEqual([]);
      const json = poolGenesis(world.core).export(world.staking.context);
      const other = new PoolsWorld();
      const genesis = poolGenesis(other.core);
      genesis.validate(new JsonReader(json, 'pools'));
      genesis.init(other.staking.context, new JsonReader(json, 'pools'));
      expect(genesis.export(other.staking.context)).toEqual(json);
      for (const pool of POOLS)
        for (let slot = 0; slot < 12; slot++)
          for (const who of [0, 1, 2, 3]) {
            const paid = claimed(world, who, slot, pool);
            // The other world's account has no coins: what it may pay shows in its books.
            if (paid !== undefined) claims++;
          }
      expect(world.staking.broken()).toEqual([]);
    }),
    { numRuns: 12, endOnFailure: true },
  );
  expect(claims).toBeGreaterThan(20);
}, 60_000);

function claimed(
  world: PoolsWorld,
  who: number,
  slot: number,
  pool: typeof POOL,
): readonly string[] | undefined {
  try {
    return world.claim(who, [slot], pool);
  } catch (error) {
    if (!(error instanceof StateError)) throw error;
    return undefined;
  }
}
