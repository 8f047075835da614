/** Single messages: what they do, which events they leave, and what they refuse. */
import { describe, expect, it } from 'vitest';
import { moduleAddress } from '../../framework/address.ts';
import type { Event } from '../../framework/events.ts';
import * as tx from '../../proto/gen/cosmos/staking/v1beta1/tx.ts';
import { consensusKeyAny, decimal, StakingWorld } from '../../test/support/staking-world.ts';

const DELEGATE = { message: tx.MsgDelegate, response: tx.MsgDelegateResponse };
const UNDELEGATE = { message: tx.MsgUndelegate, response: tx.MsgUndelegateResponse };
const REDELEGATE = { message: tx.MsgBeginRedelegate, response: tx.MsgBeginRedelegateResponse };
const CANCEL = {
  message: tx.MsgCancelUnbondingDelegation,
  response: tx.MsgCancelUnbondingDelegationResponse,
};
const CREATE = { message: tx.MsgCreateValidator, response: tx.MsgCreateValidatorResponse };
const EDIT = { message: tx.MsgEditValidator, response: tx.MsgEditValidatorResponse };
const UPDATE = { message: tx.MsgUpdateParams, response: tx.MsgUpdateParamsResponse };

const DESCRIPTION = { moniker: 'new', identity: '', website: '', securityContact: '', details: '' };

function coin(amount: bigint | number, denom = 'uopen'): { readonly denom: string; readonly amount: string } {
  return { denom, amount: amount.toString() };
}

function delegate(world: StakingWorld, from: number, to: number, amount: bigint | number): void {
  const amounts = { delegatorAddress: world.account(from).address, validatorAddress: world.operator(to) };
  world.run(DELEGATE, { ...amounts, amount: coin(amount) });
}

function creation(
  world: StakingWorld,
  i: number,
  edit: Partial<tx.MsgCreateValidator> = {},
): tx.MsgCreateValidator {
  return {
    description: DESCRIPTION,
    commission: {
      rate: decimal('0.1').toWire(),
      maxRate: decimal('0.2').toWire(),
      maxChangeRate: decimal('0.01').toWire(),
    },
    minSelfDelegation: '1000000',
    delegatorAddress: '',
    validatorAddress: world.operator(i),
    pubkey: consensusKeyAny(i),
    value: coin(5_000_000),
    ...edit,
  };
}

function shown(events: readonly Event[]): readonly string[] {
  return events.map(
    ({ type, attributes }) => `${type} ${attributes.map(({ key, value }) => `${key}=${value}`).join(' ')}`,
  );
}

function statement(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof Error && 'kind' in error) return error.message;
    throw error;
  }
  return 'nothing was refused';
}

