/**
 * What a Cosmos wallet does, by stock CosmJS on a devnet of two validators, signed directly and as amino
 * JSON: each message is signed, sent and found in a block by `SigningStargateClient`, and what it did is read
 * back by CosmJS's queries. Wrong uses are refused with the SDK's codes and words.
 *
 * Every topic has accounts of its own and all run at once. The longest is governance: 2 transactions until it
 * votes, the voting period of 12 s (60 blocks of 200 ms at most), 1 transaction after it; the others are 5 to
 * 7 transactions of one account after another, of 1 to 2 blocks each, and end within the voting period.
 */
import { rmSync } from 'node:fs';
import type { EncodeObject } from '@cosmjs/proto-signing';
import { decodeCosmosSdkDecFromProto } from '@cosmjs/stargate';
import { GenericAuthorization } from 'cosmjs-types/cosmos/authz/v1beta1/authz';
import { MsgExecResponse } from 'cosmjs-types/cosmos/authz/v1beta1/tx';
import { SendAuthorization } from 'cosmjs-types/cosmos/bank/v1beta1/authz';
import { MsgSend } from 'cosmjs-types/cosmos/bank/v1beta1/tx';
import { MsgWithdrawDelegatorRewardResponse } from 'cosmjs-types/cosmos/distribution/v1beta1/tx';
import { BasicAllowance } from 'cosmjs-types/cosmos/feegrant/v1beta1/feegrant';
import { MsgBeginRedelegateResponse, MsgUndelegateResponse } from 'cosmjs-types/cosmos/staking/v1beta1/tx';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { anyOf, timestampOf } from './journey/amino.ts';
import { type Queries, queriesOf, startDevnet } from './journey/devnet.ts';
import { captureAndExpire, type PaymentWorld, payWithoutGas } from './journey/direct-payments.ts';
import { passProposals } from './journey/governance.ts';
import { multisigOf } from './journey/multisig.ts';
import {
  answerOf,
  coin,
  eventsOf,
  FEE,
  refusalOf,
  type SigningKind,
  type Traveller,
  traveller,
} from './journey/traveller.ts';
import { vest } from './journey/vesting.ts';
import { type RunningDevnet, temporaryHome } from './program.ts';
import { blockTimeOf } from './rpc.ts';

const STUCK_MS = 600_000;
const HOUR_MS = 3_600_000;
/** Within it a grant of fees is in a block, and before proposals are decided it is over. */
const GRANT_MS = 10_000;
/** One of the token. */
const ONE = 1_000_000;
const UNIT = 10n ** 18n;
const SEND = '/cosmos.bank.v1beta1.MsgSend';
/** Each of the two ways to sign has as many accounts. */
const ACCOUNTS = 12;
const KINDS: readonly SigningKind[] = ['direct', 'amino'];

let home = '';
let devnet: RunningDevnet;
let query: Queries;

beforeAll(async () => {
  home = temporaryHome();
  devnet = await startDevnet(home, KINDS.length * ACCOUNTS);
  await devnet.waitForHeight(1);
  query = await queriesOf(rpc(1));
}, STUCK_MS);

afterAll(async () => {
  await devnet?.stop();
  rmSync(home, { recursive: true, force: true });
});

/** Transactions go to one node and queries to the other only where both have the block: here, all to one. */
function rpc(index: number): string {
  return devnet.ready.nodes[index]?.rpc ?? '';
}

/** The account of a place; each place is used by one topic. */
function holder(kind: SigningKind, place: number): Promise<Traveller> {
  const account = devnet.ready.accounts[KINDS.indexOf(kind) * ACCOUNTS + place];
  if (account === undefined) throw new Error(`there is no account ${place}`);
  return traveller(rpc(1), kind, account.mnemonic);
}

/** Someone whose key nobody has seen yet. */
const newcomer = (kind: SigningKind): Promise<Traveller> => traveller(rpc(1), kind);

/** The devnet's validators, first the one of the way to sign. */
function validators(kind: SigningKind): readonly [string, string] {
  const [first = '', second = ''] = devnet.ready.nodes.map(({ operator }) => operator ?? '');
  return kind === 'direct' ? [first, second] : [second, first];
}

async function balance(address: string): Promise<bigint> {
  return BigInt((await query.bank.balance(address, 'uopen')).amount);
}

const send = (from: string, to: string, amount: number | bigint): EncodeObject => ({
  typeUrl: SEND,
  value: { fromAddress: from, toAddress: to, amount: [coin(amount)] },
});

const delegation = (name: string, value: object): EncodeObject => ({
  typeUrl: `/cosmos.staking.v1beta1.${name}`,
  value,
});

/** Resolves when a block has a time after that one. */
async function blockAfter(ms: number): Promise<void> {
  while ((await blockTimeOf(rpc(1), devnet.height)) <= ms) await devnet.moreBlocks(1);
}

