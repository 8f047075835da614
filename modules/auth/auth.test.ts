import { describe, expect, it } from 'vitest';
import { toBase64 } from '../../core/bytes.ts';
import { parseJson } from '../../framework/json.ts';
import { BaseAccount, ModuleAccount } from '../../proto/gen/cosmos/auth/v1beta1/auth.ts';
import * as wire from '../../proto/gen/cosmos/auth/v1beta1/query.ts';
import { anyOf, TestChain, testAccount } from '../../test/support/test-chain.ts';
import { MsgUpdateParams } from '../../proto/gen/cosmos/auth/v1beta1/tx.ts';
import { DEFAULT_PARAMS, PARAM_MAX } from './params.ts';

const QUERY = '/cosmos.auth.v1beta1.Query';
const account = { request: wire.QueryAccountRequest, response: wire.QueryAccountResponse };

function started(): TestChain {
  const chain = new TestChain();
  chain.block();
  return chain;
}

describe('auth queries', () => {
  it('tell an account, with its key once it has signed', () => {
    const chain = started();
    const alice = chain.account(0);
    const ask = (): BaseAccount =>
      BaseAccount.decode(
        chain.query(`${QUERY}/Account`, account, { address: alice.address }).account?.value ??
          new Uint8Array(0),
      );
    expect(ask()).toEqual({ address: alice.address, pubKey: undefined, accountNumber: 0n, sequence: 0n });
    chain.deliver(chain.send(alice, chain.account(1).address, '1uopen'));
    expect(ask()).toMatchObject({ pubKey: alice.pubKey.any, sequence: 1n });
    const info = { request: wire.QueryAccountInfoRequest, response: wire.QueryAccountInfoResponse };
    expect(chain.query(`${QUERY}/AccountInfo`, info, { address: alice.address }).info).toEqual(ask());
  });

  it('say which account is not found', () => {
    const chain = started();
    const { address } = testAccount('nobody');
    expect(chain.rawQuery(`${QUERY}/Account`, wire.QueryAccountRequest.encode({ address }))).toMatchObject({
      code: 22,
      codespace: 'sdk',
      log: `rpc error: code = NotFound desc = account ${address} not found: key not found`,
    });
    expect(chain.rawQuery(`${QUERY}/Account`, wire.QueryAccountRequest.encode({ address: '' })).code).toBe(
      18,
    );
    expect(chain.rawQuery(`${QUERY}/Account`, wire.QueryAccountRequest.encode({ address: 'x' })).code).toBe(
      18,
    );
  });

  it('list accounts, by number too, and those of modules', () => {
    const chain = started();
    const { composition } = chain.app;
    const accounts = { request: wire.QueryAccountsRequest, response: wire.QueryAccountsResponse };
    const modules = composition.auth.moduleAccounts.size;
    expect(chain.query(`${QUERY}/Accounts`, accounts, {}).accounts).toHaveLength(3 + modules);
    const byId = {
      request: wire.QueryAccountAddressByIDRequest,
      response: wire.QueryAccountAddressByIDResponse,
    };
    expect(chain.query(`${QUERY}/AccountAddressByID`, byId, { accountId: 1n }).accountAddress).toBe(
      chain.account(1).address,
    );
    expect(() => chain.query(`${QUERY}/AccountAddressByID`, byId, { accountId: 999n })).toThrow('NotFound');
    const all = { request: wire.QueryModuleAccountsRequest, response: wire.QueryModuleAccountsResponse };
    expect(chain.query(`${QUERY}/ModuleAccounts`, all, {}).accounts).toHaveLength(modules);
    const named = {
      request: wire.QueryModuleAccountByNameRequest,
      response: wire.QueryModuleAccountByNameResponse,
    };
    const gov = chain.query(`${QUERY}/ModuleAccountByName`, named, { name: 'gov' }).account;
    expect(gov?.typeUrl).toBe(ModuleAccount.typeUrl);
    expect(ModuleAccount.decode(gov?.value ?? new Uint8Array(0))).toMatchObject({
      name: 'gov',
      permissions: ['burner'],
    });
    expect(() => chain.query(`${QUERY}/ModuleAccountByName`, named, { name: 'nope' })).toThrow(
      'account nope not found',
    );
  });

  it('tell parameters and the prefix, and translate addresses', () => {
    const chain = new TestChain({ prefix: 'cosmos' });
    chain.block();
    const params = { request: wire.QueryParamsRequest, response: wire.QueryParamsResponse };
    expect(chain.query(`${QUERY}/Params`, params, {}).params).toEqual(DEFAULT_PARAMS);
    const prefix = { request: wire.Bech32PrefixRequest, response: wire.Bech32PrefixResponse };
    expect(chain.query(`${QUERY}/Bech32Prefix`, prefix, {}).bech32Prefix).toBe('cosmos');
    const toText = { request: wire.AddressBytesToStringRequest, response: wire.AddressBytesToStringResponse };
    const toBytes = {
      request: wire.AddressStringToBytesRequest,
      response: wire.AddressStringToBytesResponse,
    };
    const addressBytes = chain.account(0).pubKey.address;
    const { addressString } = chain.query(`${QUERY}/AddressBytesToString`, toText, { addressBytes });
    expect(addressString).toBe(chain.account(0).address);
    expect(chain.query(`${QUERY}/AddressStringToBytes`, toBytes, { addressString }).addressBytes).toEqual(
      Uint8Array.from(addressBytes),
    );
    expect(() => chain.query(`${QUERY}/AddressBytesToString`, toText, {})).toThrow('empty address bytes');
    expect(() => chain.query(`${QUERY}/AddressStringToBytes`, toBytes, { addressString: ' ' })).toThrow(
      'empty address',
    );
  });
});

