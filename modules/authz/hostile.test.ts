import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ANY_DEPTH_MAX } from '../../framework/any-types.ts';
import { sdkErrors } from '../../framework/errors.ts';
import { GenericAuthorization } from '../../proto/gen/cosmos/authz/v1beta1/authz.ts';
import { MsgExec, MsgGrant, MsgRevoke } from '../../proto/gen/cosmos/authz/v1beta1/tx.ts';
import { SendAuthorization } from '../../proto/gen/cosmos/bank/v1beta1/authz.ts';
import { MsgMultiSend } from '../../proto/gen/cosmos/bank/v1beta1/tx.ts';
import type { Any } from '../../proto/gen/google/protobuf/any.ts';
import { anyOf, sendMessage, TestChain, testAccount } from '../../test/support/test-chain.ts';
import { generic, grant, grantMessage, grants, revoke, SEND, sendLimit, START } from './testing.ts';

describe('what makes no sense is refused', () => {
  const [me, other] = [testAccount('0').address, testAccount('1').address];
  const nested = (depth: number): Any => {
    let message = sendMessage(me, other, '1uopen');
    for (let i = 0; i < depth; i++) message = anyOf(MsgExec, { grantee: me, msgs: [message] });
    return message;
  };
  const many = (count: number): Any =>
    anyOf(MsgExec, {
      grantee: me,
      msgs: Array.from({ length: count }, () => sendMessage(me, other, '1uopen')),
    });
  const unknown = { typeUrl: '/x.Y', value: new Uint8Array(0) };
  const cases: readonly [string, Any, string, number, string][] = [
    [
      'oneself',
      grantMessage(me, me.toUpperCase(), generic(SEND)),
      'authz',
      7,
      'grantee and granter should be different',
    ],
    [
      'another chain',
      grantMessage(me, 'cosmos1qqqsyqcyq5rqwzqfpg9scrgwpugpzysnrujsuw', generic(SEND)),
      'sdk',
      7,
      'invalid grantee address: decoding bech32 failed',
    ],
    [
      'no authorization',
      anyOf(MsgGrant, MsgGrant.create({ granter: me, grantee: other })),
      'sdk',
      29,
      'authorization is nil: invalid type',
    ],
    ['an unknown type', grantMessage(me, other, unknown), 'sdk', 2, 'unable to resolve type URL /x.Y'],
    [
      'a message as authorization',
      grantMessage(me, other, sendMessage(me, other, '1uopen')),
      'sdk',
      2,
      'against interface cosmos.authz.v1beta1.Authorization',
    ],
    [
      'an unknown message',
      grantMessage(me, other, generic('/x.Y')),
      'sdk',
      29,
      "/x.Y doesn't exist.: invalid type",
    ],
    ['no message', grantMessage(me, other, generic('')), 'sdk', 29, 'msg type cannot be empty'],
    [
      'no limit',
      grantMessage(me, other, anyOf(SendAuthorization, { spendLimit: [], allowList: [] })),
      'sdk',
      10,
      'spend limit cannot be nil',
    ],
    ['a negative limit', grantMessage(me, other, sendLimit(-1)), 'sdk', 10, 'spend limit must be positive'],
    ['an address twice', grantMessage(me, other, sendLimit(1, [me, me])), 'bank', 8, 'duplicate entry'],
    [
      'a revocation of nothing',
      anyOf(MsgRevoke, { granter: me, grantee: other, msgTypeUrl: '' }),
      'sdk',
      18,
      'missing msg method name',
    ],
    ['no messages', many(0), 'sdk', 18, 'messages cannot be empty'],
    [
      'an unknown message to execute',
      anyOf(MsgExec, { grantee: me, msgs: [unknown] }),
      'sdk',
      2,
      'unable to resolve type URL /x.Y',
    ],
    [
      'an authorization to execute',
      anyOf(MsgExec, { grantee: me, msgs: [generic(SEND)] }),
      'sdk',
      2,
      'against interface cosmos.base.v1beta1.Msg',
    ],
    ['a hundred messages', many(100), 'sdk', 2, 'call limit exceeded: tx parse error'],
    ['executions too deep', nested(ANY_DEPTH_MAX), 'sdk', 2, 'max depth exceeded: tx parse error'],
  ];

  it.each(cases)('%s', (_, message, codespace, code, log) => {
    const chain = new TestChain();
    chain.block();
    const tx = chain.sign(chain.account(0), [message]);
    expect(chain.check(tx)).toMatchObject({ codespace, code, log: expect.stringContaining(log) });
  });

  it('but executions as deep as they may be are executed', () => {
    const chain = new TestChain();
    const gas = 20_000_000n;
    expect(chain.deliver(chain.sign(chain.account(0), [nested(ANY_DEPTH_MAX - 1)], { gas })).log).toBe('');
    expect(chain.deliver(chain.sign(chain.account(0), [many(99)], { gas })).log).toBe('');
  });

  it('no changed bytes of an execution do anything but what its signer may, or panic', () => {
    const chain = new TestChain();
    grant(chain, sendLimit(1000));
    const [a, b] = [chain.account(0), chain.account(1)];
    const message = anyOf(MsgExec, {
      grantee: b.address,
      msgs: [sendMessage(a.address, b.address, '1uopen'), sendMessage(b.address, a.address, '1uopen')],
    });
    const start = chain.balance(a.address);
    const keep = 2 + b.address.length;
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 }), (edits) => {
        const value = message.value.slice();
        for (const [at, byte] of edits) value[keep + (at % (value.length - keep))] = byte;
        const { code } = chain.deliver(chain.sign(b, [{ ...message, value }]));
        expect(code).not.toBe(sdkErrors.panic.code);
      }),
      { numRuns: 150, endOnFailure: true },
    );
    expect(start - chain.balance(a.address)).toBeLessThanOrEqual(1000n);
    expect(chain.app.brokenInvariants()).toEqual([]);
  });
});

