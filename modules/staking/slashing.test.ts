/** Slashes, worked out by hand. The rules: x/staking `spec/02_state_transitions.md`, v0.50. */
import { describe, expect, it } from 'vitest';
import * as tx from '../../proto/gen/cosmos/staking/v1beta1/tx.ts';
import { decimal, StakingWorld } from '../../test/support/staking-world.ts';

const coin = (amount: number): { readonly denom: string; readonly amount: string } => ({
  denom: 'uopen',
  amount: amount.toString(),
});

function delegate(world: StakingWorld, from: number, to: number, amount: number): void {
  world.run(
    { message: tx.MsgDelegate, response: tx.MsgDelegateResponse },
    {
      delegatorAddress: world.account(from).address,
      validatorAddress: world.operator(to),
      amount: coin(amount),
    },
  );
}

function undelegate(world: StakingWorld, from: number, to: number, amount: number): number {
  const { amount: paid } = world.run(
    { message: tx.MsgUndelegate, response: tx.MsgUndelegateResponse },
    {
      delegatorAddress: world.account(from).address,
      validatorAddress: world.operator(to),
      amount: coin(amount),
    },
  );
  return Number(paid.amount);
}

function redelegate(
  world: StakingWorld,
  from: number,
  path: readonly [number, number],
  amount: number,
): void {
  world.run(
    { message: tx.MsgBeginRedelegate, response: tx.MsgBeginRedelegateResponse },
    {
      delegatorAddress: world.account(from).address,
      validatorSrcAddress: world.operator(path[0]),
      validatorDstAddress: world.operator(path[1]),
      amount: coin(amount),
    },
  );
}

/** Slashes validator `i` for an offence at a height; the power is that of its 10,000,000 tokens. */
function slash(world: StakingWorld, i: number, height: bigint, fraction: string, power = 10n): bigint {
  const offence = { consensusAddress: world.keyAddress(i), height, power, fraction: decimal(fraction) };
  return world.composition.staking.slash(world.context, offence);
}

function tokensOf(world: StakingWorld, i: number): bigint {
  return world.composition.staking.validator(world.context, world.address(i))?.tokens ?? -1n;
}

function sharesOf(world: StakingWorld, delegator: number, validator: number): string {
  const pair = { delegator: world.address(delegator), validator: world.address(validator) };
  return world.composition.staking.delegation(world.context, pair)?.shares.toString() ?? 'none';
}

describe('a slash in the block of the offence', () => {
  it('takes tokens, not shares: the rate falls and later shares are cheaper', () => {
    const world = new StakingWorld({ validators: [10_000_000n, 10_000_000n] });
    const supply = world.composition.bank.supply(world.context, 'uopen');
    // 10 power × 10^6 × 0.25 = 2,500,000 of 10,000,000 tokens.
    expect(slash(world, 0, world.context.block.height, '0.25')).toBe(2_500_000n);
    expect(tokensOf(world, 0)).toBe(7_500_000n);
    expect(world.composition.bank.supply(world.context, 'uopen')).toBe(supply - 2_500_000n);
    expect(world.composition.staking.totalBonded(world.context)).toBe(17_500_000n);
    // A share is worth 0.75 tokens: 300 tokens are 400 shares.
    delegate(world, 3, 0, 300);
    expect(sharesOf(world, 3, 0)).toBe('400.000000000000000000');
    // 100 tokens are 133.33… shares, rounded down to 10^-18.
    delegate(world, 4, 0, 100);
    expect(sharesOf(world, 4, 0)).toBe('133.333333333333333333');
    // Back the other way the validator keeps what rounding leaves. 99 tokens are 99 × S / T shares, with
    // S = 10,000,533.333333333333333333 and T = 7,500,400: 131.999999999999999999, rounded down. Those are
    // 131.999999999999999999 × T / S = 98.999999999999999999 tokens, of which 98 whole ones are paid.
    expect(undelegate(world, 4, 0, 99)).toBe(98);
    expect(sharesOf(world, 4, 0)).toBe('1.333333333333333334');
    expect(world.broken()).toEqual([]);
  });

  it('takes no more than there is, and then nobody can delegate there', () => {
    const world = new StakingWorld({ validators: [10_000_000n, 10_000_000n] });
    expect(slash(world, 0, world.context.block.height, '1', 25n)).toBe(10_000_000n);
    expect(tokensOf(world, 0)).toBe(0n);
    expect(() => delegate(world, 3, 0, 5)).toThrow(
      'cannot delegate to validators with invalid (zero) ex-rate',
    );
    world.endBlock();
    expect(world.broken()).toEqual([]);
    expect(world.composition.staking.validator(world.context, world.address(0))?.status).toBe('unbonding');
  });

  it('of a fraction that rounds to nothing, of nobody, or of a free validator burns nothing', () => {
    const world = new StakingWorld({ validators: [10_000_000n, 10_000_000n] });
    expect(slash(world, 0, 1n, '0.000000099999999999')).toBe(0n);
    expect(slash(world, 0, 1n, '0')).toBe(0n);
    expect(slash(world, 5, 1n, '0.5')).toBe(0n);
    world.composition.staking.jail(world.context, world.keyAddress(0));
    for (let i = 0; i < 12; i++) world.endBlock();
    expect(world.composition.staking.validator(world.context, world.address(0))?.status).toBe('unbonded');
    expect(slash(world, 0, 1n, '0.5')).toBe(0n);
    expect(world.broken()).toEqual([]);
  });
});