describe('auth parameters', () => {
  it('are changed by the governance account only', () => {
    const chain = started();
    const alice = chain.account(0);
    const update = anyOf(MsgUpdateParams, { authority: alice.address, params: DEFAULT_PARAMS });
    expect(chain.deliver(chain.sign(alice, [update]))).toMatchObject({ codespace: 'gov', code: 13 });
    const zero = anyOf(MsgUpdateParams, {
      authority: alice.address,
      params: { ...DEFAULT_PARAMS, txSigLimit: 0n },
    });
    expect(chain.deliver(chain.sign(alice, [zero])).log).toContain('auth parameter txSigLimit is 0');
    const huge = anyOf(MsgUpdateParams, {
      authority: alice.address,
      params: { ...DEFAULT_PARAMS, txSizeCostPerByte: 10_000_001n },
    });
    expect(chain.deliver(chain.sign(alice, [huge])).log).toContain(
      'auth parameter txSizeCostPerByte is 10000001; it must be from 1 to 10000000',
    );
  });

  it('at their largest charge the largest transaction less than 2^53 gas', () => {
    const bytes = 2n ** 27n;
    const signers = bytes / 40n; // each needs an address of its own in the messages
    const { txSizeCostPerByte, sigVerifyCostSecp256k1 } = PARAM_MAX;
    const gas = bytes * txSizeCostPerByte + signers * sigVerifyCostSecp256k1;
    expect(gas).toBeLessThan(BigInt(Number.MAX_SAFE_INTEGER));
  });
});

describe('genesis accounts', () => {
  const base = (name: string, number: string): object => ({
    '@type': '/cosmos.auth.v1beta1.BaseAccount',
    address: testAccount(name).address,
    pub_key: null,
    account_number: number,
    sequence: '0',
  });
  const params = {
    max_memo_characters: '256',
    tx_sig_limit: '7',
    tx_size_cost_per_byte: '10',
    sig_verify_cost_ed25519: '590',
    sig_verify_cost_secp256k1: '1000',
  };
  const start = (accounts: readonly object[], change: object = {}): TestChain => {
    const auth = parseJson(JSON.stringify({ params: { ...params, ...change }, accounts }));
    const chain = new TestChain({ genesis: { sections: { auth } } });
    chain.block();
    return chain;
  };

  it('that share a number get the lowest free ones in order', () => {
    const chain = start([base('a', '0'), base('b', '0'), base('c', '5'), base('d', '0')]);
    expect(['a', 'b', 'c', 'd'].map((name) => chain.accountNumber(testAccount(name)))).toEqual([
      0n,
      1n,
      5n,
      2n,
    ]);
  });

  it('may have keys and sequences', () => {
    const a = testAccount('a');
    const key = { '@type': '/cosmos.crypto.secp256k1.PubKey', key: toBase64(a.pubKey.bytes) };
    const chain = start([{ ...base('a', '3'), pub_key: key, sequence: '9' }]);
    expect([chain.accountNumber(a), chain.sequence(a)]).toEqual([3n, 9n]);
  });

  it.each<[string, readonly object[], object, string]>([
    ['listed twice', [base('a', '0'), base('a', '1')], {}, 'app_state.auth.accounts[1]: account open1'],
    [
      'of unknown type',
      [{ ...base('a', '0'), '@type': '/x' }],
      {},
      'app_state.auth.accounts[0].@type: /x accounts',
    ],
    [
      'without address',
      [{ ...base('a', '0'), address: '' }],
      {},
      'app_state.auth.accounts[0].address: empty address',
    ],
    [
      'with a key that is none',
      [{ ...base('a', '0'), pub_key: { '@type': '/cosmos.crypto.secp256k1.PubKey', key: 'AAAA' } }],
      {},
      'app_state.auth.accounts[0].pub_key: length of secp256k1 public key is incorrect',
    ],
    ['without limits', [], { tx_sig_limit: '0' }, 'app_state.auth.params: auth parameter txSigLimit is 0'],
    [
      'with prices that make gas overflow',
      [],
      { sig_verify_cost_secp256k1: '18446744073709551615' },
      'app_state.auth.params: auth parameter sigVerifyCostSecp256k1 is 18446744073709551615; it must be from 1 to',
    ],
    [
      'with a limit that is no number',
      [],
      { tx_sig_limit: 'x' },
      'app_state.auth.params.tx_sig_limit: is not an integer',
    ],
  ])('are refused when %s', (_, accounts, change, message) => {
    expect(() => start(accounts, change)).toThrow(message);
  });
});
