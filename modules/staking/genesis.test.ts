import { describe, expect, it, vi } from 'vitest';
import { TestChain, testAccount } from '../../test/support/test-chain.ts';
import {
  consensusKey,
  consensusKeyAny,
  operatorText,
  type StakingGenesisOptions,
  StakingWorld,
  stakingSections,
} from '../../test/support/staking-world.ts';
import { initModules, exportModules } from '../../app/genesis.ts';
import { composeModules, storeNames } from '../../app/modules.ts';
import { sha256 } from '../../core/hash.ts';
import { utf8 } from '../../core/bytes.ts';
import { Context } from '../../framework/context.ts';
import { unlimitedGas } from '../../framework/gas.ts';
import { canonicalJson, type JsonObject, JsonReader, type JsonValue } from '../../framework/json.ts';
import * as tx from '../../proto/gen/cosmos/staking/v1beta1/tx.ts';
import { MemoryMultiStore } from '../../store/multistore.ts';
import { delegate, undelegate } from '../../test/support/rewards.ts';
import { decimal } from '../../test/support/staking-world.ts';

const ACCOUNTS = Array.from({ length: 4 }, (_, i) => testAccount(`${i}`));

function chainOf(
  options: Partial<StakingGenesisOptions> & { readonly edit?: (staking: JsonObject) => JsonValue },
): TestChain {
  const { edit, ...rest } = options;
  const sections = stakingSections({ accounts: ACCOUNTS, validators: [10_000_000n, 20_000_000n], ...rest });
  const staking = edit?.(objectAt(sections, 'staking')) ?? sections['staking'] ?? null;
  return new TestChain({ accounts: 4, genesis: { validators: [], sections: { ...sections, staking } } });
}

function objectAt(json: JsonValue | undefined, key: string | number): JsonObject {
  const held = Reflect.get(Object(json), key);
  if (typeof held !== 'object' || held === null) throw new RangeError(`there is no ${key}`);
  return held;
}

function edited(list: string, index: number, change: JsonObject): (staking: JsonObject) => JsonObject {
  return (staking) => {
    const held = staking[list];
    if (!Array.isArray(held)) throw new RangeError(`there is no ${list}`);
    return {
      ...staking,
      [list]: held.map((item, i) => (i === index ? { ...objectAt(held, i), ...change } : item)),
    };
  };
}

