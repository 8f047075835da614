/** Vesting accounts on a chain: what is locked is not sent, may be staked, and comes back locked. */
import { describe, expect, it } from 'vitest';
import { moduleAddress } from '../../framework/address.ts';
import { ELEMENTS_MAX } from '../../framework/limits.ts';
import { canonicalJson, JsonReader, parseJson } from '../../framework/json.ts';
import {
  QuerySpendableBalanceByDenomRequest,
  QuerySpendableBalanceByDenomResponse,
} from '../../proto/gen/cosmos/bank/v1beta1/query.ts';
import * as staking from '../../proto/gen/cosmos/staking/v1beta1/tx.ts';
import * as wire from '../../proto/gen/cosmos/vesting/v1beta1/tx.ts';
import { cosmSigner, cosmTx } from '../../test/support/cosmjs-signer.ts';
import { restoreChain } from '../../test/support/restore.ts';
import { StakingWorld } from '../../test/support/staking-world.ts';
import { anyOf, TestChain, testAccount } from '../../test/support/test-chain.ts';

/** Time of the block after genesis, in seconds: each next one is a second later. */
const FIRST = 1_700_000_001n;
const locker = testAccount('locker');
const other = testAccount('other').address;

const uopen = (amount: string): { readonly denom: string; readonly amount: string } => ({
  denom: 'uopen',
  amount,
});

function createMessage(
  chain: TestChain,
  change: Partial<wire.MsgCreateVestingAccount> = {},
): ReturnType<typeof anyOf> {
  return anyOf(wire.MsgCreateVestingAccount, {
    fromAddress: chain.account(0).address,
    toAddress: locker.address,
    amount: [uopen('1000000')],
    endTime: FIRST + 100n,
    delayed: false,
    ...change,
  });
}

function spendable(chain: TestChain): string | undefined {
  return chain.query(
    '/cosmos.bank.v1beta1.Query/SpendableBalanceByDenom',
    { request: QuerySpendableBalanceByDenomRequest, response: QuerySpendableBalanceByDenomResponse },
    { address: locker.address, denom: 'uopen' },
  ).balance?.amount;
}

