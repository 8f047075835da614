/** Messages, queries and genesis of distribution: what they say and what they refuse. */
import { describe, expect, it } from 'vitest';
import { exportModules, initModules } from '../../app/genesis.ts';
import { composeModules, storeNames } from '../../app/modules.ts';
import { Decimal } from '../../core/decimal.ts';
import { AddressCodec, moduleAddress } from '../../framework/address.ts';
import { Context } from '../../framework/context.ts';
import { decCoinsToString } from '../../framework/dec-coins.ts';
import { unlimitedGas } from '../../framework/gas.ts';
import { canonicalJson, type JsonObject, JsonReader } from '../../framework/json.ts';
import { memoryContext } from '../../framework/testing/memory.ts';
import type { MessageType } from '../../proto/codec/message.ts';
import * as q from '../../proto/gen/cosmos/distribution/v1beta1/query.ts';
import * as tx from '../../proto/gen/cosmos/distribution/v1beta1/tx.ts';
import { MemoryMultiStore } from '../../store/multistore.ts';
import {
  ask,
  collect,
  delegate,
  moduleCoins,
  nextBlock,
  withdraw,
  withdrawCommission,
} from '../../test/support/rewards.ts';
import { decimal, StakingWorld } from '../../test/support/staking-world.ts';

const newWorld = (): StakingWorld => new StakingWorld({ validators: [10_000_000n, 20_000_000n] });
const coins = (amount: string): readonly { denom: string; amount: string }[] => [{ denom: 'uopen', amount }];
const GOV = new AddressCodec('open').toText(moduleAddress('gov'));

const SET = { message: tx.MsgSetWithdrawAddress, response: tx.MsgSetWithdrawAddressResponse };
const FUND = { message: tx.MsgFundCommunityPool, response: tx.MsgFundCommunityPoolResponse };
const SPEND = { message: tx.MsgCommunityPoolSpend, response: tx.MsgCommunityPoolSpendResponse };
const UPDATE = { message: tx.MsgUpdateParams, response: tx.MsgUpdateParamsResponse };
const DEPOSIT = {
  message: tx.MsgDepositValidatorRewardsPool,
  response: tx.MsgDepositValidatorRewardsPoolResponse,
};

const PARAMS = {
  communityTax: decimal('0.5').toWire(),
  baseProposerReward: '0',
  bonusProposerReward: '0',
  withdrawAddrEnabled: true,
};

/** The failure of a message: codespace, number, log. */
function refused(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof Error && 'kind' in error) {
      const { codespace, code } = Object(error.kind);
      return `${codespace} ${code} ${error.message}`;
    }
    throw error;
  }
  return 'nothing';
}

describe('withdrawals', () => {
  it('go where the delegator wants them', () => {
    const world = newWorld();
    delegate(world, 3, 0, 10_000_000n);
    nextBlock(world);
    collect(world, '1000uopen');
    nextBlock(world);
    const to = world.account(4).address;
    world.run(SET, { delegatorAddress: world.account(3).address, withdrawAddress: to });
    expect(world.context.events.at(-1)).toEqual({
      type: 'set_withdraw_address',
      attributes: [{ key: 'withdraw_address', value: to, index: true }],
    });
    const before = world.balance(4);
    // 20 of 40 of 980, a tenth of it commission, half of the rest: 220.5.
    expect(withdraw(world, 3, 0)).toBe('220uopen');
    expect(world.balance(4) - before).toBe(220n);
    const method = {
      method: 'DelegatorWithdrawAddress',
      request: q.QueryDelegatorWithdrawAddressRequest,
      response: q.QueryDelegatorWithdrawAddressResponse,
    };
    expect(ask(world, method, { delegatorAddress: world.account(3).address }).withdrawAddress).toBe(to);
    expect(ask(world, method, { delegatorAddress: to }).withdrawAddress).toBe(to);
  });

  it('do not go to accounts of modules, nor anywhere else when that is switched off', () => {
    const world = newWorld();
    const delegatorAddress = world.account(0).address;
    expect(refused(() => world.run(SET, { delegatorAddress, withdrawAddress: GOV }))).toBe(
      `sdk 4 ${GOV} is not allowed to receive external funds: unauthorized`,
    );
    world.run(UPDATE, { authority: GOV, params: { ...PARAMS, withdrawAddrEnabled: false } });
    const other = world.account(1).address;
    expect(refused(() => world.run(SET, { delegatorAddress, withdrawAddress: other }))).toBe(
      'distribution 8 set withdraw address disabled',
    );
  });

  it('need a validator, a delegation, a commission', () => {
    const world = newWorld();
    expect(refused(() => withdraw(world, 0, 3))).toBe('staking 3 validator does not exist');
    expect(refused(() => withdraw(world, 3, 0))).toBe(
      'staking 19 no delegation for (address, validator) tuple',
    );
    expect(refused(() => withdrawCommission(world, 0))).toBe(
      'distribution 7 no validator commission to withdraw',
    );
  });

  it('tell what was paid', () => {
    const world = newWorld();
    collect(world, '1000uopen');
    nextBlock(world);
    withdraw(world, 1, 1);
    const event = world.context.events.at(-1);
    expect(event?.type).toBe('withdraw_rewards');
    // Two thirds of 980 are 653.33, of which 10 % is commission.
    expect(event?.attributes.map(({ key, value }) => [key, value])).toEqual([
      ['amount', '587uopen'],
      ['validator', world.operator(1)],
      ['delegator', world.account(1).address],
    ]);
  });
});

