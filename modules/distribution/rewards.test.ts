/**
 * F1 by hand: the arithmetic stands beside each scenario. Validators take a commission of 10 %, the community
 * a tax of 2 %; shares and tokens are equal until somebody is slashed.
 */
import { describe, expect, it } from 'vitest';
import * as q from '../../proto/gen/cosmos/distribution/v1beta1/query.ts';
import { decCoinsToString } from '../../framework/dec-coins.ts';
import {
  ask,
  collect,
  delegate,
  moduleCoins,
  nextBlock,
  undelegate,
  votesOf,
  withdraw,
  withdrawCommission,
} from '../../test/support/rewards.ts';
import { decimal, StakingWorld } from '../../test/support/staking-world.ts';

const REWARDS = {
  method: 'DelegationRewards',
  request: q.QueryDelegationRewardsRequest,
  response: q.QueryDelegationRewardsResponse,
};

/** What an account has earned, in units of 10^-18. */
function owed(world: StakingWorld, i: number, j: number): string {
  const request = { delegatorAddress: world.account(i).address, validatorAddress: world.operator(j) };
  return ask(world, REWARDS, request)
    .rewards.map(({ amount, denom }) => `${amount}${denom}`)
    .join(',');
}

function outstanding(world: StakingWorld, j: number): string {
  const answer = ask(
    world,
    {
      method: 'ValidatorOutstandingRewards',
      request: q.QueryValidatorOutstandingRewardsRequest,
      response: q.QueryValidatorOutstandingRewardsResponse,
    },
    { validatorAddress: world.operator(j) },
  );
  return answer.rewards.rewards.map(({ amount }) => amount).join(',');
}

const pool = (world: StakingWorld): string =>
  decCoinsToString(world.composition.distribution.communityPool(world.context));

/** Takes a fraction of a validator for what it did in this block. */
function slash(world: StakingWorld, j: number, fraction: string): void {
  const validator = world.composition.staking.validatorByKey(world.context, world.keyAddress(j));
  world.composition.staking.slash(world.context, {
    consensusAddress: world.keyAddress(j),
    height: world.context.block.height,
    power: (validator?.tokens ?? 0n) / 1_000_000n,
    fraction: decimal(fraction),
  });
}

describe('what a block collected', () => {
  it('goes to validators by their power, whether they signed or not, less tax and commission', () => {
    const world = new StakingWorld({ validators: [10_000_000n, 30_000_000n] });
    collect(world, '1000uopen');
    nextBlock(world);
    // 1000 × 0.98 = 980; power 10 of 40: 245, of which 24.5 commission; power 30 of 40: 735, of which 73.5.
    expect(owed(world, 0, 0)).toBe('220500000000000000000uopen');
    expect(owed(world, 1, 1)).toBe('661500000000000000000uopen');
    expect(outstanding(world, 0)).toBe('245000000000000000000');
    expect(pool(world)).toBe('20.000000000000000000uopen');
    expect(moduleCoins(world, 'fee_collector')).toEqual([]);
    expect(moduleCoins(world, 'distribution')).toEqual([{ denom: 'uopen', amount: 1000n }]);
    expect(withdrawCommission(world, 1)).toBe('73uopen');
    expect(withdraw(world, 1, 1)).toBe('661uopen');
    // Half a unit of commission waits, half a unit of the reward went to the community.
    expect(outstanding(world, 1)).toBe('500000000000000000');
    expect(pool(world)).toBe('20.500000000000000000uopen');
    expect(world.broken()).toEqual([]);
  });

  it('goes to the community where rounding or a missing validator leaves some', () => {
    const world = new StakingWorld({ validators: [1_000_000n, 1_000_000n, 1_000_000n] });
    collect(world, '100uopen');
    const [first] = votesOf(world);
    const stranger = { validatorAddress: new Uint8Array(20), power: 2n, absent: false };
    world.endBlock(1n, { lastCommit: first === undefined ? [] : [first, stranger] });
    // A third is 0.333333333333333333; × 98 = 32.666666666666666634; two thirds and the rest stay.
    expect(pool(world)).toBe('67.333333333333333366uopen');
    expect(world.broken()).toEqual([]);
  });

  it('goes to the community when nobody voted', () => {
    const world = new StakingWorld({ validators: [1_000_000n] });
    collect(world, '7uopen');
    world.endBlock();
    expect(pool(world)).toBe('7.000000000000000000uopen');
  });
});

