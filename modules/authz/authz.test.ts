import { GenericAuthorization as CosmGeneric } from 'cosmjs-types/cosmos/authz/v1beta1/authz';
import { MsgExec as CosmExec, MsgGrant as CosmGrant } from 'cosmjs-types/cosmos/authz/v1beta1/tx';
import { describe, expect, it } from 'vitest';
import { utf8 } from '../../core/bytes.ts';
import * as wire from '../../proto/gen/cosmos/authz/v1beta1/query.ts';
import { MsgExec, MsgExecResponse, MsgGrant, MsgRevoke } from '../../proto/gen/cosmos/authz/v1beta1/tx.ts';
import { MsgMultiSend } from '../../proto/gen/cosmos/bank/v1beta1/tx.ts';
import { TxMsgData } from '../../proto/gen/cosmos/base/abci/v1beta1/abci.ts';
import { cosmSigner, cosmTx } from '../../test/support/cosmjs-signer.ts';
import { anyOf, sendMessage, TestChain, testAccount } from '../../test/support/test-chain.ts';
import {
  exec,
  generic,
  grant,
  grantMessage,
  grants,
  QUERY,
  revoke,
  SEND,
  sendFor,
  sendLimit,
  shown,
  START,
  uopen,
} from './testing.ts';

describe('an authorization', () => {
  it('is given, used and taken back by stock wallets, signed directly', async () => {
    const chain = new TestChain();
    const [granter, grantee] = [await cosmSigner(0), await cosmSigner(1)];
    for (const { address } of [grantee, granter])
      chain.deliver(chain.send(chain.account(0), address, '1000000uopen'));
    const authorization = {
      typeUrl: '/cosmos.authz.v1beta1.GenericAuthorization',
      value: CosmGeneric.encode({ msg: SEND }).finish(),
    };
    const parties = { granter: granter.address, grantee: grantee.address };
    const value = CosmGrant.fromPartial({ ...parties, grant: { authorization } });
    const given = chain.deliver(await cosmTx(chain, granter, [{ typeUrl: MsgGrant.typeUrl, value }]));
    expect(given.log).toBe('');
    expect(shown(given, 'cosmos.authz')).toEqual([
      `cosmos.authz.v1beta1.EventGrant grantee="${grantee.address}" granter="${granter.address}" msg_type_url="${SEND}" msg_index=0`,
    ]);
    const send = sendMessage(granter.address, chain.account(2).address, '77uopen');
    const execution = CosmExec.fromPartial({ grantee: grantee.address, msgs: [send] });
    const done = chain.deliver(
      await cosmTx(chain, grantee, [{ typeUrl: MsgExec.typeUrl, value: execution }]),
    );
    expect(done.log).toBe('');
    // The message inside is no action of its own.
    expect(shown(done, 'message').filter((text) => text.includes('action='))).toEqual([
      `message action=${MsgExec.typeUrl} sender=${grantee.address} module=authz msg_index=0`,
    ]);
    expect(shown(done, 'transfer').at(-1)).toBe(
      `transfer recipient=${chain.account(2).address} sender=${granter.address} amount=77uopen authz_msg_index=0 msg_index=0`,
    );
    expect(chain.balance(granter.address)).toBe(1_000_000n - 2_500n - 77n);
    const [response] = TxMsgData.decode(done.data).msgResponses;
    expect(MsgExecResponse.decode(response?.value ?? utf8('none')).results).toEqual([new Uint8Array(0)]);
    const types = { request: wire.QueryGranterGrantsRequest, response: wire.QueryGranterGrantsResponse };
    const listed = [{ ...parties, authorization: generic(SEND), expiration: undefined }];
    expect(chain.query(`${QUERY}/GranterGrants`, types, { granter: granter.address }).grants).toEqual(listed);
    const theirs = { request: wire.QueryGranteeGrantsRequest, response: wire.QueryGranteeGrantsResponse };
    expect(chain.query(`${QUERY}/GranteeGrants`, theirs, { grantee: grantee.address }).grants).toEqual(
      listed,
    );
    const revocation = {
      typeUrl: MsgRevoke.typeUrl,
      value: { ...parties, msgTypeUrl: SEND },
    };
    const revoked = chain.deliver(await cosmTx(chain, granter, [revocation]));
    expect(shown(revoked, 'cosmos.authz')[0]).toContain('cosmos.authz.v1beta1.EventRevoke grantee=');
    expect(chain.app.brokenInvariants()).toEqual([]);
  });

  it('is given and used with amino JSON', async () => {
    const chain = new TestChain();
    const [granter, grantee] = [await cosmSigner(0), await cosmSigner(1)];
    for (const { address } of [grantee, granter])
      chain.deliver(chain.send(chain.account(0), address, '1000000uopen'));
    const to = chain.account(2).address;
    const message = grantMessage(granter.address, grantee.address, sendLimit(100, [to]), 2_000_000_000n);
    const value = CosmGrant.decode(message.value);
    const amino = {
      type: 'cosmos-sdk/MsgGrant',
      value: {
        granter: granter.address,
        grantee: grantee.address,
        grant: {
          authorization: {
            type: 'cosmos-sdk/SendAuthorization',
            value: { spend_limit: uopen(100), allow_list: [to] },
          },
          expiration: '2033-05-18T03:33:20Z',
        },
      },
    };
    const given = await cosmTx(chain, granter, [{ typeUrl: MsgGrant.typeUrl, value }], { amino: [amino] });
    expect(chain.deliver(given).log).toBe('');
    const sent = { from_address: granter.address, to_address: to, amount: uopen(60) };
    const execution = {
      type: 'cosmos-sdk/MsgExec',
      value: { grantee: grantee.address, msgs: [{ type: 'cosmos-sdk/MsgSend', value: sent }] },
    };
    const msgs = [sendMessage(granter.address, to, '60uopen')];
    const executed = await cosmTx(
      chain,
      grantee,
      [{ typeUrl: MsgExec.typeUrl, value: { grantee: grantee.address, msgs } }],
      { amino: [execution] },
    );
    expect(chain.deliver(executed).log).toBe('');
    expect(chain.balance(granter.address)).toBe(1_000_000n - 2_500n - 60n);
  });

  it('to send is used up with its last coin, and everything else is refused', () => {
    const chain = new TestChain();
    const to = chain.account(2).address;
    expect(sendFor(chain, 1)).toMatchObject({ codespace: 'authz', code: 2 });
    expect(grant(chain, sendLimit(30, [to])).log).toBe('');
    expect(sendFor(chain, 10).code).toBe(0);
    expect(grants(chain).grants).toEqual([{ authorization: sendLimit(20, [to]), expiration: undefined }]);
    expect(sendFor(chain, 21)).toMatchObject({ codespace: 'sdk', code: 5 });
    const elsewhere = sendMessage(chain.account(0).address, chain.account(1).address, '1uopen');
    expect(exec(chain, chain.account(1), elsewhere)).toMatchObject({
      codespace: 'sdk',
      code: 4,
      log: expect.stringContaining(`cannot send to ${chain.account(1).address} address: unauthorized`),
    });
    const last = sendFor(chain, 20);
    expect(shown(last, 'cosmos.authz')[0]).toContain('EventRevoke');
    expect(grants(chain).grants).toEqual([]);
    const path = `${QUERY}/Grants`;
    const request = {
      granter: chain.account(0).address,
      grantee: chain.account(1).address,
      msgTypeUrl: SEND,
    };
    expect(
      chain.rawQuery(path, wire.QueryGrantsRequest.encode(wire.QueryGrantsRequest.create(request))),
    ).toMatchObject({
      code: 6,
      log: `authorization not found for ${SEND} type: authorization not found: unknown request`,
    });
    expect(chain.app.brokenInvariants()).toEqual([]);
  });

  it('is for one type of message, from one account to one other', () => {
    const chain = new TestChain();
    grant(chain, generic(SEND));
    const [a, b, c] = [chain.account(0), chain.account(1), chain.account(2)];
    const multi = anyOf(MsgMultiSend, {
      inputs: [{ address: a.address, coins: uopen(1) }],
      outputs: [{ address: c.address, coins: uopen(1) }],
    });
    expect(exec(chain, b, multi)).toMatchObject({ codespace: 'authz', code: 2 });
    expect(exec(chain, c, sendMessage(a.address, b.address, '1uopen'))).toMatchObject({
      codespace: 'authz',
      code: 2,
    });
    expect(exec(chain, b, sendMessage(c.address, b.address, '1uopen'))).toMatchObject({
      codespace: 'authz',
      code: 2,
    });
    // One's own messages need none.
    expect(exec(chain, b, sendMessage(b.address, c.address, '1uopen')).log).toBe('');
  });

  it('reaches as far as each account in a chain of executions has authorized the next', () => {
    const chain = new TestChain();
    const [a, b, c] = [chain.account(0), chain.account(1), chain.account(2)];
    const inner = anyOf(MsgExec, {
      grantee: b.address,
      msgs: [sendMessage(a.address, c.address, '5uopen')],
    });
    grant(chain, generic(SEND));
    expect(exec(chain, c, inner)).toMatchObject({ codespace: 'authz', code: 2 });
    const again = grantMessage(b.address, c.address, generic(MsgExec.typeUrl));
    expect(chain.deliver(chain.sign(b, [again])).log).toBe('');
    const done = exec(chain, c, inner);
    expect(done.log).toBe('');
    expect(shown(done, 'transfer').at(-1)).toContain(
      'amount=5uopen authz_msg_index=0 authz_msg_index=0 msg_index=0',
    );
  });

  it('leaves nothing behind when one of several messages fails', () => {
    const chain = new TestChain();
    grant(chain, sendLimit(100));
    const [a, b, c] = [chain.account(0), chain.account(1), chain.account(2)];
    const good = sendMessage(a.address, c.address, '10uopen');
    const bad = sendMessage(b.address, c.address, '999999999999uopen');
    expect(exec(chain, b, good, bad)).toMatchObject({
      codespace: 'sdk',
      code: 5,
      log: expect.stringContaining(`failed to execute message; message ${SEND}: spendable balance`),
    });
    expect(chain.balance(c.address)).toBe(1_000_000_000n);
    expect(grants(chain).grants).toEqual([{ authorization: sendLimit(100), expiration: undefined }]);
  });

  it('costs gas for each address of its list that is looked at', () => {
    const used = [1, 21].map((length) => {
      const chain = new TestChain();
      const list = Array.from({ length }, (_, i) => testAccount(`listed ${i}`).address);
      grant(chain, sendLimit(100, [...list, chain.account(2).address]));
      return sendFor(chain, 1);
    });
    expect(used.map(({ code }) => code)).toEqual([0, 0]);
    const [few, many] = used;
    // 20 more addresses of 43 characters: 10 gas each, read twice and written once, as is a longer length.
    const stored = 20 * (43 + 2) + 1;
    expect((many?.gasUsed ?? 0n) - (few?.gasUsed ?? 0n)).toBe(BigInt(20 * 10 + stored * (2 * 3 + 30)));
  });
});

