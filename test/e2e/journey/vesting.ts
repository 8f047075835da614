/** Accounts that may not spend all they have, of each of the four kinds, while time goes on. */
import type { EncodeObject } from '@cosmjs/proto-signing';
import {
  QuerySpendableBalancesRequest,
  QuerySpendableBalancesResponse,
} from 'cosmjs-types/cosmos/bank/v1beta1/query';
import {
  ContinuousVestingAccount,
  DelayedVestingAccount,
  PeriodicVestingAccount,
  PermanentLockedAccount,
} from 'cosmjs-types/cosmos/vesting/v1beta1/vesting';
import { expect } from 'vitest';
import { blockTimeOf } from '../rpc.ts';
import type { Queries } from './devnet.ts';
import { coin, FEE, type Traveller } from './traveller.ts';

const ONE = 1_000_000;
const HOUR_SECONDS = 3600n;
/** Until the continuous account has everything and the periodic one its first two parts. */
const SOON_SECONDS = 12n;
const FEE_PAID = 5000;
const SPENDABLE = '/cosmos.bank.v1beta1.Query/SpendableBalances';

/** Where they are made. */
export interface VestingWorld {
  readonly rpc: string;
  readonly query: Queries;
  readonly validator: string;
  /** Resolves when a block has a time after that one, in milliseconds. */
  blockAfter(ms: number): Promise<void>;
}

/** Who gives, and accounts that nobody has seen yet. */
export type VestingParties = Readonly<
  Record<'funder' | 'delayed' | 'locked' | 'periodic' | 'continuous', Traveller>
>;

interface Seen {
  readonly spendable: number;
  /** Of the block whose state it is, in seconds. */
  readonly time: number;
}

/** What an account may spend, and when that was. */
async function seen({ query, rpc }: VestingWorld, { address }: Traveller): Promise<Seen> {
  const request = QuerySpendableBalancesRequest.encode(
    QuerySpendableBalancesRequest.fromPartial({ address }),
  );
  const { value, height } = await query.queryAbci(SPENDABLE, request.finish());
  const { balances } = QuerySpendableBalancesResponse.decode(value);
  const time = Math.floor((await blockTimeOf(rpc, height)) / 1000);
  return { spendable: Number(balances[0]?.amount ?? 0), time };
}

const pay = (from: Traveller, to: Traveller, amount: number): EncodeObject => ({
  typeUrl: '/cosmos.bank.v1beta1.MsgSend',
  value: { fromAddress: from.address, toAddress: to.address, amount: [coin(amount)] },
});

const short = (spendable: number, amount: number): object => ({
  code: 5,
  log:
    'failed to execute message; message index: 0: ' +
    `spendable balance ${spendable}uopen is smaller than ${amount}uopen: insufficient funds`,
});

/** Makes one account of each kind, and follows them until two of them have what they were promised. */
export async function vest(world: VestingWorld, parties: VestingParties): Promise<void> {
  const { funder, delayed, locked, periodic, continuous } = parties;
  const now = BigInt(Math.floor(Date.now() / 1000));
  const make = (name: string, to: Traveller, value: object): EncodeObject => ({
    typeUrl: `/cosmos.vesting.v1beta1.${name}`,
    value: { fromAddress: funder.address, toAddress: to.address, ...value },
  });
  const amount = [coin(5 * ONE)];
  const vestingPeriods = [
    { length: SOON_SECONDS / 2n, amount: [coin(ONE)] },
    { length: SOON_SECONDS / 2n, amount: [coin(ONE)] },
    { length: HOUR_SECONDS, amount: [coin(3 * ONE)] },
  ];
  const [endTime, soon] = [now + HOUR_SECONDS, now + SOON_SECONDS];
  const late = make('MsgCreateVestingAccount', delayed, { amount, endTime, delayed: true });
  await funder.ok(
    late,
    make('MsgCreatePermanentLockedAccount', locked, { amount }),
    make('MsgCreatePeriodicVestingAccount', periodic, { startTime: now, vestingPeriods }),
    make('MsgCreateVestingAccount', continuous, { amount, endTime: soon, delayed: false }),
    ...[delayed, locked].map((each) => pay(funder, each, ONE)),
  );
  expect(await funder.fails(late)).toMatchObject({
    code: 18,
    log: expect.stringContaining('already exists: invalid request'),
  });
  const account = async ({ address }: Traveller): Promise<Uint8Array> =>
    (await world.query.auth.account(address))?.value ?? new Uint8Array();
  const { startTime, baseVestingAccount } = ContinuousVestingAccount.decode(await account(continuous));
  expect(baseVestingAccount).toMatchObject({ originalVesting: amount, endTime: soon });
  const growing = await seen(world, continuous);
  const [passed, whole] = [growing.time - Number(startTime), Number(soon - startTime)];
  const free = Math.min(5 * ONE, (5 * ONE * Math.max(0, passed)) / whole);
  expect(Math.abs(growing.spendable - free)).toBeLessThanOrEqual(1);
  expect(PeriodicVestingAccount.decode(await account(periodic))).toMatchObject({
    startTime: now,
    vestingPeriods,
    baseVestingAccount: { endTime: soon + HOUR_SECONDS },
  });
  for (const each of [delayed, locked]) await staysLocked(world, each, funder);
  expect(DelayedVestingAccount.decode(await account(delayed)).baseVestingAccount).toMatchObject({
    ...{ originalVesting: amount, delegatedVesting: [coin(3 * ONE)], delegatedFree: [], endTime },
  });
  expect(PermanentLockedAccount.decode(await account(locked)).baseVestingAccount).toMatchObject({
    ...{ originalVesting: amount, delegatedVesting: [coin(3 * ONE)], delegatedFree: [], endTime: 0n },
  });
  await world.blockAfter(Number(soon) * 1000 + 1000);
  await pays(world, continuous, { to: funder, free: 5 * ONE });
  await pays(world, periodic, { to: funder, free: 2 * ONE });
  expect((await seen(world, locked)).spendable).toBe(ONE - 2 * FEE_PAID);
}

/** It has a sixth that is not locked, for fees; of the rest it may delegate, but not spend. */
async function staysLocked(world: VestingWorld, holder: Traveller, funder: Traveller): Promise<void> {
  expect(await holder.fails(pay(holder, funder, 2 * ONE))).toEqual(short(ONE - FEE_PAID, 2 * ONE));
  const { address, client } = holder;
  expect(await client.delegateTokens(address, world.validator, coin(3 * ONE), FEE)).toMatchObject({
    code: 0,
  });
  expect((await seen(world, holder)).spendable).toBe(ONE - 2 * FEE_PAID);
  expect((await client.getAccount(address))?.sequence).toBe(2);
}

/** It spends what is free by now, but for two fees, and not a unit more. */
async function pays(
  world: VestingWorld,
  holder: Traveller,
  { to, free }: { readonly to: Traveller; readonly free: number },
): Promise<void> {
  expect((await seen(world, holder)).spendable).toBe(free);
  expect(await holder.fails(pay(holder, to, free))).toEqual(short(free - FEE_PAID, free));
  const sent = await holder.client.sendTokens(holder.address, to.address, [coin(free - 2 * FEE_PAID)], FEE);
  expect(sent).toMatchObject({ code: 0 });
  expect((await seen(world, holder)).spendable).toBe(0);
}