describe.concurrent.each(KINDS)('a wallet that signs %s', (kind) => {
  it('sends to one and to several', async () => {
    const [alice, bob, carol] = [await holder(kind, 0), await newcomer(kind), await newcomer(kind)];
    const before = await balance(alice.address);
    const sent = await alice.client.sendTokens(alice.address, bob.address, [coin(5 * ONE)], 'auto', 'rent');
    expect(sent).toMatchObject({ code: 0, rawLog: '' });
    expect(eventsOf(sent, 'transfer')).toContainEqual({
      recipient: bob.address,
      sender: alice.address,
      amount: `${5 * ONE}uopen`,
    });
    expect(sent.msgResponses.map(({ typeUrl }) => typeUrl)).toEqual([`${SEND}Response`]);
    const outputs = [bob, carol].map(({ address }) => ({ address, coins: [coin(ONE)] }));
    const inputs = [{ address: alice.address, coins: [coin(2 * ONE)] }];
    await alice.ok({ typeUrl: '/cosmos.bank.v1beta1.MsgMultiSend', value: { inputs, outputs } });
    expect([await balance(bob.address), await balance(carol.address)]).toEqual([6_000_000n, 1_000_000n]);
    const fees = before - BigInt(7 * ONE) - (await balance(alice.address));
    expect(fees).toBeGreaterThan(1000n);
    expect(fees).toBeLessThan(10_000n);

    expect(await alice.client.getAllBalances(bob.address)).toEqual([coin(6 * ONE)]);
    expect((await alice.client.getTx(sent.transactionHash))?.height).toBe(sent.height);
    const { tx, txResponse } = await query.tx.getTx(sent.transactionHash);
    expect(tx?.body?.memo).toBe('rent');
    expect(txResponse).toMatchObject({ code: 0, height: BigInt(sent.height), gasUsed: sent.gasUsed });
    const found = await alice.client.searchTx([{ key: 'transfer.recipient', value: carol.address }]);
    expect(found).toHaveLength(1);

    const tooMuch = await bob.fails(send(bob.address, alice.address, 7 * ONE));
    expect(tooMuch).toEqual({
      code: 5,
      log:
        'failed to execute message; message index: 0: ' +
        `spendable balance ${6 * ONE - 5000}uopen is smaller than ${7 * ONE}uopen: insufficient funds`,
    });
    const poor = await newcomer(kind);
    await expect(poor.ok(send(poor.address, bob.address, 1))).rejects.toThrow('does not exist on chain');
  });

  it('delegates, redelegates, undelegates and withdraws', async () => {
    const staker = await holder(kind, 1);
    const [first, second] = validators(kind);
    const { address, client } = staker;
    expect(await client.delegateTokens(address, first, coin(30 * ONE), 'auto')).toMatchObject({ code: 0 });
    expect(await client.getDelegation(address, first)).toEqual(coin(30 * ONE));
    const route = { delegatorAddress: address, validatorSrcAddress: first, validatorDstAddress: second };
    const moved = await staker.ok(delegation('MsgBeginRedelegate', { ...route, amount: coin(10 * ONE) }));
    const undelegated = await client.undelegateTokens(address, first, coin(5 * ONE), 'auto');
    expect(undelegated).toMatchObject({ code: 0 });
    const ends = MsgUndelegateResponse.decode(answerOf(undelegated)).completionTime.seconds;
    expect(MsgBeginRedelegateResponse.decode(answerOf(moved)).completionTime.seconds).toBeLessThanOrEqual(
      ends,
    );

    expect(await client.getBalanceStaked(address)).toEqual(coin(25 * ONE));
    const { unbond } = await query.staking.unbondingDelegation(address, first);
    expect(unbond?.entries).toMatchObject([{ balance: String(5 * ONE), completionTime: { seconds: ends } }]);
    const { redelegationResponses } = await query.staking.redelegations(address, first, second);
    expect(redelegationResponses[0]?.entries).toMatchObject([{ balance: String(10 * ONE) }]);

    // The fee of the transaction before, if of no other, is shared at the next block.
    await devnet.waitForHeight(undelegated.height + 2);
    const { rewards } = await query.distribution.delegationRewards(address, first);
    const owed = decodeCosmosSdkDecFromProto(rewards[0]?.amount ?? '0').toFloatApproximation();
    expect(owed).toBeGreaterThan(1);
    const withdrawn = await client.withdrawRewards(address, first, 'auto');
    const { amount } = MsgWithdrawDelegatorRewardResponse.decode(answerOf(withdrawn));
    expect(Number(amount[0]?.amount ?? 0)).toBeGreaterThanOrEqual(Math.floor(owed));
    expect(eventsOf(withdrawn, 'withdraw_rewards')).toEqual([
      { amount: `${amount[0]?.amount}uopen`, validator: first, delegator: address },
    ]);

    const back = { ...route, validatorSrcAddress: second, validatorDstAddress: first };
    expect(
      await staker.fails(delegation('MsgBeginRedelegate', { ...back, amount: coin(ONE) })),
    ).toMatchObject({
      code: 32,
      log: expect.stringContaining('redelegation to this validator already in progress'),
    });
    const much = { delegatorAddress: address, validatorAddress: first, amount: coin(30 * ONE) };
    expect(await staker.fails(delegation('MsgUndelegate', much))).toMatchObject({
      code: 18,
      log: expect.stringContaining('invalid shares amount'),
    });
  });

  it('submits proposals, deposits, votes and sees them pass and carried out', async () => {
    const [one, other, payee] = [await holder(kind, 2), await holder(kind, 3), await newcomer(kind)];
    const [validatorAddress] = validators(kind);
    await passProposals({ rpc: rpc(1), query, kind, validatorAddress, blockAfter }, { one, other, payee });
  });

  it('grants, lets another execute, and revokes', async () => {
    const [granter, grantee, payee] = [await holder(kind, 4), await holder(kind, 5), await newcomer(kind)];
    const pair = { granter: granter.address, grantee: grantee.address };
    const exec = (amount: number): EncodeObject => {
      const { value } = send(granter.address, payee.address, amount);
      return {
        typeUrl: '/cosmos.authz.v1beta1.MsgExec',
        value: { grantee: grantee.address, msgs: [anyOf(MsgSend, value)] },
      };
    };
    const missing = {
      code: 2,
      log:
        'failed to execute message; message index: 0: failed to get grant with given granter: ' +
        `${granter.address}, grantee: ${grantee.address} & msgType: ${SEND} : authorization not found`,
    };
    expect(await grantee.fails(exec(ONE))).toEqual(missing);
    const expiration = timestampOf(Date.now() + HOUR_MS);
    const authorization = anyOf(SendAuthorization, { spendLimit: [coin(3 * ONE)] });
    const granted = await granter.ok({
      typeUrl: '/cosmos.authz.v1beta1.MsgGrant',
      value: { ...pair, grant: { authorization, expiration } },
    });
    expect(eventsOf(granted, 'cosmos.authz.v1beta1.EventGrant')).toEqual([
      { granter: `"${pair.granter}"`, grantee: `"${pair.grantee}"`, msg_type_url: `"${SEND}"` },
    ]);
    const executed = await grantee.ok(exec(2 * ONE));
    expect(MsgExecResponse.decode(answerOf(executed)).results).toHaveLength(1);
    expect(await balance(payee.address)).toBe(2_000_000n);
    const { grants } = await query.authz.grants(pair.granter, pair.grantee, SEND);
    expect(grants).toMatchObject([
      { authorization: anyOf(SendAuthorization, { spendLimit: [coin(ONE)] }), expiration },
    ]);
    expect(await grantee.fails(exec(2 * ONE))).toMatchObject({
      code: 5,
      log: expect.stringContaining('requested amount is more than spend limit: insufficient funds'),
    });
    await granter.ok({ typeUrl: '/cosmos.authz.v1beta1.MsgRevoke', value: { ...pair, msgTypeUrl: SEND } });
    expect(await grantee.fails(exec(ONE))).toEqual(missing);
    const generic = anyOf(GenericAuthorization, { msg: '/cosmos.gov.v1beta1.MsgVote' });
    await granter.ok({
      typeUrl: '/cosmos.authz.v1beta1.MsgGrant',
      value: { ...pair, grant: { authorization: generic } },
    });
    const held = await query.authz.granteeGrants(pair.grantee);
    expect(held.grants).toMatchObject([{ ...pair, authorization: generic, expiration: undefined }]);
  });

  it('pays the fees of another, until the grant is over', async () => {
    const [granter, grantee, late] = [await holder(kind, 6), await newcomer(kind), await newcomer(kind)];
    const grant = ({ address }: Traveller, allowance: object): EncodeObject => ({
      typeUrl: '/cosmos.feegrant.v1beta1.MsgGrantAllowance',
      value: { granter: granter.address, grantee: address, allowance: anyOf(BasicAllowance, allowance) },
    });
    const expiration = timestampOf(Date.now() + GRANT_MS);
    await granter.ok(
      grant(grantee, { spendLimit: [coin(20_000)] }),
      grant(late, { spendLimit: [coin(20_000)], expiration }),
      send(granter.address, grantee.address, ONE),
      send(granter.address, late.address, ONE),
    );
    const fee = { ...FEE, granter: granter.address };
    const pay = async (from: Traveller, gives = fee): Promise<unknown> =>
      from.client.sendTokens(from.address, granter.address, [coin(1000)], gives);
    const before = await balance(granter.address);
    expect(await pay(grantee)).toMatchObject({ code: 0 });
    expect(await balance(granter.address)).toBe(before - 4000n);
    expect(await balance(grantee.address)).toBe(999_000n);
    const { allowance } = await query.feegrant.allowance(granter.address, grantee.address);
    expect(allowance?.allowance).toEqual(anyOf(BasicAllowance, { spendLimit: [coin(15_000)] }));
    expect(await refusalOf(pay(grantee, { ...fee, amount: [coin(15_001)] }))).toMatchObject({
      codespace: 'feegrant',
      code: 2,
      log: expect.stringContaining('fee limit exceeded'),
    });

    const not = `${granter.address} does not allow to pay fees for`;
    await granter.ok({
      typeUrl: '/cosmos.feegrant.v1beta1.MsgRevokeAllowance',
      value: { granter: granter.address, grantee: grantee.address },
    });
    const none = { codespace: 'sdk', code: 38 };
    const log = (address: string): string => `${not} ${address}: fee-grant not found: not found`;
    expect(await refusalOf(pay(grantee))).toEqual({ ...none, log: log(grantee.address) });
    await blockAfter(Number(expiration.seconds) * 1000);
    expect(await refusalOf(pay(late))).toEqual({ ...none, log: log(late.address) });
    expect((await query.feegrant.allowances(late.address)).allowances).toEqual([]);
  });

  it('makes vesting accounts, which delegate but do not spend what is locked', async () => {
    const [funder, delayed] = [await holder(kind, 7), await newcomer(kind)];
    const [locked, periodic, continuous] = [await newcomer(kind), await newcomer(kind), await newcomer(kind)];
    const [validator] = validators(kind);
    await vest(
      { rpc: rpc(1), query, validator, blockAfter },
      { funder, delayed, locked, periodic, continuous },
    );
  });
});