describe('MsgDelegate', () => {
  it('moves coins to the pool and makes as many shares, with the events of the SDK', () => {
    const world = new StakingWorld({ validators: [10_000_000n] });
    const [delegator, validator] = [world.account(3).address, world.operator(0)];
    const pool = world.composition.addresses.toText(moduleAddress('bonded_tokens_pool'));
    delegate(world, 3, 0, 250);
    expect(shown(world.context.events)).toEqual([
      `coin_spent spender=${delegator} amount=250uopen`,
      `coin_received receiver=${pool} amount=250uopen`,
      `delegate validator=${validator} delegator=${delegator} amount=250uopen new_shares=250.000000000000000000`,
    ]);
    const { staking } = world.composition;
    const pair = { delegator: world.address(3), validator: world.address(0) };
    expect(staking.delegation(world.context, pair)?.shares.toString()).toBe('250.000000000000000000');
    expect(staking.validator(world.context, world.address(0))?.tokens).toBe(10_000_250n);
    expect(staking.totalBonded(world.context)).toBe(10_000_250n);
    expect(world.balance(3)).toBe(1_000_000_000_000n - 250n);
    expect(world.broken()).toEqual([]);
  });

  it('is refused with the code and sentence of the SDK', () => {
    const world = new StakingWorld({ validators: [10_000_000n], coins: 1000n });
    const message = {
      delegatorAddress: world.account(3).address,
      validatorAddress: world.operator(0),
      amount: coin(5),
    };
    const refused = (edit: Partial<tx.MsgDelegate>): string =>
      statement(() => world.run(DELEGATE, { ...message, ...edit }));
    expect(refused({ amount: coin(0) })).toBe('invalid delegation amount: invalid request');
    expect(refused({ amount: coin(-5) })).toBe('invalid delegation amount: invalid request');
    expect(refused({ amount: coin(5, 'uusd') })).toBe(
      'invalid coin denomination: got uusd, expected uopen: invalid request',
    );
    expect(refused({ amount: coin(1001) })).toBe(
      'failed to delegate; 1000uopen is smaller than 1001uopen: insufficient funds',
    );
    expect(refused({ validatorAddress: world.operator(4) })).toBe('validator does not exist');
    expect(refused({ validatorAddress: world.account(0).address })).toContain('invalid validator address');
    expect(refused({ amount: coin(2n ** 200n) })).toContain('insufficient funds');
    expect(world.balance(3)).toBe(1000n);
    expect(world.broken()).toEqual([]);
  });

  it('cannot make more voting power than consensus takes', () => {
    const world = new StakingWorld({ validators: [10_000_000n], coins: 2n ** 100n });
    expect(statement(() => delegate(world, 3, 0, 2n ** 90n))).toContain('more voting power than');
    delegate(world, 3, 0, 2n ** 79n);
    expect(statement(() => delegate(world, 4, 0, 2n ** 79n + 2n ** 78n))).toContain('more voting power than');
    world.endBlock();
    expect(world.broken()).toEqual([]);
  });
});

describe('MsgUndelegate', () => {
  it('pays out when the unbonding time is over, not a block earlier', () => {
    const world = new StakingWorld({ validators: [10_000_000n] });
    delegate(world, 3, 0, 500);
    const { staking } = world.composition;
    const before = world.balance(3);
    const { completionTime, amount } = world.run(UNDELEGATE, {
      delegatorAddress: world.account(3).address,
      validatorAddress: world.operator(0),
      amount: coin(200),
    });
    expect(completionTime).toEqual({ seconds: world.time.seconds + 10n, nanos: 0 });
    expect(amount).toEqual(coin(200));
    expect(shown(world.context.events).at(-1)).toBe(
      `unbond validator=${world.operator(0)} delegator=${world.account(3).address} amount=200uopen ` +
        'completion_time=2023-11-14T22:13:30Z',
    );
    expect(staking.totalBonded(world.context)).toBe(10_000_300n);
    for (let i = 0; i < 10; i++) world.endBlock();
    expect(world.balance(3)).toBe(before);
    const context = world.context;
    world.endBlock();
    expect(world.balance(3)).toBe(before + 200n);
    expect(shown(context.events).at(-1)).toBe(
      `complete_unbonding amount=200uopen validator=${world.operator(0)} delegator=${world.account(3).address}`,
    );
    expect(world.broken()).toEqual([]);
  });

  it('has at most as many entries as the parameters say; those of one block are one', () => {
    const world = new StakingWorld({ validators: [10_000_000n], params: { max_entries: 2 } });
    delegate(world, 3, 0, 500);
    const message = {
      delegatorAddress: world.account(3).address,
      validatorAddress: world.operator(0),
      amount: coin(10),
    };
    world.run(UNDELEGATE, message);
    world.run(UNDELEGATE, message);
    world.endBlock();
    world.run(UNDELEGATE, message);
    world.endBlock();
    expect(statement(() => world.run(UNDELEGATE, message))).toContain(
      'too many unbonding delegation entries',
    );
    expect(statement(() => world.run(UNDELEGATE, { ...message, amount: coin(471) }))).toBe(
      'invalid shares amount: invalid request',
    );
    const nobody = { ...message, delegatorAddress: world.account(4).address };
    expect(statement(() => world.run(UNDELEGATE, nobody))).toBe(
      'no delegation for (address, validator) tuple',
    );
    expect(world.broken()).toEqual([]);
  });

  it('below the minimum of an operator jails the validator', () => {
    const world = new StakingWorld({ validators: [10_000_000n, 10_000_000n] });
    world.endBlock();
    world.run(EDIT, {
      description: DESCRIPTION,
      validatorAddress: world.operator(0),
      commissionRate: '',
      minSelfDelegation: '9000000',
    });
    const message = { delegatorAddress: world.account(0).address, validatorAddress: world.operator(0) };
    world.run(UNDELEGATE, { ...message, amount: coin(1_000_000) });
    const { staking } = world.composition;
    expect(staking.validator(world.context, world.address(0))?.jailed).toBe(false);
    world.run(UNDELEGATE, { ...message, amount: coin(1) });
    expect(staking.validator(world.context, world.address(0))).toMatchObject({
      jailed: true,
      status: 'bonded',
    });
    expect(world.endBlock().map(({ power }) => power)).toEqual([0n]);
    expect(staking.validator(world.context, world.address(0))?.status).toBe('unbonding');
    expect(world.broken()).toEqual([]);
  });
});