describe('a continuous vesting account', () => {
  it('spends what has vested, for transfers and for fees', () => {
    const chain = new TestChain();
    const created = chain.deliver(chain.sign(chain.account(0), [createMessage(chain)]));
    expect(created).toMatchObject({ code: 0, log: '' });
    expect(created.events.map(({ type }) => type)).toEqual(
      expect.arrayContaining(['coin_spent', 'coin_received', 'transfer']),
    );
    expect(spendable(chain)).toBe('0');
    for (let i = 0; i < 10; i++) chain.block();
    // Ten of a hundred seconds: 100,000.
    expect(spendable(chain)).toBe('100000');

    // The eleventh: 110,000 of which 5,000 are the fee.
    const much = chain.deliver(chain.send(locker, other, '105001uopen'));
    expect(much).toMatchObject({ code: 5, log: /spendable balance 105000uopen is smaller than 105001uopen/ });
    // The twelfth: 120,000 less two fees.
    expect(chain.deliver(chain.send(locker, other, '110000uopen'))).toMatchObject({ code: 0 });
    expect(chain.balance(other)).toBe(110_000n);
    const fee = chain.deliver(chain.send(locker, other, '1uopen', { fee: '20000uopen' }));
    expect(fee).toMatchObject({ code: 5, log: /spendable balance 10000uopen is smaller than 20000uopen/ });
    for (let i = 0; i < 90; i++) chain.block();
    expect(spendable(chain)).toBe(String(1_000_000 - 110_000 - 10_000));
  });

  it.each<[string, Partial<wire.MsgCreateVestingAccount>, number, string]>([
    ['someone who is there', { toAddress: 'account 1' }, 18, 'already exists'],
    ['no coins', { amount: [] }, 10, 'invalid coins'],
    ['coins of nothing', { amount: [uopen('0')] }, 10, 'invalid coins'],
    ['no end', { endTime: 0n }, 18, 'invalid end time'],
    ['an address that is none', { toAddress: 'open1x' }, 7, "invalid 'to' address"],
    ['more than there is', { amount: [uopen('1000000001')] }, 5, 'spendable balance'],
  ])('is not made for %s', (_, change, code, log) => {
    const chain = new TestChain();
    const toAddress = change.toAddress === 'account 1' ? chain.account(1).address : undefined;
    const message = createMessage(chain, { ...change, ...(toAddress === undefined ? {} : { toAddress }) });
    const result = chain.deliver(chain.sign(chain.account(0), [message]));
    expect(result.code).toBe(code);
    expect(result.log).toContain(log);
    expect(chain.balance(locker.address)).toBe(0n);
  });

  it('is not made for an account of a module', () => {
    const chain = new TestChain();
    const { addresses } = chain.app.composition;
    const toAddress = addresses.toText(moduleAddress('fee_collector'));
    const result = chain.deliver(chain.sign(chain.account(0), [createMessage(chain, { toAddress })]));
    expect(result).toMatchObject({ code: 4, log: /is not allowed to receive funds/ });
  });

  it('is made by stock CosmJS, directly and in amino JSON', async () => {
    const chain = new TestChain();
    const signer = await cosmSigner();
    chain.deliver(chain.send(chain.account(0), signer.address, '10000000uopen'));
    const value = {
      fromAddress: signer.address,
      toAddress: locker.address,
      amount: [uopen('500')],
      endTime: FIRST + 50n,
      delayed: true,
    };
    const typeUrl = '/cosmos.vesting.v1beta1.MsgCreateVestingAccount';
    expect(chain.deliver(await cosmTx(chain, signer, [{ typeUrl, value }]))).toMatchObject({ code: 0 });
    const second = { ...value, toAddress: other, delayed: false };
    const amino = [
      {
        type: 'cosmos-sdk/MsgCreateVestingAccount',
        value: {
          from_address: signer.address,
          to_address: other,
          amount: second.amount,
          end_time: String(second.endTime),
        },
      },
    ];
    const tx = await cosmTx(chain, signer, [{ typeUrl, value: second }], { amino });
    expect(chain.deliver(tx)).toMatchObject({ code: 0, log: '' });
  });
});

