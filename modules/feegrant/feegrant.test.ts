import type { EncodeObject } from '@cosmjs/proto-signing';
import {
  AllowedMsgAllowance as CosmAllowed,
  PeriodicAllowance as CosmPeriodic,
} from 'cosmjs-types/cosmos/feegrant/v1beta1/feegrant';
import { MsgGrantAllowance as CosmGrant } from 'cosmjs-types/cosmos/feegrant/v1beta1/tx';
import { describe, expect, it } from 'vitest';
import { toBech32 } from '../../core/bech32.ts';
import { moduleAddress } from '../../framework/address.ts';
import { ANY_DEPTH_MAX } from '../../framework/any-types.ts';
import { MsgSend } from '../../proto/gen/cosmos/bank/v1beta1/tx.ts';
import { GenericAuthorization } from '../../proto/gen/cosmos/authz/v1beta1/authz.ts';
import {
  AllowedMsgAllowance,
  BasicAllowance,
  PeriodicAllowance,
} from '../../proto/gen/cosmos/feegrant/v1beta1/feegrant.ts';
import * as wire from '../../proto/gen/cosmos/feegrant/v1beta1/query.ts';
import {
  MsgGrantAllowance,
  MsgPruneAllowances,
  MsgRevokeAllowance,
} from '../../proto/gen/cosmos/feegrant/v1beta1/tx.ts';
import type { Any } from '../../proto/gen/google/protobuf/any.ts';
import type { ExecTxResult } from '../../proto/gen/tendermint/abci/types.ts';
import { cosmSigner, cosmTx } from '../../test/support/cosmjs-signer.ts';
import { anyOf, TestChain, type TestAccount, testAccount } from '../../test/support/test-chain.ts';

const QUERY = '/cosmos.feegrant.v1beta1.Query';
/** Time of block 0 of a test chain; block n is n seconds later. */
const START = 1_700_000_000n;

const uopen = (amount: number): readonly { denom: string; amount: string }[] => [
  { denom: 'uopen', amount: String(amount) },
];
const at = (seconds: bigint): { seconds: bigint; nanos: number } => ({ seconds, nanos: 0 });
const basic = (limit: number, expiration?: bigint): Any =>
  anyOf(BasicAllowance, {
    spendLimit: limit === 0 ? [] : uopen(limit),
    expiration: expiration === undefined ? undefined : at(expiration),
  });
const grantMessage = (granter: string, grantee: string, allowance: Any): Any =>
  anyOf(MsgGrantAllowance, { granter, grantee, allowance });

function grant(chain: TestChain, from: TestAccount, to: TestAccount, allowance: Any): ExecTxResult {
  return chain.deliver(chain.sign(from, [grantMessage(from.address, to.address, allowance)]));
}

/** A transfer by the second account, paid by the first. */
function spend(chain: TestChain, fee: string): ExecTxResult {
  const [granter, grantee] = [chain.account(0), chain.account(1)];
  return chain.deliver(
    chain.send(grantee, chain.account(2).address, '1uopen', { fee, granter: granter.address }),
  );
}

function kinds(result: ExecTxResult): readonly string[] {
  return result.events.map(({ type }) => type).filter((type) => type.includes('feegrant'));
}

function allowances(chain: TestChain): readonly wire.QueryAllowanceResponse['allowance'][] {
  const types = { request: wire.QueryAllowancesRequest, response: wire.QueryAllowancesResponse };
  return chain.query(`${QUERY}/Allowances`, types, { grantee: chain.account(1).address }).allowances;
}