describe('MsgCancelUnbondingDelegation', () => {
  it('delegates again what was on its way back', () => {
    const world = new StakingWorld({ validators: [10_000_000n] });
    delegate(world, 3, 0, 500);
    const pair = { delegatorAddress: world.account(3).address, validatorAddress: world.operator(0) };
    const { height } = world.context.block;
    world.run(UNDELEGATE, { ...pair, amount: coin(200) });
    world.endBlock();
    world.run(CANCEL, { ...pair, amount: coin(50), creationHeight: height });
    expect(shown(world.context.events).at(-1)).toBe(
      `cancel_unbonding_delegation amount=50uopen validator=${pair.validatorAddress} ` +
        `delegator=${pair.delegatorAddress} creation_height=${height}`,
    );
    const cancel = (amount: number, creationHeight: bigint): string =>
      statement(() => world.run(CANCEL, { ...pair, amount: coin(amount), creationHeight }));
    expect(cancel(151, height)).toContain('amount is greater than the unbonding delegation entry balance');
    expect(cancel(1, height + 1n)).toContain('unbonding delegation entry is not found at block height 2');
    expect(cancel(1, 0n)).toBe('invalid height: invalid request');
    world.run(CANCEL, { ...pair, amount: coin(150), creationHeight: height });
    expect(cancel(1, height)).toMatch(
      /^rpc error: code = NotFound desc = unbonding delegation with delegator \S+ not found for validator \S+$/,
    );
    const before = world.balance(3);
    for (let i = 0; i < 12; i++) world.endBlock();
    expect(world.balance(3)).toBe(before);
    expect(world.composition.staking.totalBonded(world.context)).toBe(10_000_500n);
    expect(world.broken()).toEqual([]);
  });

  it('does not go back to a validator that is jailed, or whose shares are worth nothing', () => {
    const world = new StakingWorld({ validators: [10_000_000n, 10_000_000n, 10_000_000n] });
    const { staking } = world.composition;
    const { height } = world.context.block;
    const cancel = (validator: number): string =>
      statement(() =>
        world.run(CANCEL, {
          delegatorAddress: world.account(3).address,
          validatorAddress: world.operator(validator),
          amount: coin(50),
          creationHeight: height,
        }),
      );
    for (const validator of [0, 1]) {
      delegate(world, 3, validator, 500);
      const order = { delegatorAddress: world.account(3).address, amount: coin(200) };
      world.run(UNDELEGATE, { ...order, validatorAddress: world.operator(validator) });
    }
    world.endBlock();
    staking.jail(world.context, world.keyAddress(0));
    expect(cancel(0)).toBe('validator for this address is currently jailed');
    const offence = { height: world.context.block.height, power: 11n, fraction: decimal('1') };
    staking.slash(world.context, { ...offence, consensusAddress: world.keyAddress(1) });
    expect(cancel(1)).toBe('cannot delegate to validators with invalid (zero) ex-rate');
    expect(world.broken()).toEqual([]);
  });
});