describe('a slash for an earlier offence', () => {
  it('reckons with what an entry began with, less what was cancelled of it, and rounds down', () => {
    const world = new StakingWorld({ validators: [10_000_000n, 10_000_000n] });
    delegate(world, 3, 0, 1_000_000);
    const { height } = world.context.block;
    undelegate(world, 3, 0, 1_000);
    world.endBlock();
    world.run(
      { message: tx.MsgCancelUnbondingDelegation, response: tx.MsgCancelUnbondingDelegationResponse },
      {
        delegatorAddress: world.account(3).address,
        validatorAddress: world.operator(0),
        amount: coin(401),
        creationHeight: height,
      },
    );
    // 599 are left: 149.75 of them, 149. Of power 10 2,500,000 are due, the rest from the validator.
    expect(slash(world, 0, height, '0.25')).toBe(2_500_000n - 149n);
    // Again the fraction of 599, not of the 450 that are left, and not of the 1,000 of the beginning.
    expect(slash(world, 0, height, '0.25')).toBe(2_500_000n - 149n);
    const before = world.balance(3);
    for (let i = 0; i < 15; i++) world.endBlock();
    expect(world.balance(3)).toBe(before + 599n - 149n - 149n);
    expect(world.broken()).toEqual([]);
  });

  it('burns what began to unbond since, and the rest of the validator', () => {
    const world = new StakingWorld({ validators: [10_000_000n, 10_000_000n] });
    delegate(world, 3, 0, 1_000_000);
    undelegate(world, 3, 0, 100_000); // before the offence: untouched
    world.endBlock();
    const offence = world.context.block.height;
    undelegate(world, 3, 0, 400_000);
    world.endBlock();
    // Power 10 at the offence: 10,000,000 × 0.1 = 1,000,000 due; 400,000 × 0.1 = 40,000 of it from the entry.
    expect(slash(world, 0, offence, '0.1')).toBe(960_000n);
    expect(tokensOf(world, 0)).toBe(10_500_000n - 960_000n);
    const before = world.balance(3);
    for (let i = 0; i < 15; i++) world.endBlock();
    expect(world.balance(3)).toBe(before + 100_000n + 360_000n);
    expect(world.broken()).toEqual([]);
  });

  it('again takes of an entry what the first left, but counts what was due', () => {
    const world = new StakingWorld({ validators: [10_000_000n, 10_000_000n] });
    delegate(world, 3, 0, 1_000_000);
    const offence = world.context.block.height;
    undelegate(world, 3, 0, 1_000_000);
    world.endBlock();
    // 60 % of 1,000,000 twice: 600,000, then the 400,000 left, though 600,000 count against the 6,000,000
    // due.
    expect(slash(world, 0, offence, '0.6')).toBe(5_400_000n);
    expect(slash(world, 0, offence, '0.6')).toBe(4_600_000n); // 5,400,000 due, 4,600,000 there
    const before = world.balance(3);
    for (let i = 0; i < 12; i++) world.endBlock();
    expect(world.balance(3)).toBe(before);
    expect(world.broken()).toEqual([]);
  });

  it('follows stake that moved to another validator', () => {
    const world = new StakingWorld({ validators: [10_000_000n, 10_000_000n] });
    delegate(world, 3, 0, 1_000_000);
    world.endBlock();
    const offence = world.context.block.height;
    redelegate(world, 3, [0, 1], 600_000);
    world.endBlock();
    // Due 11,000,000 × 0.5 = 5,500,000; 600,000 × 0.5 = 300,000 of it at validator 1, the rest at validator
    // 0.
    expect(slash(world, 0, offence, '0.5', 11n)).toBe(5_200_000n);
    expect(tokensOf(world, 0)).toBe(10_400_000n - 5_200_000n);
    expect(tokensOf(world, 1)).toBe(10_600_000n - 300_000n);
    expect(sharesOf(world, 3, 1)).toBe('300000.000000000000000000');
    expect(sharesOf(world, 3, 0)).toBe('400000.000000000000000000');
    expect(world.broken()).toEqual([]);
  });

  // There, what was moved and then taken back escaped.
  it('ASA-2024-005: follows stake that moved and was then taken back: that is burned first', () => {
    const world = new StakingWorld({ validators: [10_000_000n, 10_000_000n] });
    delegate(world, 3, 0, 1_000_000);
    world.endBlock();
    const offence = world.context.block.height;
    redelegate(world, 3, [0, 1], 600_000);
    undelegate(world, 3, 1, 600_000);
    world.endBlock();
    // 300,000 due for the redelegation, all out of the 600,000 on their way back from validator 1.
    expect(slash(world, 0, offence, '0.5', 11n)).toBe(5_200_000n);
    expect(tokensOf(world, 1)).toBe(10_000_000n);
    const before = world.balance(3);
    for (let i = 0; i < 12; i++) world.endBlock();
    expect(world.balance(3)).toBe(before + 300_000n);
    expect(world.broken()).toEqual([]);
  });

  it('leaves stake alone that moved before it, or that is done', () => {
    const world = new StakingWorld({ validators: [10_000_000n, 10_000_000n] });
    delegate(world, 3, 0, 1_000_000);
    redelegate(world, 3, [0, 1], 600_000);
    world.endBlock();
    const offence = world.context.block.height;
    undelegate(world, 3, 0, 100_000);
    world.endBlock(20n); // due with this block's end, but not paid out yet
    expect(slash(world, 0, offence, '0.5')).toBe(5_000_000n);
    expect(tokensOf(world, 1)).toBe(10_600_000n);
    const before = world.balance(3);
    world.endBlock();
    expect(world.balance(3)).toBe(before + 100_000n);
    expect(world.broken()).toEqual([]);
  });
});

