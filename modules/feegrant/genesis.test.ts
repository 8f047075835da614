import { describe, expect, it } from 'vitest';
import { ELEMENTS_MAX } from '../../framework/limits.ts';
import {
  AllowedMsgAllowance,
  BasicAllowance,
  PeriodicAllowance,
} from '../../proto/gen/cosmos/feegrant/v1beta1/feegrant.ts';
import { MsgGrantAllowance, MsgRevokeAllowance } from '../../proto/gen/cosmos/feegrant/v1beta1/tx.ts';
import type { Any } from '../../proto/gen/google/protobuf/any.ts';
import type { ExecTxResult } from '../../proto/gen/tendermint/abci/types.ts';
import { restoreChain } from '../../test/support/restore.ts';
import { anyOf, TestChain, type TestAccount, testAccount } from '../../test/support/test-chain.ts';

/** Time of block 0 of a test chain. */
const START = 1_700_000_000n;
/** Gas that pays for a message of as many elements as it may have. */
const LONG_GAS = 50_000_000n;

const uopen = (amount: number): readonly { denom: string; amount: string }[] => [
  { denom: 'uopen', amount: String(amount) },
];
const at = (seconds: bigint): { seconds: bigint; nanos: number } => ({ seconds, nanos: 0 });
const basic = (limit: number, expiration?: bigint): Any =>
  anyOf(BasicAllowance, {
    spendLimit: uopen(limit),
    expiration: expiration === undefined ? undefined : at(expiration),
  });

function grant(chain: TestChain, from: TestAccount, to: TestAccount, allowance: Any): ExecTxResult {
  const message = anyOf(MsgGrantAllowance, { granter: from.address, grantee: to.address, allowance });
  return chain.deliver(chain.sign(from, [message], { gas: LONG_GAS }));
}

/** A transfer by the second account, paid by the first. */
function spend(chain: TestChain, fee: string): ExecTxResult {
  const [granter, grantee] = [chain.account(0), chain.account(1)];
  const paid = { fee, gas: LONG_GAS, granter: granter.address };
  return chain.deliver(chain.send(grantee, chain.account(2).address, '1uopen', paid));
}

describe('genesis of feegrant', () => {
  it('gives back what was exported, expired allowances too', () => {
    const chain = new TestChain();
    grant(chain, chain.account(0), chain.account(1), basic(5, START + 900n));
    grant(
      chain,
      chain.account(1),
      chain.account(0),
      anyOf(AllowedMsgAllowance, { allowance: basic(1), allowedMessages: ['/x.Y'] }),
    );
    const { feegrant } = chain.app.exportState().appState;
    expect(feegrant).toMatchObject({
      allowances: expect.arrayContaining([
        {
          granter: chain.account(0).address,
          grantee: chain.account(1).address,
          allowance: {
            '@type': '/cosmos.feegrant.v1beta1.BasicAllowance',
            spend_limit: uopen(5),
            expiration: '2023-11-14T22:28:20Z',
          },
        },
      ]),
    });
    const again = new TestChain({ genesis: { sections: { feegrant: feegrant ?? null } } });
    again.block();
    expect(again.app.exportState().appState['feegrant']).toEqual(feegrant);
    expect(again.app.brokenInvariants()).toEqual([]);
  });

  // The SDK's `ValidateGenesis` refuses its own export here; its `InitGenesis` does not.
  it('gives back an allowance by period of which all of one coin is spent', () => {
    const chain = new TestChain({ coins: '1000000aopen,1000000000uopen' });
    const both = (amount: string): readonly { denom: string; amount: string }[] =>
      ['aopen', 'uopen'].map((denom) => ({ denom, amount }));
    const left = { spendLimit: both('3'), expiration: undefined };
    const periodic = { basic: left, period: at(60n), periodSpendLimit: both('3'), periodCanSpend: both('3') };
    const message = anyOf(PeriodicAllowance, { ...periodic, periodReset: at(START + 60n) });
    expect(grant(chain, chain.account(0), chain.account(1), message).log).toBe('');
    expect(spend(chain, '3aopen').log).toBe('');
    expect(chain.app.brokenInvariants()).toEqual([]);
    const exported = chain.app.exportState().appState['feegrant'];
    expect(exported).toMatchObject({
      allowances: [
        {
          allowance: {
            basic: { spend_limit: uopen(3) },
            period_spend_limit: both('3'),
            period_can_spend: uopen(3),
          },
        },
      ],
    });
    const again = restoreChain(chain);
    expect(again.exportState().appState['feegrant']).toEqual(exported);
    expect(again.brokenInvariants()).toEqual([]);
  });

  // What may be spent in a period is filled up when one begins: it is part of no message.
  it('gives back an allowance that has become longer than a message may be', () => {
    const chain = new TestChain();
    const periodSpendLimit = Array.from({ length: ELEMENTS_MAX - 1 }, (_, i) => ({
      denom: `d${String(i).padStart(5, '0')}`,
      amount: '1',
    }));
    periodSpendLimit.push({ denom: 'uopen', amount: '9' });
    const unlimited = { spendLimit: [], expiration: undefined };
    const periodic = { basic: unlimited, period: at(1n), periodSpendLimit, periodCanSpend: [] };
    const message = anyOf(PeriodicAllowance, { ...periodic, periodReset: at(1n) });
    expect(grant(chain, chain.account(0), chain.account(1), message).log).toBe('');
    expect(spend(chain, '1uopen').log).toBe('');
    const exported = chain.app.exportState().appState['feegrant'];
    expect(restoreChain(chain).exportState().appState['feegrant']).toEqual(exported);
    const revoke = anyOf(MsgRevokeAllowance, {
      granter: chain.account(0).address,
      grantee: chain.account(1).address,
    });
    const revoked = chain.sign(chain.account(0), [revoke], { gas: LONG_GAS });
    expect(chain.deliver(revoked).log).toBe('');
  });

  it('names what is wrong by its path', () => {
    const address = testAccount('0').address;
    const start = (allowance: object): TestChain =>
      new TestChain({
        genesis: {
          sections: {
            feegrant: { allowances: [{ granter: address, grantee: testAccount('1').address, ...allowance }] },
          },
        },
      });
    const path = 'app_state.feegrant.allowances[0]';
    expect(() => start({ allowance: { '@type': '/x.Y' } })).toThrow(
      `${path}.allowance.@type: /x.Y is no type`,
    );
    const type = { '@type': '/cosmos.feegrant.v1beta1.BasicAllowance' };
    expect(() => start({ allowance: { ...type, spend: [] } })).toThrow(
      `${path}.allowance.spend: is not a known field`,
    );
    expect(() => start({ allowance: { ...type, expiration: 'soon' } })).toThrow(
      `${path}.allowance.expiration: not an RFC 3339 time`,
    );
    expect(() => start({ grantee: address, allowance: type })).toThrow(
      `${path}: granter and grantee are the same`,
    );
    expect(() => start({})).toThrow(`${path}.allowance: failed to get allowance`);
  });
});