describe('genesis of staking', () => {
  it('gives the chain its validators, each with an exchange rate of one', () => {
    const chain = chainOf({});
    chain.block();
    const context = chain.app.contextAt(1n);
    const { consensus, staking } = chain.app.composition;
    expect(
      consensus
        .validators(context)
        .map(({ power }) => power)
        .toSorted(),
    ).toEqual([10n, 20n]);
    expect(staking.lastTotalPower(context)).toBe(30n);
    expect([...staking.bondedByPower(context)].map(({ shares }) => shares.toString())).toEqual([
      '20000000.000000000000000000',
      '10000000.000000000000000000',
    ]);
    expect(staking.bondedRatio(context).toString()).toBe('0.000007499943750421');
    expect(chain.app.brokenInvariants()).toEqual([]);
  });

  it('must agree with the validators of the document, unless those are left out', () => {
    const sections = stakingSections({ accounts: ACCOUNTS, validators: [10_000_000n] });
    const start = (power: bigint, pubKey = consensusKey(0)): TestChain =>
      new TestChain({ accounts: 4, genesis: { validators: [{ pubKey, power, name: '' }], sections } });
    expect(start(10n).block().txResults).toEqual([]);
    expect(() => start(11n)).toThrow("the document's validators are not those of app_state.staking");
    expect(() => start(10n, sha256(utf8('another')))).toThrow(
      'has power 10 in the document and none in staking',
    );
  });

  it('without validators leaves the set of the document as it is', () => {
    const chain = new TestChain();
    expect(chain.block().validatorUpdates).toEqual([]);
    const context = chain.app.contextAt(1n);
    expect(chain.app.composition.consensus.validators(context)).toHaveLength(1);
    expect(chain.app.composition.staking.ownsValidatorSet(context)).toBe(false);
    expect(chain.app.brokenInvariants()).toEqual([]);
  });

  const wrong: readonly [string, (staking: JsonObject) => JsonValue, string][] = [
    ['an unknown member', (s) => ({ ...s, more: 1 }), 'app_state.staking.more: is not a known field'],
    [
      'a bad operator',
      edited('validators', 1, { operator_address: ACCOUNTS[1]?.address ?? '' }),
      'app_state.staking.validators[1].operator_address: ',
    ],
    [
      'a status that is none',
      edited('validators', 0, { status: 'BONDED' }),
      'app_state.staking.validators[0].status: BONDED is no status',
    ],
    [
      'tokens that the pool does not have',
      edited('validators', 0, { tokens: '10000001' }),
      'bonded pool balance is different from bonded coins: 30000000 <-> 30000001',
    ],
    [
      'shares that nobody has',
      edited('validators', 0, { delegator_shares: '10000001.000000000000000000' }),
      'app_state.staking.validators: shares of validator 0 are not those of its delegations',
    ],
    [
      'a delegation to nobody',
      edited('delegations', 0, { validator_address: operatorText(testAccount('3')) }),
      'app_state.staking.delegations[0].validator_address: there is no such validator',
    ],
    [
      'a delegation without shares',
      edited('delegations', 0, { shares: '0.000000000000000000' }),
      'app_state.staking.delegations[0].shares: is not positive',
    ],
    [
      'one that is bonded and jailed',
      edited('validators', 0, { jailed: true }),
      'app_state.staking.validators[0]: is bonded and jailed',
    ],
    [
      'a hold',
      edited('validators', 0, { unbonding_on_hold_ref_count: '1' }),
      'app_state.staking.validators[0].unbonding_on_hold_ref_count: unbonding that is on hold is not supported',
    ],
    [
      'the same key twice',
      (s) =>
        edited('validators', 1, {
          consensus_pubkey: objectAt(objectAt(s['validators'], 0), 'consensus_pubkey'),
        })(s),
      'app_state.staking.validators[1]: another validator has the same key',
    ],
    [
      'parameters out of bounds',
      (s) => ({ ...s, params: { ...objectAt(s, 'params'), max_validators: 0 } }),
      'app_state.staking.params: max validators must be positive: 0: invalid request',
    ],
    [
      'a duration that is none',
      (s) => ({ ...s, params: { ...objectAt(s, 'params'), unbonding_time: '10' } }),
      'app_state.staking.params.unbonding_time: is not a duration such as 1814400s',
    ],
    [
      'a bonded validator too many',
      (s) => ({ ...s, params: { ...objectAt(s, 'params'), max_validators: 1 } }),
      'app_state.staking.validators: ',
    ],
  ];
  it.each(wrong)('with %s is refused, naming the place', (_, edit, message) => {
    expect(() => chainOf({ edit })).toThrow(message);
  });

  it('needs one validator with power', () => {
    expect(() => chainOf({ validators: [999_999n] })).toThrow('no validator has the power to sign');
  });

  it('is read once, however many delegations it has', () => {
    const listed = vi.spyOn(JsonReader.prototype, 'elements');
    const calls = (delegators: number): number => {
      listed.mockClear();
      const world = new StakingWorld({ validators: [1_000_000n], accounts: delegators });
      for (let i = 1; i < delegators; i++) delegate(world, i, 0, 1000n);
      const staking = exportModules(world.composition.modules, world.context)['staking'] ?? null;
      const module = world.composition.modules.find(({ name }) => name === 'staking');
      listed.mockClear();
      module?.genesis?.validate(new JsonReader(staking, 'staking'));
      return listed.mock.calls.length;
    };
    const few = calls(3);
    expect(few).toBeGreaterThan(0);
    expect(calls(20)).toBe(few);
    listed.mockRestore();
  });

  // Found by the simulation of operations: what moved outlives the validators it moved between.
  it('comes back when validators are gone that something moved from or to', () => {
    const world = new StakingWorld({ validators: [10_000_000n, 20_000_000n] });
    createValidator(world, 2, 500_000n);
    createValidator(world, 3, 500_000n);
    delegate(world, 4, 0, 3000n);
    redelegate(world, { account: 4, from: 0, to: 2, tokens: 3000n });
    redelegate(world, { account: 3, from: 3, to: 0, tokens: 500_000n });
    undelegate(world, 4, 2, 3000n);
    undelegate(world, 2, 2, 500_000n);
    world.endBlock();
    expect(world.composition.staking.validator(world.context, world.address(2))).toBeUndefined();
    expect(world.composition.staking.validator(world.context, world.address(3))).toBeUndefined();
    const exported = exportModules(world.composition.modules, world.context);
    expect(exported['staking']).toMatchObject({
      redelegations: expect.arrayContaining([
        expect.objectContaining({ validator_dst_address: world.operator(2) }),
        expect.objectContaining({ validator_src_address: world.operator(3) }),
      ]),
    });
    expectToComeBack(world, exported);
  });

  it('comes back as it was exported', () => {
    const world = new StakingWorld({ validators: [10_000_000n, 20_000_000n, 5_000_000n] });
    const amount = { denom: 'uopen', amount: '3000' };
    const pair = { delegatorAddress: world.account(3).address, validatorAddress: world.operator(0) };
    world.run({ message: tx.MsgDelegate, response: tx.MsgDelegateResponse }, { ...pair, amount });
    world.endBlock();
    world.composition.staking.slash(world.context, {
      consensusAddress: world.keyAddress(0),
      height: world.context.block.height,
      power: 10n,
      fraction: decimal('0.333333333333333333'),
    });
    world.composition.staking.jail(world.context, world.keyAddress(2));
    const part = { ...amount, amount: '500' };
    world.run({ message: tx.MsgUndelegate, response: tx.MsgUndelegateResponse }, { ...pair, amount: part });
    redelegate(world, { account: 3, from: 0, to: 1, tokens: 500n });
    world.endBlock();
    const exported = exportModules(world.composition.modules, world.context);
    expect(exported['staking']).toMatchObject({ exported: true, last_total_power: '26' });
    expect(expectToComeBack(world, exported)).toEqual([20n, 6n]);
  });
});