describe('a fee grant', () => {
  it('pays exactly the fee of a stock transfer, within its gas', async () => {
    const chain = new TestChain();
    const grantee = await cosmSigner(0);
    const granter = await cosmSigner(1);
    for (const { address } of [grantee, granter])
      chain.deliver(chain.send(chain.account(0), address, '1000000uopen'));
    const typeUrl = '/cosmos.feegrant.v1beta1.MsgGrantAllowance';
    const value = CosmGrant.fromPartial({
      granter: granter.address,
      grantee: grantee.address,
      allowance: basic(10_000),
    });
    const made = chain.deliver(await cosmTx(chain, granter, [{ typeUrl, value }]));
    expect(made.log).toBe('');
    expect(kinds(made)).toEqual(['set_feegrant']);
    const send: EncodeObject = {
      typeUrl: MsgSend.typeUrl,
      value: { fromAddress: grantee.address, toAddress: testAccount('new').address, amount: [...uopen(7)] },
    };
    const sent = chain.deliver(await cosmTx(chain, grantee, [send], { granter: granter.address }));
    expect(sent.log).toBe('');
    expect(sent.gasUsed).toBeLessThan(120_000n);
    expect(kinds(sent)).toEqual(['use_feegrant', 'update_feegrant']);
    expect(chain.balance(grantee.address)).toBe(1_000_000n - 7n);
    expect(chain.balance(granter.address)).toBe(1_000_000n - 5_000n);
    const types = { request: wire.QueryAllowanceRequest, response: wire.QueryAllowanceResponse };
    const { allowance } = chain.query(`${QUERY}/Allowance`, types, {
      granter: granter.address,
      grantee: grantee.address,
    });
    expect(allowance?.allowance).toEqual(basic(7_500));
    expect(chain.app.brokenInvariants()).toEqual([]);
  });

  it('can be signed as amino JSON, with an allowance in an allowance', async () => {
    const chain = new TestChain();
    const granter = await cosmSigner(0);
    chain.deliver(chain.send(chain.account(0), granter.address, '1000000uopen'));
    const grantee = chain.account(1).address;
    const periodic = CosmPeriodic.fromPartial({
      basic: { spendLimit: [], expiration: at(2_000_000_000n) },
      period: { seconds: 3600n, nanos: 0 },
      periodSpendLimit: [...uopen(9)],
      periodCanSpend: [],
      periodReset: at(1_700_000_000n),
    });
    const allowed = CosmAllowed.fromPartial({
      allowance: {
        typeUrl: '/cosmos.feegrant.v1beta1.PeriodicAllowance',
        value: CosmPeriodic.encode(periodic).finish(),
      },
      allowedMessages: [MsgSend.typeUrl],
    });
    const message = {
      typeUrl: MsgGrantAllowance.typeUrl,
      value: CosmGrant.fromPartial({
        granter: granter.address,
        grantee,
        allowance: {
          typeUrl: AllowedMsgAllowance.typeUrl,
          value: CosmAllowed.encode(allowed).finish(),
        },
      }),
    };
    // As a wallet shows it: names and forms of x/tx's aminojson.
    const shown = {
      type: 'cosmos-sdk/MsgGrantAllowance',
      value: {
        allowance: {
          type: 'cosmos-sdk/AllowedMsgAllowance',
          value: {
            allowance: {
              type: 'cosmos-sdk/PeriodicAllowance',
              value: {
                basic: { spend_limit: [], expiration: '2033-05-18T03:33:20Z' },
                period: '3600000000000',
                period_can_spend: [],
                period_reset: '2023-11-14T22:13:20Z',
                period_spend_limit: uopen(9),
              },
            },
            allowed_messages: [MsgSend.typeUrl],
          },
        },
        grantee,
        granter: granter.address,
      },
    };
    const tx = await cosmTx(chain, granter, [message], { amino: [shown] });
    expect(chain.check(tx).log).toBe('');
    expect(chain.deliver(tx)).toMatchObject({ code: 0, log: '' });
    expect(allowances(chain)).toHaveLength(1);
  });

  it('is taken back with its last coin, and everything over it is refused', () => {
    const chain = new TestChain();
    expect(spend(chain, '10uopen')).toMatchObject({ code: 38, codespace: 'sdk' });
    expect(grant(chain, chain.account(0), chain.account(1), basic(30)).log).toBe('');
    expect(grant(chain, chain.account(0), chain.account(1), basic(30)).log).toContain(
      'fee allowance already exists: invalid request',
    );
    expect(spend(chain, '31uopen')).toMatchObject({
      codespace: 'feegrant',
      code: 2,
      log: `${chain.account(0).address} does not allow to pay fees for ${chain.account(1).address}: basic allowance: fee limit exceeded`,
    });
    expect(kinds(spend(chain, '30uopen'))).toEqual(['revoke_feegrant', 'use_feegrant']);
    expect(allowances(chain)).toEqual([]);
    expect(chain.app.brokenInvariants()).toEqual([]);
  });

  it('does not cover what its granter does not have', () => {
    const chain = new TestChain({ coins: '6000uopen' });
    grant(chain, chain.account(0), chain.account(1), basic(0));
    const [granter, grantee] = [chain.account(0), chain.account(1)];
    const tx = chain.send(grantee, chain.account(2).address, '1uopen', { granter: granter.address });
    expect(chain.deliver(tx)).toMatchObject({
      code: 5,
      codespace: 'sdk',
      log: 'spendable balance 1000uopen is smaller than 5000uopen: insufficient funds: insufficient funds',
    });
  });

  it('is for its messages only, at 10 gas for each one looked at', () => {
    const chain = new TestChain();
    const narrowed = (allowedMessages: readonly string[]): Any =>
      anyOf(AllowedMsgAllowance, { allowance: basic(0), allowedMessages });
    grant(chain, chain.account(0), chain.account(1), narrowed(['/some.Other']));
    expect(spend(chain, '1uopen')).toMatchObject({
      codespace: 'feegrant',
      code: 7,
      log: expect.stringContaining('message does not exist in allowed messages: message not allowed'),
    });
    const used = ['/a.A', '/b.B'].map((first) => {
      const fresh = new TestChain();
      const more = first === '/a.A' ? [] : Array.from({ length: 50 }, () => '/x.X');
      grant(fresh, fresh.account(0), fresh.account(1), narrowed([first, MsgSend.typeUrl, ...more]));
      return spend(fresh, '1uopen');
    });
    expect(used.map(({ code }) => code)).toEqual([0, 0]);
    // 50 more names of 6 bytes, and two lengths that take a byte more: 10 gas for each name in the list; each byte is read
    // twice and written once.
    const [few, many] = used;
    expect((many?.gasUsed ?? 0n) - (few?.gasUsed ?? 0n)).toBe(BigInt(50 * 10 + 302 * (2 * 3 + 30)));
  });

  it('renews by period', () => {
    const chain = new TestChain();
    const periodic = anyOf(PeriodicAllowance, {
      basic: { spendLimit: uopen(25), expiration: undefined },
      period: { seconds: 4n, nanos: 0 },
      periodSpendLimit: uopen(10),
      periodCanSpend: uopen(10),
      periodReset: at(START + 4n),
    });
    grant(chain, chain.account(0), chain.account(1), periodic);
    expect(spend(chain, '8uopen').code).toBe(0);
    expect(spend(chain, '3uopen').log).toContain('period limit: fee limit exceeded');
    // Block 4: the period is over.
    expect(spend(chain, '10uopen').code).toBe(0);
    expect(spend(chain, '1uopen').code).toBe(2);
    for (let i = 0; i < 3; i++) chain.block();
    // What is left in all is less than a period's worth, and then nothing.
    expect(spend(chain, '8uopen').log).toContain('period limit');
    expect(kinds(spend(chain, '7uopen'))).toEqual(['revoke_feegrant', 'use_feegrant']);
  });
});