describe('periods and what is locked for good', () => {
  it('become free period by period, or never', () => {
    const chain = new TestChain();
    const period = (
      length: bigint,
      amount: string,
    ): {
      readonly length: bigint;
      readonly amount: readonly { readonly denom: string; readonly amount: string }[];
    } => ({
      length,
      amount: [uopen(amount)],
    });
    const periodic = anyOf(wire.MsgCreatePeriodicVestingAccount, {
      fromAddress: chain.account(0).address,
      toAddress: locker.address,
      startTime: FIRST,
      vestingPeriods: [period(2n, '100'), period(3n, '200')],
    });
    const permanent = anyOf(wire.MsgCreatePermanentLockedAccount, {
      fromAddress: chain.account(0).address,
      toAddress: other,
      amount: [uopen('77')],
    });
    const created = chain.deliver(chain.sign(chain.account(0), [periodic, permanent], { gas: 400_000n }));
    expect(created).toMatchObject({ code: 0, log: '' });
    const seen = Array.from({ length: 6 }, () => {
      const amount = spendable(chain);
      chain.block();
      return amount;
    });
    // Blocks at 0, 1, 2, 3, 4 and 5 seconds after the start: 2 and 2 + 3 are the ends of the periods.
    expect(seen).toEqual(['0', '0', '100', '100', '100', '300']);
    const { bank, addresses } = chain.app.composition;
    const context = chain.app.contextAt(chain.app.height);
    expect(bank.spendable(context, addresses.toBytes(other), 'uopen')).toBe(0n);
  });

  it.each<[string, Partial<wire.MsgCreatePeriodicVestingAccount>, string]>([
    ['no start', { startTime: 0n }, 'invalid start time of 0'],
    ['no periods', { vestingPeriods: [] }, 'start-time cannot be before end-time'],
    [
      'a period of no length',
      { vestingPeriods: [{ length: 0n, amount: [uopen('1')] }] },
      'invalid period length of 0 in period 0',
    ],
    [
      'an end after all time',
      { vestingPeriods: [{ length: (1n << 63n) - 1n, amount: [uopen('1')] }] },
      'overflowed',
    ],
  ])('are refused with %s', (_, change, log) => {
    const chain = new TestChain();
    const message = anyOf(wire.MsgCreatePeriodicVestingAccount, {
      fromAddress: chain.account(0).address,
      toAddress: locker.address,
      startTime: FIRST,
      vestingPeriods: [{ length: 1n, amount: [uopen('1')] }],
      ...change,
    });
    const result = chain.deliver(chain.sign(chain.account(0), [message]));
    expect(result.code).toBe(18);
    expect(result.log).toContain(log);
  });

  it('survive export and import', () => {
    const chain = new TestChain();
    chain.deliver(chain.sign(chain.account(0), [createMessage(chain)]));
    const auth = chain.app.exportState().appState['auth'];
    const { genesis } = chain.app.composition.modules.find(({ name }) => name === 'auth') ?? {};
    const text = canonicalJson(auth ?? null);
    expect(text).toContain('/cosmos.vesting.v1beta1.ContinuousVestingAccount');
    expect(() => genesis?.validate(new JsonReader(auth, 'auth'))).not.toThrow();
    expect(() =>
      genesis?.validate(new JsonReader(parseJson(text.replace('"1000000"', '"-5"')), 'auth')),
    ).toThrow('auth.accounts');
  });

  // The account names the sum of its periods besides: it is longer than the message that made it.
  it('survive it with as many periods as a message may have', () => {
    const chain = new TestChain();
    const vestingPeriods = Array.from({ length: ELEMENTS_MAX / 2 }, () => ({
      length: 1n,
      amount: [uopen('1')],
    }));
    const message = anyOf(wire.MsgCreatePeriodicVestingAccount, {
      fromAddress: chain.account(0).address,
      toAddress: locker.address,
      startTime: FIRST,
      vestingPeriods,
    });
    const created = chain.deliver(chain.sign(chain.account(0), [message], { gas: 50_000_000n }));
    expect(created.log).toBe('');
    const exported = chain.app.exportState().appState['auth'];
    expect(restoreChain(chain).exportState().appState['auth']).toEqual(exported);
  });
});

describe('locked coins that are staked', () => {
  it('are tracked when they are delegated and when they come back', () => {
    const world = new StakingWorld({ validators: [10_000_000n] });
    const { auth, bank } = world.composition;
    const address = locker.pubKey.address;
    world.run(
      {
        message: wire.MsgCreatePermanentLockedAccount,
        response: wire.MsgCreatePermanentLockedAccountResponse,
      },
      { fromAddress: world.account(1).address, toAddress: locker.address, amount: [uopen('1000')] },
    );
    bank.send(world.context, {
      from: world.address(1),
      to: address,
      coins: [{ denom: 'uopen', amount: 50n }],
    });
    const stake = { delegatorAddress: locker.address, validatorAddress: world.operator(0) };
    const tracked = (): readonly string[] => {
      const vesting = auth.find(world.context, address)?.vesting;
      const amounts = [vesting?.delegatedVesting, vesting?.delegatedFree].map((coins) => coins?.[0]?.amount);
      const free = bank.spendable(world.context, address, 'uopen');
      return [...amounts.map((amount) => String(amount ?? 0n)), String(free)];
    };
    expect(tracked()).toEqual(['0', '0', '50']);
    world.run(
      { message: staking.MsgDelegate, response: staking.MsgDelegateResponse },
      { ...stake, amount: uopen('1020') },
    );
    // V − DV = 1000 are locked: X = 1000, Y = 20; of the balance of 30 nothing is locked any more.
    expect(tracked()).toEqual(['1000', '20', '30']);
    world.run(
      { message: staking.MsgUndelegate, response: staking.MsgUndelegateResponse },
      { ...stake, amount: uopen('120') },
    );
    for (let i = 0; i < 11; i++) world.endBlock();
    // Back come 120: X = min(20, 120) free, Y = 100 vesting. Of the balance of 150 then 1000 − 900 are locked.
    expect(tracked()).toEqual(['900', '0', '50']);
    expect(world.broken()).toEqual([]);
  });
});