describe('rewards of delegations', () => {
  it('begin with the delegation, and each change withdraws', () => {
    const world = new StakingWorld({ validators: [10_000_000n] });
    collect(world, '1000uopen');
    nextBlock(world);
    // Only the validator so far: 980 × 0.9 = 882.
    delegate(world, 1, 0, 30_000_000n);
    expect(owed(world, 1, 0)).toBe('');
    nextBlock(world);
    collect(world, '1000uopen');
    nextBlock(world);
    // 882 / 40,000,000 = 0.00002205 for each token.
    expect(owed(world, 0, 0)).toBe('1102500000000000000000uopen');
    expect(owed(world, 1, 0)).toBe('661500000000000000000uopen');
    const before = world.balance(1);
    delegate(world, 1, 0, 10_000_000n);
    expect(world.balance(1) - before).toBe(661n - 10_000_000n);
    expect(owed(world, 1, 0)).toBe('');
    nextBlock(world);
    collect(world, '1000uopen');
    nextBlock(world);
    // 882 / 50,000,000 × 40,000,000 = 705.6.
    expect(owed(world, 1, 0)).toBe('705600000000000000000uopen');
    undelegate(world, 1, 0, 40_000_000n);
    expect(world.balance(1) - before).toBe(661n + 705n - 10_000_000n);
    expect(world.broken()).toEqual([]);
  });

  it('are zero of the staked denomination when there are none', () => {
    const world = new StakingWorld({ validators: [10_000_000n] });
    nextBlock(world);
    expect(withdraw(world, 0, 0)).toBe('0uopen');
    expect(world.context.events.at(-1)).toMatchObject({ type: 'withdraw_rewards' });
  });

  it('count what was left of the stake after each slash', () => {
    const world = new StakingWorld({ validators: [1_000_000_000n, 1_000_000_000n] });
    delegate(world, 2, 0, 1_000_000_000n);
    nextBlock(world);
    collect(world, '30000uopen');
    nextBlock(world);
    // 29,400; powers are 2000 and 1000: 0.666666666666666666 × 29400 = 19,599.9999999999999804, × 0.9 =
    // 17,639.99999999999998236; / 2 × 10^9 rounds down to 0.000008819999999999 for each token: 8,819.999999999.
    expect(owed(world, 2, 0)).toBe('8819999999999000000000uopen');
    slash(world, 0, '0.5');
    nextBlock(world);
    collect(world, '20000uopen');
    nextBlock(world);
    // Now 10^9 tokens of each: 19,600 / 2 × 0.9 = 8,820; / 10^9 = 0.00000882; the stake is 500,000,000: 4,410.
    expect(owed(world, 2, 0)).toBe('13229999999999000000000uopen');
    slash(world, 0, '0.2');
    nextBlock(world);
    collect(world, '18000uopen');
    nextBlock(world);
    // 800 and 1000: 0.444444444444444444 × 17,640 = 7,839.99999999999999216; × 0.9 = 7,055.999999999999992944;
    // / 800,000,000 = 0.000008819999999999; × 400,000,000 = 3,527.9999999996.
    expect(owed(world, 2, 0)).toBe('16757999999998600000000uopen');
    expect(withdraw(world, 2, 0)).toBe('16757uopen');
    expect(owed(world, 2, 0)).toBe('');
    expect(world.broken()).toEqual([]);
  });

  it('end when nothing is left of the validator, and what it earns then is the community’s', () => {
    const world = new StakingWorld({ validators: [10_000_000n, 10_000_000n] });
    slash(world, 0, '1');
    nextBlock(world);
    const before = pool(world);
    collect(world, '1000uopen');
    // The votes for the last block still count it: half of 980 is its own, 441 of that its delegators'.
    const lastCommit = [0, 1].map((j) => ({
      validatorAddress: world.keyAddress(j),
      power: 10n,
      absent: false,
    }));
    world.endBlock(1n, { lastCommit });
    expect(before).toBe('');
    expect(pool(world)).toBe('20.000000000000000000uopen');
    // The end of a period without tokens gives its rewards away.
    expect(withdraw(world, 0, 0)).toBe('0uopen');
    expect(pool(world)).toBe('461.000000000000000000uopen');
    expect(withdrawCommission(world, 0)).toBe('49uopen');
    expect(world.broken()).toEqual([]);
  });

  it('are settled when a validator goes: commission paid, dust to the community', () => {
    const world = new StakingWorld({ validators: [10_000_000n, 20_000_000n] });
    collect(world, '1001uopen');
    nextBlock(world);
    // 980.98 / 3 × 0.1 = 32.69… commission.
    const before = world.balance(0);
    undelegate(world, 0, 0, 10_000_000n);
    nextBlock(world);
    nextBlock(world, 20n);
    nextBlock(world, 20n);
    expect(world.composition.staking.validator(world.context, world.address(0))).toBeUndefined();
    expect(world.balance(0) - before).toBe(10_000_000n + 294n + 32n);
    expect(world.broken()).toEqual([]);
  });
});