describe('expiration', () => {
  it('ends an allowance, which the end of a later block removes', () => {
    const chain = new TestChain();
    expect(grant(chain, chain.account(0), chain.account(1), basic(0, START)).log).toContain(
      'expiration is before current block time: invalid request',
    );
    expect(grant(chain, chain.account(0), chain.account(1), basic(0, START + 4n)).log).toBe('');
    chain.block();
    // The last instant still counts.
    expect(spend(chain, '1uopen').code).toBe(0);
    expect(allowances(chain)).toHaveLength(1);
    expect(spend(chain, '1uopen')).toMatchObject({ codespace: 'feegrant', code: 3 });
    expect(allowances(chain)).toEqual([]);
    expect(chain.app.brokenInvariants()).toEqual([]);
  });

  it('of an allowance that was taken back does not end its successor', () => {
    const chain = new TestChain();
    const [granter, grantee] = [chain.account(0), chain.account(1)];
    grant(chain, granter, grantee, basic(0, START + 5n));
    const revoke = anyOf(MsgRevokeAllowance, { granter: granter.address, grantee: grantee.address });
    const revoked = chain.deliver(chain.sign(granter, [revoke]));
    expect(kinds(revoked)).toEqual(['revoke_feegrant']);
    expect(chain.deliver(chain.sign(granter, [revoke]))).toMatchObject({ code: 38, codespace: 'sdk' });
    grant(chain, granter, grantee, basic(0, START + 500n));
    for (let i = 0; i < 6; i++) chain.block();
    expect(allowances(chain)).toHaveLength(1);
    expect(chain.app.brokenInvariants()).toEqual([]);
  });

  it('removes at most 200 allowances at the end of a block, and 75 by message', () => {
    const chain = new TestChain();
    const granter = chain.account(0);
    const count = 300;
    const messages = Array.from({ length: count }, (_, i) =>
      grantMessage(granter.address, testAccount(`grantee ${i}`).address, basic(0, START + 3n)),
    );
    expect(chain.deliver(chain.sign(granter, messages, { gas: 100_000_000n })).log).toBe('');
    const types = {
      request: wire.QueryAllowancesByGranterRequest,
      response: wire.QueryAllowancesByGranterResponse,
    };
    const left = (): bigint =>
      chain.query(`${QUERY}/AllowancesByGranter`, types, { granter: granter.address }).pagination?.total ??
      0n;
    chain.block();
    chain.block();
    expect(left()).toBe(300n);
    chain.block();
    expect(left()).toBe(100n);
    const prune = anyOf(MsgPruneAllowances, { pruner: granter.address });
    const pruned = chain.deliver(chain.sign(granter, [prune], { gas: 10_000_000n }));
    expect(kinds(pruned)).toEqual(['prune_feegrant']);
    expect(left()).toBe(0n);
    expect(chain.app.brokenInvariants()).toEqual([]);
  });
});