describe('genesis', () => {
  it('gives back what was exported, but for what has expired', () => {
    const chain = new TestChain();
    grant(chain, sendLimit(5), START + 900n);
    grant(chain, generic(MsgMultiSend.typeUrl));
    const { authz } = chain.app.exportState().appState;
    expect(authz).toMatchObject({
      authorization: [
        {
          authorization: { '@type': GenericAuthorization.typeUrl, msg: MsgMultiSend.typeUrl },
          expiration: null,
        },
        { granter: chain.account(0).address, expiration: '2023-11-14T22:28:20Z' },
      ],
    });
    const again = new TestChain({ genesis: { sections: { authz: authz ?? null } } });
    again.block();
    expect(again.app.exportState().appState['authz']).toEqual(authz);
    expect(again.app.brokenInvariants()).toEqual([]);
    const genesisTime = { seconds: START + 900n, nanos: 0 };
    const later = new TestChain({ genesis: { genesisTime, sections: { authz: authz ?? null } } });
    later.block();
    expect(grants(later).grants).toHaveLength(1);
  });

  it('names what is wrong by its path', () => {
    const entry = { granter: testAccount('0').address, grantee: testAccount('1').address };
    const authorization = { '@type': GenericAuthorization.typeUrl, msg: SEND };
    const start = (...entries: readonly object[]): TestChain =>
      new TestChain({
        genesis: { sections: { authz: { authorization: entries.map((more) => ({ ...entry, ...more })) } } },
      });
    const path = 'app_state.authz.authorization';
    expect(() => start({})).toThrow(`${path}[0].authorization: authorization is nil`);
    expect(() => start({ authorization }, { authorization })).toThrow(
      `${path}[1]: is a second authorization`,
    );
    expect(() => start({ authorization, granter: entry.grantee })).toThrow(`${path}[0]: granter and grantee`);
    expect(() => start({ authorization: { ...authorization, '@type': SEND } })).toThrow(
      `${path}[0].authorization.@type: ${SEND} is no type`,
    );
  });
});

it('whatever is given, changed and taken back in whatever order, the queue names what expires', () => {
  const urls = [SEND, MsgMultiSend.typeUrl, MsgExec.typeUrl];
  fc.assert(
    fc.property(
      fc.array(fc.record({ url: fc.constantFrom(...urls), what: fc.nat(9) }), {
        minLength: 5,
        maxLength: 25,
      }),
      (steps) => {
        const chain = new TestChain();
        for (const { url, what } of steps) {
          if (what === 0) revoke(chain, url);
          else if (what === 1) grant(chain, generic(url));
          else grant(chain, generic(url), START + chain.height + BigInt(what));
          expect(chain.app.brokenInvariants()).toEqual([]);
        }
      },
    ),
    { numRuns: 15 },
  );
});