describe('the community pool', () => {
  const pool = (world: StakingWorld): string =>
    decCoinsToString(world.composition.distribution.communityPool(world.context));

  it('is given to by anyone and spent by governance', () => {
    const world = newWorld();
    world.run(FUND, { depositor: world.account(2).address, amount: coins('500') });
    expect(pool(world)).toBe('500.000000000000000000uopen');
    const recipient = world.account(3).address;
    const before = world.balance(3);
    world.run(SPEND, { authority: GOV, recipient, amount: coins('120') });
    expect(world.balance(3) - before).toBe(120n);
    expect(pool(world)).toBe('380.000000000000000000uopen');
    expect(moduleCoins(world, 'distribution')).toEqual([{ denom: 'uopen', amount: 380n }]);
    const asked = ask(
      world,
      {
        method: 'CommunityPool',
        request: q.QueryCommunityPoolRequest,
        response: q.QueryCommunityPoolResponse,
      },
      {},
    );
    expect(asked.pool).toEqual([{ denom: 'uopen', amount: '380000000000000000000' }]);
    expect(refused(() => world.run(SPEND, { authority: GOV, recipient, amount: coins('381') }))).toBe(
      'distribution 9 community pool does not have sufficient coins to distribute',
    );
    const authority = recipient;
    expect(refused(() => world.run(SPEND, { authority, recipient, amount: coins('1') }))).toBe(
      `gov 13 invalid authority; expected ${GOV}, got ${authority}: ` +
        'expected gov account as only signer for proposal message',
    );
    expect(refused(() => world.run(SPEND, { authority: GOV, recipient: GOV, amount: coins('1') }))).toContain(
      'sdk 4 ',
    );
  });

  it.each([
    ['nothing', [], 'sdk 10 amount cannot be nil: invalid coins'],
    ['zero', coins('0'), 'sdk 10 0uopen: invalid coins'],
    ['more than there is', coins('99999999999999999'), 'sdk 5 '],
  ])('refuses %s', (_, amount, problem) => {
    const world = newWorld();
    const depositor = world.account(2).address;
    expect(refused(() => world.run(FUND, { depositor, amount }))).toContain(problem);
    expect(pool(world)).toBe('');
  });
});

describe('a deposit with a validator', () => {
  it('is shared by its commission and its delegators', () => {
    const world = newWorld();
    nextBlock(world);
    const depositor = world.account(5).address;
    world.run(DEPOSIT, { depositor, validatorAddress: world.operator(0), amount: coins('1000') });
    nextBlock(world);
    expect(withdraw(world, 0, 0)).toBe('900uopen');
    expect(withdrawCommission(world, 0)).toBe('100uopen');
    expect(world.broken()).toEqual([]);
  });

  it('is refused without a validator, and where rewards per token would leave 256 bits some day', () => {
    const world = newWorld();
    const depositor = world.account(5).address;
    const to = (validatorAddress: string, amount: string) => (): unknown =>
      world.run(DEPOSIT, { depositor, validatorAddress, amount: coins(amount) });
    expect(refused(to(world.operator(4), '1'))).toBe('staking 3 validator does not exist');
    expect(refused(to(world.operator(0), (2n ** 128n + 1n).toString()))).toContain('sdk 18 a deposit of ');
  });
});