/** Starts from an export, which must give the same one again. @returns the powers of the first set */
function expectToComeBack(world: StakingWorld, exported: JsonObject): readonly bigint[] {
  const { modules } = composeModules('open');
  // At the height of the export: slashes and beginnings of delegations have heights.
  const { block } = world.context;
  const branch = new MemoryMultiStore({ stores: storeNames(modules) }).branch();
  const context = new Context({ branch, block, mode: 'genesis', gas: unlimitedGas() });
  const updates = initModules(modules, context, exported);
  expect(canonicalJson(exportModules(modules, context))).toBe(canonicalJson(exported));
  for (const { name, invariants } of modules)
    for (const invariant of invariants)
      expect(invariant.check(context), `${name}/${invariant.name}`).toBeUndefined();
  return updates.map(({ power }) => power).toSorted();
}

function createValidator(world: StakingWorld, i: number, tokens: bigint): void {
  const types = { message: tx.MsgCreateValidator, response: tx.MsgCreateValidatorResponse };
  const [rate, maxRate, maxChangeRate] = ['0.1', '0.2', '0.01'].map((text) => decimal(text).toWire());
  world.run(types, {
    ...tx.MsgCreateValidator.create({ validatorAddress: world.operator(i), pubkey: consensusKeyAny(i) }),
    description: { moniker: `${i}`, identity: '', website: '', securityContact: '', details: '' },
    commission: { rate: rate ?? '', maxRate: maxRate ?? '', maxChangeRate: maxChangeRate ?? '' },
    minSelfDelegation: '1',
    value: { denom: 'uopen', amount: tokens.toString() },
  });
}

interface Move {
  readonly account: number;
  readonly from: number;
  readonly to: number;
  readonly tokens: bigint;
}

function redelegate(world: StakingWorld, { account, from, to, tokens }: Move): void {
  world.run(
    { message: tx.MsgBeginRedelegate, response: tx.MsgBeginRedelegateResponse },
    {
      delegatorAddress: world.account(account).address,
      validatorSrcAddress: world.operator(from),
      validatorDstAddress: world.operator(to),
      amount: { denom: 'uopen', amount: tokens.toString() },
    },
  );
}