describe('MsgBeginRedelegate', () => {
  it('moves stake at once, and only once until it is done', () => {
    const world = new StakingWorld({ validators: [10_000_000n, 10_000_000n, 10_000_000n] });
    delegate(world, 3, 0, 500);
    const move = (from: number, to: number, amount: number): string =>
      statement(() =>
        world.run(REDELEGATE, {
          delegatorAddress: world.account(3).address,
          validatorSrcAddress: world.operator(from),
          validatorDstAddress: world.operator(to),
          amount: coin(amount),
        }),
      );
    expect(move(0, 1, 300)).toBe('nothing was refused');
    expect(shown(world.context.events).at(-1)).toBe(
      `redelegate source_validator=${world.operator(0)} destination_validator=${world.operator(1)} ` +
        'amount=300uopen completion_time=2023-11-14T22:13:30Z',
    );
    expect(move(0, 0, 10)).toBe('cannot redelegate to the same validator');
    expect(move(0, 5, 10)).toBe('redelegation destination validator not found');
    expect(move(5, 0, 10)).toBe('validator does not exist');
    expect(move(1, 2, 10)).toContain('redelegation to this validator already in progress');
    for (let i = 0; i < 10; i++) world.endBlock();
    expect(move(1, 2, 10)).toContain('redelegation to this validator already in progress');
    const context = world.context;
    world.endBlock();
    expect(shown(context.events).at(-1)).toBe(
      `complete_redelegation amount=300uopen delegator=${world.account(3).address} ` +
        `source_validator=${world.operator(0)} destination_validator=${world.operator(1)}`,
    );
    expect(move(1, 2, 10)).toBe('nothing was refused');
    expect(world.broken()).toEqual([]);
  });

  it('along one path has at most as many entries as the parameters say, also those of one block', () => {
    const world = new StakingWorld({ validators: [10_000_000n, 10_000_000n], params: { max_entries: 2 } });
    delegate(world, 3, 0, 500);
    const move = (): string =>
      statement(() =>
        world.run(REDELEGATE, {
          delegatorAddress: world.account(3).address,
          validatorSrcAddress: world.operator(0),
          validatorDstAddress: world.operator(1),
          amount: coin(10),
        }),
      );
    const tooMany = 'too many redelegation entries for (delegator, src-validator, dst-validator) tuple';
    expect([move(), move(), move()]).toEqual(['nothing was refused', 'nothing was refused', tooMany]);
    for (let i = 0; i < 10; i++) world.endBlock();
    expect(move()).toBe(tooMany);
    world.endBlock();
    expect(move()).toBe('nothing was refused');
    expect(world.broken()).toEqual([]);
  });

  it('from a validator that is unbonded is done at once', () => {
    const world = new StakingWorld({ validators: [10_000_000n, 5_000_000n] });
    const params = { ...world.composition.staking.params(world.context), maxValidators: 1 };
    const authority = world.composition.addresses.toText(moduleAddress('gov'));
    world.run(UPDATE, { authority, params: { ...params, minCommissionRate: '0' } });
    delegate(world, 3, 1, 500);
    world.endBlock();
    const end = world.composition.staking.validator(world.context, world.address(1))?.unbondingTime;
    world.endBlock();
    const { completionTime } = world.run(REDELEGATE, {
      delegatorAddress: world.account(3).address,
      validatorSrcAddress: world.operator(1),
      validatorDstAddress: world.operator(0),
      amount: coin(500),
    });
    // While the source unbonds, what leaves it is free when the source is.
    expect(completionTime).toEqual(end);
    for (let i = 0; i < 12; i++) world.endBlock();
    const later = world.run(REDELEGATE, {
      delegatorAddress: world.account(1).address,
      validatorSrcAddress: world.operator(1),
      validatorDstAddress: world.operator(0),
      amount: coin(1_000_000),
    });
    expect(later.completionTime.seconds).toBe(-62_135_596_800n);
    expect(world.broken()).toEqual([]);
  });
});

