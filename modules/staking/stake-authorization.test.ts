import { describe, expect, it } from 'vitest';
import { MsgExec, MsgGrant } from '../../proto/gen/cosmos/authz/v1beta1/tx.ts';
import { QueryGrantsRequest, QueryGrantsResponse } from '../../proto/gen/cosmos/authz/v1beta1/query.ts';
import { AuthorizationType, StakeAuthorization } from '../../proto/gen/cosmos/staking/v1beta1/authz.ts';
import { MsgBeginRedelegate, MsgDelegate, MsgUndelegate } from '../../proto/gen/cosmos/staking/v1beta1/tx.ts';
import type { Any } from '../../proto/gen/google/protobuf/any.ts';
import type { ExecTxResult } from '../../proto/gen/tendermint/abci/types.ts';
import { operatorText, stakingSections } from '../../test/support/staking-world.ts';
import { anyOf, TestChain, testAccount } from '../../test/support/test-chain.ts';

const [owner, agent] = [testAccount('2'), testAccount('3')];
const [first, second] = [operatorText(testAccount('0')), operatorText(testAccount('1'))];
const coin = (amount: number): { denom: string; amount: string } => ({ denom: 'uopen', amount: `${amount}` });

/** A chain of two validators, operated by accounts 0 and 1. */
function stakingChain(): TestChain {
  const accounts = Array.from({ length: 4 }, (_, i) => testAccount(`${i}`));
  const sections = stakingSections({ accounts, validators: [10_000_000n, 20_000_000n] });
  const chain = new TestChain({ accounts: 4, genesis: { validators: [], sections } });
  chain.block();
  return chain;
}

function grant(chain: TestChain, authorization: Partial<StakeAuthorization>): ExecTxResult {
  const held = anyOf(StakeAuthorization, StakeAuthorization.create(authorization));
  const given = { authorization: held, expiration: undefined };
  const message = anyOf(MsgGrant, { granter: owner.address, grantee: agent.address, grant: given });
  return chain.deliver(chain.sign(owner, [message]));
}

function exec(chain: TestChain, message: Any): ExecTxResult {
  const msgs = [message];
  const gas = 500_000n;
  return chain.deliver(chain.sign(agent, [anyOf(MsgExec, { grantee: agent.address, msgs })], { gas }));
}

const delegate = (validatorAddress: string, amount: number): Any =>
  anyOf(MsgDelegate, { delegatorAddress: owner.address, validatorAddress, amount: coin(amount) });

function left(chain: TestChain): readonly StakeAuthorization[] {
  const types = { request: QueryGrantsRequest, response: QueryGrantsResponse };
  const pair = { granter: owner.address, grantee: agent.address };
  const { grants } = chain.query('/cosmos.authz.v1beta1.Query/Grants', types, pair);
  return grants.flatMap(({ authorization }) =>
    authorization === undefined ? [] : [StakeAuthorization.decode(authorization.value)],
  );
}

describe('an authorization to stake', () => {
  const authorizationType = AuthorizationType.AUTHORIZATION_TYPE_DELEGATE;

  it('lasts until its limit is used up, for the validators that it allows', () => {
    const chain = stakingChain();
    const allowList = { address: [first] };
    expect(grant(chain, { maxTokens: coin(100), allowList, authorizationType }).log).toBe('');
    expect(exec(chain, delegate(second, 10))).toMatchObject({
      codespace: 'sdk',
      code: 4,
      log: expect.stringContaining(`cannot delegate/undelegate to ${second} validator: unauthorized`),
    });
    expect(exec(chain, delegate(first, 60)).log).toBe('');
    expect(left(chain)).toEqual([{ maxTokens: coin(40), allowList, denyList: undefined, authorizationType }]);
    expect(exec(chain, delegate(first, 41)).log).toContain('negative coin amount');
    expect(exec(chain, delegate(first, 40)).log).toBe('');
    expect(left(chain)).toEqual([]);
    expect(chain.app.brokenInvariants()).toEqual([]);
  });

  it('without a limit stays, but not for those that it denies, nor for another message', () => {
    const chain = stakingChain();
    const denyList = { address: [second] };
    grant(chain, { denyList, authorizationType });
    expect(exec(chain, delegate(second, 10)).code).toBe(4);
    expect(exec(chain, delegate(first, 10)).log).toBe('');
    const undelegate = { delegatorAddress: owner.address, validatorAddress: first, amount: coin(10) };
    expect(exec(chain, anyOf(MsgUndelegate, undelegate))).toMatchObject({ codespace: 'authz', code: 2 });
    expect(left(chain)).toHaveLength(1);
  });

  it('of redelegations is about the validator that stake moves to, not the one that it leaves', () => {
    const chain = stakingChain();
    const redelegate = AuthorizationType.AUTHORIZATION_TYPE_REDELEGATE;
    chain.deliver(chain.sign(owner, [delegate(first, 100)], { gas: 500_000n }));
    expect(grant(chain, { allowList: { address: [second] }, authorizationType: redelegate }).log).toBe('');
    const move = (validatorSrcAddress: string, validatorDstAddress: string): Any => {
      const path = { validatorSrcAddress, validatorDstAddress };
      return anyOf(MsgBeginRedelegate, { delegatorAddress: owner.address, ...path, amount: coin(10) });
    };
    expect(exec(chain, move(first, second)).log).toBe('');
    expect(exec(chain, move(second, first)).log).toContain(
      `cannot delegate/undelegate to ${first} validator`,
    );
  });

  it('has a type and no negative limit', () => {
    const chain = stakingChain();
    expect(grant(chain, {})).toMatchObject({ codespace: 'authz', code: 4 });
    expect(grant(chain, { authorizationType: 9 })).toMatchObject({ codespace: 'authz', code: 4 });
    expect(grant(chain, { maxTokens: coin(-1), authorizationType })).toMatchObject({
      codespace: 'authz',
      code: 12,
    });
  });
});