describe('parameters', () => {
  it('are set by governance and checked', () => {
    const world = newWorld();
    world.run(UPDATE, { authority: GOV, params: PARAMS });
    const asked = ask(
      world,
      { method: 'Params', request: q.QueryParamsRequest, response: q.QueryParamsResponse },
      {},
    );
    expect(asked.params).toEqual(PARAMS);
    const set = (change: Partial<typeof PARAMS>) => (): unknown =>
      world.run(UPDATE, { authority: GOV, params: { ...PARAMS, ...change } });
    expect(refused(set({ communityTax: decimal('1.1').toWire() }))).toContain('community tax too large');
    expect(refused(set({ communityTax: '-1' }))).toContain('community tax must be positive');
    expect(refused(set({ communityTax: '' }))).toContain('community tax must be not nil');
    expect(refused(set({ baseProposerReward: '1' }))).toContain(
      'cannot update base or bonus proposer reward because these are deprecated fields',
    );
    collect(world, '1000uopen');
    nextBlock(world);
    expect(decCoinsToString(world.composition.distribution.communityPool(world.context))).toBe(
      '500.000000000000000500uopen',
    );
  });
});

describe('queries', () => {
  const askText = <Q>(method: string, request: MessageType<Q>, response: MessageType<unknown>, value: Q) =>
    refused(() => ask(newWorld(), { method, request, response }, value));

  it('say what is wrong', () => {
    const rewards = [q.QueryDelegationRewardsRequest, q.QueryDelegationRewardsResponse] as const;
    const world = newWorld();
    const delegatorAddress = world.account(3).address;
    const validatorAddress = world.operator(0);
    expect(askText('DelegationRewards', ...rewards, { delegatorAddress: '', validatorAddress })).toContain(
      'desc = empty delegator address',
    );
    expect(askText('DelegationRewards', ...rewards, { delegatorAddress, validatorAddress: '' })).toContain(
      'desc = empty validator address',
    );
    expect(askText('DelegationRewards', ...rewards, { delegatorAddress, validatorAddress })).toContain(
      'sdk 6 no delegation for (address, validator) tuple',
    );
    const missing = { delegatorAddress, validatorAddress: world.operator(4) };
    expect(askText('DelegationRewards', ...rewards, missing)).toContain('sdk 6 validator does not exist');
    const slashes = {
      validatorAddress,
      startingHeight: 2n,
      endingHeight: 1n,
      pagination: undefined,
    };
    expect(
      askText('ValidatorSlashes', q.QueryValidatorSlashesRequest, q.QueryValidatorSlashesResponse, slashes),
    ).toContain('starting height greater than ending height (2 > 1)');
  });

  it('add up what an account earned with all its validators, and list them and their slashes', () => {
    const world = newWorld();
    delegate(world, 3, 0, 10_000_000n);
    delegate(world, 3, 1, 20_000_000n);
    nextBlock(world);
    collect(world, '1200uopen');
    nextBlock(world);
    const delegatorAddress = world.account(3).address;
    const total = ask(
      world,
      {
        method: 'DelegationTotalRewards',
        request: q.QueryDelegationTotalRewardsRequest,
        response: q.QueryDelegationTotalRewardsResponse,
      },
      { delegatorAddress },
    );
    // 1176 × 0.9 / 2 = 529.2, rounded down in each step.
    const sum = total.rewards.reduce((all, { reward }) => all + BigInt(reward[0]?.amount ?? ''), 0n);
    expect(total.total).toEqual([{ denom: 'uopen', amount: sum.toString() }]);
    expect(Decimal.ofUnits(sum).toString()).toMatch(/^529\.19999999/);
    const { validators } = ask(
      world,
      {
        method: 'DelegatorValidators',
        request: q.QueryDelegatorValidatorsRequest,
        response: q.QueryDelegatorValidatorsResponse,
      },
      { delegatorAddress },
    );
    expect(validators.toSorted()).toEqual([world.operator(0), world.operator(1)].toSorted());
    const { height } = world.context.block;
    const offence = { consensusAddress: world.keyAddress(0), height, power: 20n, fraction: decimal('0.25') };
    world.composition.staking.slash(world.context, offence);
    const { slashes } = ask(
      world,
      {
        method: 'ValidatorSlashes',
        request: q.QueryValidatorSlashesRequest,
        response: q.QueryValidatorSlashesResponse,
      },
      { validatorAddress: world.operator(0), startingHeight: 0n, endingHeight: 9n, pagination: undefined },
    );
    expect(slashes).toEqual([{ validatorPeriod: 3n, fraction: decimal('0.25').toWire() }]);
    const info = ask(
      world,
      {
        method: 'ValidatorDistributionInfo',
        request: q.QueryValidatorDistributionInfoRequest,
        response: q.QueryValidatorDistributionInfoResponse,
      },
      { validatorAddress: world.operator(0) },
    );
    expect(info.operatorAddress).toBe(world.account(0).address);
    // 1176 / 3 × 0.1.
    expect(info.commission[0]?.amount).toMatch(/^391999999/);
    expect(info.selfBondRewards[0]?.amount).toMatch(/^17639999999/);
  });
});