describe('MsgCreateValidator', () => {
  it('makes a validator that signs from the end of the block', () => {
    const world = new StakingWorld({ validators: [10_000_000n] });
    world.run(CREATE, creation(world, 4));
    expect(shown(world.context.events).at(-1)).toBe(
      `create_validator validator=${world.operator(4)} amount=5000000uopen`,
    );
    expect(world.endBlock()).toEqual([
      { pubKey: { ed25519: expect.any(Uint8Array), secp256k1: undefined }, power: 5n },
    ]);
    expect(world.composition.staking.lastTotalPower(world.context)).toBe(15n);
    expect(
      world.composition.consensus
        .validators(world.context)
        .map(({ power }) => power)
        .toSorted(),
    ).toEqual([10n, 5n]);
    expect(world.broken()).toEqual([]);
  });

  it('is refused with the code and sentence of the SDK', () => {
    const world = new StakingWorld({
      validators: [10_000_000n],
      params: { min_commission_rate: '0.050000000000000000' },
    });
    const refused = (edit: Partial<tx.MsgCreateValidator>): string =>
      statement(() => world.run(CREATE, creation(world, 4, edit)));
    const rates = (rate: string, maxRate: string, maxChangeRate: string): Partial<tx.MsgCreateValidator> => ({
      commission: {
        rate: decimal(rate).toWire(),
        maxRate: decimal(maxRate).toWire(),
        maxChangeRate: decimal(maxChangeRate).toWire(),
      },
    });
    const secp256k1 = {
      typeUrl: '/cosmos.crypto.secp256k1.PubKey',
      value: world.account(4).pubKey.any.value,
    };
    const cases: readonly [Partial<tx.MsgCreateValidator>, string][] = [
      [{ pubkey: undefined }, 'empty validator public key'],
      [{ pubkey: secp256k1 }, 'got: secp256k1, expected: [ed25519]: validator pubkey type is not supported'],
      [
        { pubkey: consensusKeyAny(0) },
        'validator already exist for this pubkey; must use new validator pubkey',
      ],
      [{ value: coin(0) }, 'invalid delegation amount: invalid request'],
      [
        { value: coin(5, 'uusd'), minSelfDelegation: '1' },
        'invalid coin denomination: got uusd, expected uopen: invalid request',
      ],
      [
        { value: coin(999_999) },
        "validator's self delegation must be greater than their minimum self delegation",
      ],
      [{ description: { ...DESCRIPTION, moniker: '' } }, 'empty description: invalid request'],
      [
        { description: { ...DESCRIPTION, moniker: 'ü'.repeat(36) } },
        'invalid moniker length; got: 72, max: 70: invalid request',
      ],
      [{ commission: { rate: '', maxRate: '', maxChangeRate: '' } }, 'empty commission: invalid request'],
      [rates('0.3', '0.2', '0'), 'commission cannot be more than the max rate'],
      [rates('0.1', '1.1', '0'), 'commission cannot be more than 100%'],
      [rates('-0.1', '0.2', '0'), 'commission must be positive'],
      [rates('0.1', '0.2', '0.3'), 'commission change rate cannot be more than the max rate'],
      [
        rates('0.04', '0.2', '0'),
        'cannot set validator commission to less than minimum rate of 0.050000000000000000: commission cannot be less than min rate',
      ],
      [{ minSelfDelegation: '0' }, 'minimum self delegation must be a positive integer: invalid request'],
      [
        { validatorAddress: world.operator(0) },
        'validator already exist for this operator address; must use new validator operator address',
      ],
    ];
    for (const [edit, expected] of cases) expect(refused(edit)).toBe(expected);
    const short = { typeUrl: consensusKeyAny(4).typeUrl, value: Uint8Array.of(10, 1, 7) };
    expect(refused({ pubkey: short })).toContain('expected 32, got 1: invalid pubkey');
    expect(refused({})).toBe('nothing was refused');
    expect(world.broken()).toEqual([]);
  });

  it('is refused on a chain whose validators are fixed', () => {
    const world = new StakingWorld({ validators: [] });
    expect(statement(() => world.run(CREATE, creation(world, 4)))).toContain('fixed by its genesis document');
    expect(world.endBlock()).toEqual([]);
    expect(world.broken()).toEqual([]);
  });
});