describe('jail', () => {
  it('takes a validator out of the set, unjail lets it back', () => {
    const world = new StakingWorld({ validators: [10_000_000n, 20_000_000n] });
    const { staking } = world.composition;
    const validator = (): object | undefined => staking.validator(world.context, world.address(0));
    expect(staking.jail(world.context, world.keyAddress(0))).toBe(true);
    expect(staking.jail(world.context, world.keyAddress(0))).toBe(false);
    expect(staking.jail(world.context, world.keyAddress(5))).toBe(false);
    expect(world.endBlock().map(({ power }) => power)).toEqual([0n]);
    expect(validator()).toMatchObject({ status: 'unbonding', jailed: true, unbondingIds: [1n] });
    expect(staking.totalBonded(world.context)).toBe(20_000_000n);
    expect([...staking.bondedByPower(world.context)].map(({ tokens }) => tokens)).toEqual([20_000_000n]);
    // One that unbonds can still be slashed, out of the other pool.
    expect(slash(world, 0, 1n, '0.5')).toBe(5_000_000n);
    expect(world.broken()).toEqual([]);
    expect(staking.unjail(world.context, world.keyAddress(0))).toBe(true);
    expect(staking.unjail(world.context, world.keyAddress(0))).toBe(false);
    expect(world.endBlock().map(({ power }) => power)).toEqual([5n]);
    expect(validator()).toMatchObject({ status: 'bonded', jailed: false, unbondingIds: [] });
    expect(staking.totalBonded(world.context)).toBe(25_000_000n);
    for (let i = 0; i < 12; i++) expect(world.endBlock()).toEqual([]);
    expect(validator()).toMatchObject({ status: 'bonded' });
    expect(world.broken()).toEqual([]);
  });
});
