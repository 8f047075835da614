import { describe, expect, it } from 'vitest';
import { utf8 } from '../../core/bytes.ts';
import { moduleAddress } from '../../framework/address.ts';
import { microDenomMetadata } from '../../genesis/build.ts';
import * as wire from '../../proto/gen/cosmos/bank/v1beta1/query.ts';
import { memoryContext } from '../../framework/testing/memory.ts';
import { TestChain, testAccount } from '../../test/support/test-chain.ts';
import { composeModules } from '../../app/modules.ts';

const QUERY = '/cosmos.bank.v1beta1.Query';

function chainOfTwoCoins(): TestChain {
  const genesis = { denomMetadata: [microDenomMetadata('uopen')] };
  const chain = new TestChain({ coins: '1000000uopen,50uusd', genesis });
  chain.block();
  return chain;
}

describe('bank queries', () => {
  it('tell one balance, all balances and what may be spent', () => {
    const chain = chainOfTwoCoins();
    const { address } = chain.account(0);
    const both = [
      { denom: 'uopen', amount: '1000000' },
      { denom: 'uusd', amount: '50' },
    ];
    const balance = { request: wire.QueryBalanceRequest, response: wire.QueryBalanceResponse };
    expect(chain.query(`${QUERY}/Balance`, balance, { address, denom: 'uusd' }).balance).toEqual(both[1]);
    expect(chain.query(`${QUERY}/Balance`, balance, { address, denom: 'unone' }).balance?.amount).toBe('0');
    const all = { request: wire.QueryAllBalancesRequest, response: wire.QueryAllBalancesResponse };
    expect(chain.query(`${QUERY}/AllBalances`, all, { address })).toEqual({
      balances: both,
      pagination: { nextKey: new Uint8Array(0), total: 2n },
    });
    const resolved = chain.query(`${QUERY}/AllBalances`, all, { address, resolveDenom: true });
    expect(resolved.balances.map(({ denom }) => denom)).toEqual(['open', 'uusd']);
    const nobody = testAccount('nobody').address;
    expect(chain.query(`${QUERY}/AllBalances`, all, { address: nobody }).balances).toEqual([]);
    const spendable = {
      request: wire.QuerySpendableBalancesRequest,
      response: wire.QuerySpendableBalancesResponse,
    };
    expect(chain.query(`${QUERY}/SpendableBalances`, spendable, { address }).balances).toEqual(both);
    const one = {
      request: wire.QuerySpendableBalanceByDenomRequest,
      response: wire.QuerySpendableBalanceByDenomResponse,
    };
    expect(chain.query(`${QUERY}/SpendableBalanceByDenom`, one, { address, denom: 'uusd' }).balance).toEqual(
      both[1],
    );
  });

  it('tell the supply, parameters, metadata and holders', () => {
    const chain = chainOfTwoCoins();
    const total = { request: wire.QueryTotalSupplyRequest, response: wire.QueryTotalSupplyResponse };
    expect(chain.query(`${QUERY}/TotalSupply`, total, {}).supply).toEqual([
      { denom: 'uopen', amount: '3000000' },
      { denom: 'uusd', amount: '150' },
    ]);
    const of = { request: wire.QuerySupplyOfRequest, response: wire.QuerySupplyOfResponse };
    expect(chain.query(`${QUERY}/SupplyOf`, of, { denom: 'uusd' }).amount.amount).toBe('150');
    const params = { request: wire.QueryParamsRequest, response: wire.QueryParamsResponse };
    expect(chain.query(`${QUERY}/Params`, params, {}).params.defaultSendEnabled).toBe(true);
    const metadata = { request: wire.QueryDenomMetadataRequest, response: wire.QueryDenomMetadataResponse };
    expect(chain.query(`${QUERY}/DenomMetadata`, metadata, { denom: 'uopen' }).metadata.symbol).toBe('OPEN');
    const list = { request: wire.QueryDenomsMetadataRequest, response: wire.QueryDenomsMetadataResponse };
    expect(chain.query(`${QUERY}/DenomsMetadata`, list, {}).metadatas).toHaveLength(1);
    const owners = { request: wire.QueryDenomOwnersRequest, response: wire.QueryDenomOwnersResponse };
    const { denomOwners } = chain.query(`${QUERY}/DenomOwners`, owners, { denom: 'uusd' });
    expect(denomOwners.map(({ balance }) => balance.amount)).toEqual(['50', '50', '50']);
    const enabled = { request: wire.QuerySendEnabledRequest, response: wire.QuerySendEnabledResponse };
    expect(chain.query(`${QUERY}/SendEnabled`, enabled, {}).sendEnabled).toEqual([]);
  });

  it('refuse bad addresses and denominations and say what is not there', () => {
    const chain = chainOfTwoCoins();
    const balance = (address: string, denom: string): object =>
      chain.rawQuery(`${QUERY}/Balance`, wire.QueryBalanceRequest.encode({ address, denom }));
    expect(balance('cosmos1xyz', 'uopen')).toMatchObject({ code: 18, codespace: 'sdk', height: 1n });
    expect(balance(chain.account(0).address, '!')).toMatchObject({
      code: 18,
      log: 'rpc error: code = InvalidArgument desc = invalid denom: !: invalid request',
    });
    const metadata = wire.QueryDenomMetadataRequest.encode({ denom: 'uusd' });
    expect(chain.rawQuery(`${QUERY}/DenomMetadata`, metadata)).toMatchObject({
      code: 22,
      log: 'rpc error: code = NotFound desc = client metadata for denom uusd: key not found',
    });
  });
});