describe('MsgEditValidator', () => {
  it('changes what it names, and the rate once a day by a little', () => {
    const world = new StakingWorld({ validators: [10_000_000n] });
    const edit = (change: Partial<tx.MsgEditValidator>): string =>
      statement(() =>
        world.run(EDIT, {
          description: { ...DESCRIPTION, moniker: '[do-not-modify]', details: 'changed' },
          validatorAddress: world.operator(0),
          commissionRate: '',
          minSelfDelegation: '',
          ...change,
        }),
      );
    expect(edit({})).toBe('nothing was refused');
    expect(shown(world.context.events)).toEqual([
      'edit_validator commission_rate=commission_rates:<rate:"100000000000000000" max_rate:"200000000000000000" ' +
        'max_change_rate:"10000000000000000" > update_time:<seconds:1700000000 >  min_self_delegation=1',
    ]);
    const { staking } = world.composition;
    expect(staking.validator(world.context, world.address(0))?.description).toMatchObject({
      moniker: 'validator 0',
      details: 'changed',
    });
    const rate = (text: string): Partial<tx.MsgEditValidator> => ({ commissionRate: decimal(text).toWire() });
    expect(edit(rate('0.11'))).toBe('commission cannot be changed more than once in 24h');
    world.endBlock(86_400n);
    expect(edit(rate('0.111'))).toBe('commission cannot be changed more than max change rate');
    expect(edit(rate('0.3'))).toBe('commission cannot be more than the max rate');
    expect(edit(rate('1.1'))).toBe('commission rate must be between 0 and 1 (inclusive): invalid request');
    expect(edit(rate('0.11'))).toBe('nothing was refused');
    expect(edit(rate('0.1'))).toBe('commission cannot be changed more than once in 24h');
    expect(edit({ minSelfDelegation: '1' })).toBe('minimum self delegation cannot be decrease');
    expect(edit({ minSelfDelegation: '10000001' })).toContain('must be greater than their minimum');
    expect(edit({ validatorAddress: world.operator(5) })).toBe('validator does not exist');
    const empty = { ...DESCRIPTION, moniker: '' };
    expect(edit({ description: empty })).toBe('empty description: invalid request');
  });
});

describe('MsgUpdateParams', () => {
  it('is for governance, within bounds, and keeps the denomination while tokens are staked', () => {
    const world = new StakingWorld({ validators: [10_000_000n] });
    const authority = world.composition.addresses.toText(moduleAddress('gov'));
    const params = {
      unbondingTime: { seconds: 5n, nanos: 0 },
      maxValidators: 7,
      maxEntries: 3,
      historicalEntries: 9,
      bondDenom: 'uopen',
      minCommissionRate: '0',
    };
    const update = (edit: Partial<typeof params>, from = authority): string =>
      statement(() => world.run(UPDATE, { authority: from, params: { ...params, ...edit } }));
    expect(update({}, world.account(0).address)).toContain('expected gov account as only signer');
    expect(update({ maxValidators: 0 })).toBe('max validators must be positive: 0: invalid request');
    expect(update({ maxValidators: 10_001 })).toContain('at most 10000');
    expect(update({ maxEntries: 0 })).toContain('max entries must be positive');
    expect(update({ unbondingTime: { seconds: 0n, nanos: 0 } })).toContain('must be positive');
    expect(update({ unbondingTime: { seconds: 1n << 40n, nanos: 0 } })).toContain('must be shorter');
    expect(update({ minCommissionRate: '' })).toContain('cannot be nil');
    expect(update({ minCommissionRate: '1000000000000000001' })).toContain('greater than 100%');
    expect(update({ bondDenom: '!' })).toContain('invalid denom');
    expect(update({ bondDenom: 'uusd' })).toContain('cannot change while tokens are staked');
    expect(update({})).toBe('nothing was refused');
    expect(world.composition.staking.params(world.context)).toMatchObject({
      maxValidators: 7,
      maxEntries: 3,
    });
  });
});