it.concurrent('sends from an account of which two of three sign', async () => {
  const [funder, payee] = [
    await traveller(rpc(1), 'direct', devnet.ready.accounts[8]?.mnemonic),
    await newcomer('direct'),
  ];
  const shared = await multisigOf(rpc(1), { threshold: 2, count: 3 });
  await funder.ok(send(funder.address, shared.address, 2 * ONE));
  const message = send(shared.address, payee.address, ONE);
  const few = await refusalOf(shared.broadcast([message], [2]));
  expect(few).toMatchObject({
    codespace: 'sdk',
    code: 4,
    log: expect.stringMatching(
      /^signature verification failed; please verify account number \(\d+\), sequence \(0\) and chain-id \(wallet-journey-1\): unauthorized$/,
    ),
  });
  expect(await shared.broadcast([message], [0, 2])).toMatchObject({ code: 0 });
  expect(await balance(payee.address)).toBe(1_000_000n);
  const account = await query.auth.account(shared.address);
  expect(account?.typeUrl).toBe('/cosmos.auth.v1beta1.BaseAccount');
  const wrong = await refusalOf(shared.broadcast([message], [0, 1], 'direct'));
  expect(wrong).toMatchObject({ codespace: 'sdk', code: 4 });
});

/** Of a way to sign, two accounts that no other topic uses. */
function paymentWorld(kind: SigningKind): PaymentWorld {
  const [relayer, seller] = [10, 11].map(
    (place) => devnet.ready.accounts[KINDS.indexOf(kind) * ACCOUNTS + place]?.mnemonic ?? '',
  );
  const { chain_id: chainId } = devnet.ready;
  return { rpc: rpc(1), chainId, relayer: relayer ?? '', seller: seller ?? '', blockAfter };
}

it.concurrent('pays by what it signs in the wallet, without gas, through a relayer, once', () =>
  payWithoutGas(paymentWorld('direct')));

it.concurrent('holds money for requests: one is captured, the other goes back when it expires', () =>
  captureAndExpire(paymentWorld('amino')));

it.concurrent('asks what a dashboard shows', async () => {
  expect((await query.mint.inflation()).toString()).toBe('0');
  expect((await query.mint.annualProvisions()).toString()).toBe('0');
  expect((await query.mint.params()).mintDenom).toBe('uopen');
  const { pool } = await query.staking.pool();
  expect(BigInt(pool?.bondedTokens ?? '0')).toBeGreaterThanOrEqual(200_000_000n);
  expect((await query.staking.validators('BOND_STATUS_BONDED')).validators).toHaveLength(2);
  const supply = await query.bank.supplyOf('uopen');
  expect(BigInt(supply.amount)).toBe(BigInt(KINDS.length * ACCOUNTS) * 10n ** 12n + 200_000_000n);
  expect((await query.distribution.params()).params?.communityTax).toBe(String(UNIT / 50n));
});