describe('what makes no sense is refused', () => {
  const nested = (depth: number): Any => {
    let allowance = basic(1);
    for (let i = 0; i < depth; i++)
      allowance = anyOf(AllowedMsgAllowance, { allowance, allowedMessages: [MsgSend.typeUrl] });
    return allowance;
  };
  const empty = { basic: { spendLimit: [], expiration: undefined }, periodCanSpend: [], periodReset: at(0n) };
  const cases: readonly [string, (chain: TestChain) => Any, string, number, string][] = [
    [
      'an unknown type',
      () => ({ typeUrl: '/x.Y', value: new Uint8Array(0) }),
      'sdk',
      2,
      'unable to resolve type URL /x.Y',
    ],
    [
      'no allowance type',
      () => anyOf(GenericAuthorization, { msg: 'x' }),
      'sdk',
      2,
      'type URL /cosmos.authz.v1beta1.GenericAuthorization',
    ],
    [
      'bytes that are no allowance',
      () => ({ typeUrl: BasicAllowance.typeUrl, value: Uint8Array.of(255) }),
      'sdk',
      2,
      'tx parse error',
    ],
    ['deep nesting', () => nested(ANY_DEPTH_MAX), 'sdk', 2, 'max depth exceeded: tx parse error'],
    [
      'a time that does not exist',
      () => basic(1, 1n << 40n),
      'sdk',
      2,
      'expiration is no time of the years 1 to 9999',
    ],
    [
      'a time before 1970',
      () => basic(1, -1n),
      'feegrant',
      4,
      'expiration time cannot be negative: invalid duration',
    ],
    ['a negative limit', () => basic(-5), 'sdk', 10, 'send amount is invalid: -5uopen: invalid coins'],
    [
      'no period limit',
      () => anyOf(PeriodicAllowance, { ...empty, period: at(1n), periodSpendLimit: [] }),
      'sdk',
      10,
      'spend limit must be positive',
    ],
    [
      'a negative period',
      () => anyOf(PeriodicAllowance, { ...empty, period: at(-1n), periodSpendLimit: uopen(1) }),
      'feegrant',
      4,
      'negative clock step: invalid duration',
    ],
    [
      'no messages',
      () => anyOf(AllowedMsgAllowance, { allowance: basic(1), allowedMessages: [] }),
      'feegrant',
      6,
      "allowed messages shouldn't be empty",
    ],
    [
      'nothing narrowed',
      () => anyOf(AllowedMsgAllowance, { allowance: undefined, allowedMessages: ['x'] }),
      'feegrant',
      5,
      'failed to get allowance: no allowance',
    ],
  ];

  it.each(cases)('%s', (_, make, codespace, code, log) => {
    const chain = new TestChain();
    chain.block();
    const [granter, grantee] = [chain.account(0), chain.account(1)];
    const tx = chain.sign(granter, [grantMessage(granter.address, grantee.address, make(chain))]);
    expect(chain.check(tx)).toMatchObject({ codespace, code, log: expect.stringContaining(log) });
  });

  it('oneself, a module, and another chain as grantee', () => {
    const chain = new TestChain();
    const granter = chain.account(0);
    const to = (grantee: string): ExecTxResult =>
      chain.deliver(chain.sign(granter, [grantMessage(granter.address, grantee, basic(1))]));
    expect(to(granter.address.toUpperCase()).log).toContain(
      'cannot self-grant fee authorization: invalid address',
    );
    // `ABCIInfo` of what `GrantAllowance` of cosmossdk.io/x/feegrant v0.1.1 returns, over cosmos-sdk v0.50.13.
    const bare: readonly [string, string, number, string][] = [
      ['', 'undefined', 1, 'empty address string is not allowed'],
      ['open1xyz', 'undefined', 1, 'decoding bech32 failed: '],
      [
        'cosmos1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqnrql8a',
        'sdk',
        35,
        "hrp does not match bech32 prefix: expected 'open' got 'cosmos': internal logic error",
      ],
      [
        toBech32('open', new Uint8Array(256)),
        'sdk',
        9,
        'address max length is 255, got 256: unknown address',
      ],
    ];
    for (const [grantee, codespace, code, log] of bare)
      expect(to(grantee)).toMatchObject({ codespace, code, log: expect.stringContaining(log) });
    // Accounts of modules exist, so that the SDK lets them have an allowance; they never sign.
    const gov = chain.app.composition.addresses.toText(moduleAddress('gov'));
    expect(to(gov).code).toBe(0);
  });
});