describe('genesis', () => {
  function exported(): { readonly world: StakingWorld; readonly sections: JsonObject } {
    const world = newWorld();
    delegate(world, 3, 0, 12_345_678n);
    collect(world, '1001uopen');
    nextBlock(world);
    const height = world.context.block.height;
    const offence = { consensusAddress: world.keyAddress(0), height, power: 20n, fraction: decimal('0.1') };
    world.composition.staking.slash(world.context, offence);
    const addresses = {
      delegatorAddress: world.account(3).address,
      withdrawAddress: world.account(4).address,
    };
    world.run(SET, addresses);
    nextBlock(world);
    return { world, sections: exportModules(world.composition.modules, world.context) };
  }

  it('comes back as it was exported, and goes on with the same rewards', () => {
    const { world, sections } = exported();
    const { modules } = composeModules('open');
    const branch = new MemoryMultiStore({ stores: storeNames(modules) }).branch();
    const { block } = world.context;
    const context = new Context({ branch, block, mode: 'genesis', gas: unlimitedGas() });
    initModules(modules, context, sections);
    expect(canonicalJson(exportModules(modules, context))).toBe(canonicalJson(sections));
    for (const { invariants } of modules)
      for (const invariant of invariants) expect(invariant.check(context)).toBeUndefined();
  });

  const wrong: readonly (readonly [string, (section: JsonObject) => JsonObject, string])[] = [
    [
      'a tax of more than all',
      (s) => ({ ...s, params: { ...Object(s['params']), community_tax: '1.1' } }),
      'params',
    ],
    ['an unknown field', (s) => ({ ...s, pools: [] }), 'pools: is not a known field'],
    [
      'a period that nobody needs',
      (s) => ({ ...s, delegator_starting_infos: [] }),
      'but 1 records refer to the period',
    ],
    [
      'a period that is missing',
      (s) => ({ ...s, validator_historical_rewards: [] }),
      'periods are missing that current rewards, starting infos or slashes refer to',
    ],
    [
      'a pool that the account does not hold',
      (s) => ({ ...s, fee_pool: { community_pool: [{ denom: 'uopen', amount: '1.0' }] } }),
      'distribution module balance does not match the module holdings',
    ],
    [
      'coins that are not sorted',
      (s) => ({
        ...s,
        fee_pool: {
          community_pool: [
            { denom: 'uopen', amount: '1.0' },
            { denom: 'uatom', amount: '1.0' },
          ],
        },
      }),
      'fee_pool.community_pool[1].denom: uatom is not sorted, or there twice',
    ],
    [
      'rewards that go to a module',
      (s) => ({
        ...s,
        delegator_withdraw_infos: [{ delegator_address: GOV, withdraw_address: GOV }],
      }),
      'delegator_withdraw_infos[0].withdraw_address: is not allowed to receive funds',
    ],
  ];
  it.each(wrong)('with %s is refused, naming the place', (_, edit, problem) => {
    const { sections } = exported();
    const { modules } = composeModules('open');
    const context = memoryContext(storeNames(modules));
    const section = edit(Object(sections['distribution']));
    expect(() => initModules(modules, context, { ...sections, distribution: section })).toThrow(problem);
  });

  it('of a chain that says nothing has the SDK’s parameters', () => {
    const { modules } = composeModules('open');
    const module = modules.find(({ name }) => name === 'distribution');
    const defaults = module?.genesis?.defaults();
    expect(new JsonReader(defaults, '').member('params').value).toEqual({
      community_tax: '0.020000000000000000',
      base_proposer_reward: '0.000000000000000000',
      bonus_proposer_reward: '0.000000000000000000',
      withdraw_addr_enabled: true,
    });
  });
});