describe('sending', () => {
  it('can be switched off for a denomination', () => {
    const params = { send_enabled: [], default_send_enabled: true };
    const { address } = testAccount('0');
    const coins = [
      { denom: 'uopen', amount: '1000000' },
      { denom: 'uusd', amount: '50' },
    ];
    const switched = [{ denom: 'uusd', enabled: false }];
    const bank = {
      params,
      balances: [{ address, coins }],
      supply: [],
      denom_metadata: [],
      send_enabled: switched,
    };
    const chain = new TestChain({ genesis: { sections: { bank } } });
    expect(chain.deliver(chain.send(chain.account(0), chain.account(1).address, '1uusd'))).toMatchObject({
      codespace: 'bank',
      code: 5,
      log: 'failed to execute message; message index: 0: uusd transfers are currently disabled: send transactions are disabled',
    });
    expect(chain.deliver(chain.send(chain.account(0), chain.account(1).address, '1uopen')).code).toBe(0);
  });
});

describe('the keeper', () => {
  const { bank, modules } = composeModules('open');
  const context = () => memoryContext(modules.flatMap(({ storeNames }) => storeNames));
  const alice = testAccount('alice').pubKey.address;
  const coins = [{ denom: 'uopen', amount: 10n }];

  it('moves coins of modules, but not to blocked accounts', () => {
    const c = context();
    bank.receive(c, moduleAddress('gov'), coins);
    expect(() =>
      bank.sendFromModule(c, { module: 'gov', to: moduleAddress('fee_collector'), coins }),
    ).toThrow('is not allowed to receive funds: unauthorized');
    bank.sendBetweenModules(c, { from: 'gov', to: 'fee_collector', coins });
    bank.sendFromModule(c, { module: 'fee_collector', to: alice, coins });
    expect(bank.balances(c, alice)).toEqual(coins);
    expect(() => bank.sendToModule(c, { from: alice, module: 'nowhere', coins })).toThrow('is not declared');
  });

  it('burns only with permission, and the supply follows', () => {
    const c = context();
    expect(() => bank.mint(c, { module: 'gov', coins })).toThrow('has no permission minter');
    expect(() => bank.burn(c, { module: 'fee_collector', coins })).toThrow('has no permission burner');
    expect(() => bank.burn(c, { module: 'gov', coins })).toThrow('insufficient funds');
    expect(c.events.map(({ type }) => type)).toEqual([]);
  });

  it('refuses coins that are not valid', () => {
    const bad = [{ denom: 'uopen', amount: 0n }];
    expect(() => bank.send(context(), { from: alice, to: moduleAddress('gov'), coins: bad })).toThrow(
      '0uopen: invalid coins',
    );
  });

  it('keeps state where the SDK keeps it', () => {
    const c = context();
    bank.receive(c, Uint8Array.of(9, 9), coins);
    const keys = [...c.store('bank').iterate({})].map(([key, value]) => [...key, -1, ...value]);
    expect(keys).toEqual([
      [2, 2, 9, 9, ...utf8('uopen'), -1, ...utf8('10')],
      [3, ...utf8('uopen'), 0, 2, 9, 9, -1],
    ]);
  });
});