describe('expiration', () => {
  it('is in the future when it is given, and ends an authorization', () => {
    const chain = new TestChain();
    expect(grant(chain, generic(SEND), START + 1n)).toMatchObject({
      codespace: 'authz',
      code: 3,
      log: expect.stringContaining(
        'expiration must be after the current block time (2023-11-14T22:13:21Z), got 2023-11-14T22:13:21Z',
      ),
    });
    grant(chain, generic(SEND), START + 4n);
    chain.block();
    expect(sendFor(chain, 1).code).toBe(0);
    // The beginning of the block has removed it.
    expect(sendFor(chain, 1)).toMatchObject({ codespace: 'authz', code: 2 });
    expect(grants(chain).grants).toEqual([]);
    expect(chain.app.brokenInvariants()).toEqual([]);
  });

  it('follows when it is changed, and another message keeps its own', () => {
    const chain = new TestChain();
    grant(chain, generic(SEND), START + 8n);
    grant(chain, generic(MsgMultiSend.typeUrl), START + 8n);
    grant(chain, generic(MsgRevoke.typeUrl), START + 8n);
    grant(chain, generic(SEND), START + 500n);
    expect(revoke(chain, MsgRevoke.typeUrl).log).toBe('');
    expect(chain.app.brokenInvariants()).toEqual([]);
    grant(chain, generic(MsgMultiSend.typeUrl));
    expect(chain.app.brokenInvariants()).toEqual([]);
    for (let i = 0; i < 4; i++) chain.block();
    expect(grants(chain).grants.map(({ authorization }) => authorization)).toEqual([
      generic(MsgMultiSend.typeUrl),
      generic(SEND),
    ]);
    expect(revoke(chain, MsgRevoke.typeUrl)).toMatchObject({ codespace: 'authz', code: 2 });
  });

  it('removes so many at the beginning of a block, and what waits cannot be used', () => {
    const chain = new TestChain();
    const granter = chain.account(0);
    const messages = Array.from({ length: 250 }, (_, i) =>
      grantMessage(granter.address, testAccount(`grantee ${i}`).address, generic(SEND), START + 3n),
    );
    // The last of their time, by its address' order or not: it stands for all that wait.
    expect(chain.deliver(chain.sign(granter, messages, { gas: 100_000_000n })).log).toBe('');
    const types = { request: wire.QueryGranterGrantsRequest, response: wire.QueryGranterGrantsResponse };
    const left = (): bigint =>
      chain.query(`${QUERY}/GranterGrants`, types, { granter: granter.address }).pagination?.total ?? 0n;
    chain.block();
    chain.block();
    expect(left()).toBe(250n);
    chain.block();
    expect(left()).toBe(150n);
    chain.block();
    chain.block();
    expect(left()).toBe(0n);
    expect(chain.app.brokenInvariants()).toEqual([]);
  });
});
