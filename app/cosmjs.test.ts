/** Stock CosmJS against the application: what it signs is accepted, what it asks is answered in its types. */
import { makeSignDoc as makeAminoSignDoc, Secp256k1HdWallet } from '@cosmjs/amino';
import { DirectSecp256k1HdWallet, makeAuthInfoBytes, makeSignDoc, Registry } from '@cosmjs/proto-signing';
import {
  AminoTypes,
  accountFromAny,
  calculateFee,
  createDefaultAminoConverters,
  defaultRegistryTypes,
  GasPrice,
} from '@cosmjs/stargate';
import { SignMode } from 'cosmjs-types/cosmos/tx/signing/v1beta1/signing';
import { PubKey } from 'cosmjs-types/cosmos/crypto/secp256k1/keys';
import { TxRaw } from 'cosmjs-types/cosmos/tx/v1beta1/tx';
import { QueryClientImpl as AuthQuery } from 'cosmjs-types/cosmos/auth/v1beta1/query';
import { QueryClientImpl as BankQuery } from 'cosmjs-types/cosmos/bank/v1beta1/query';
import { describe, expect, it } from 'vitest';
import { secp256k1PublicKey } from '../framework/tx/public-key.ts';
import { sendMessage, TestChain } from '../test/support/test-chain.ts';

const MNEMONIC =
  'abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about';

/** The transport of the query clients that CosmJS generates. */
function rpcOf(chain: TestChain): {
  request(service: string, method: string, data: Uint8Array): Promise<Uint8Array>;
} {
  return {
    request: (service, method, data) => {
      const answer = chain.rawQuery(`/${service}/${method}`, data);
      return answer.code === 0 ? Promise.resolve(answer.value) : Promise.reject(new RangeError(answer.log));
    },
  };
}

describe('CosmJS', () => {
  it('signs a transfer that is executed, and reads account and balances back', async () => {
    const wallet = await DirectSecp256k1HdWallet.fromMnemonic(MNEMONIC, { prefix: 'open' });
    const [signer] = await wallet.getAccounts();
    if (signer === undefined) throw new RangeError('the wallet is empty');
    const chain = new TestChain();
    chain.deliver(chain.send(chain.account(0), signer.address, '1000000uopen'));

    const auth = new AuthQuery(rpcOf(chain));
    const { account } = await auth.Account({ address: signer.address });
    if (account === undefined) throw new RangeError('there is no account');
    const { accountNumber, sequence } = accountFromAny(account);
    expect(sequence).toBe(0);

    const registry = new Registry(defaultRegistryTypes);
    const value = {
      fromAddress: signer.address,
      toAddress: chain.account(1).address,
      amount: [{ denom: 'uopen', amount: '77' }],
    };
    const bodyBytes = registry.encodeTxBody({
      messages: [{ typeUrl: '/cosmos.bank.v1beta1.MsgSend', value }],
      memo: 'from CosmJS',
    });
    const fee = calculateFee(100_000, GasPrice.fromString('0.025uopen'));
    const pubkey = {
      typeUrl: '/cosmos.crypto.secp256k1.PubKey',
      value: PubKey.encode({ key: signer.pubkey }).finish(),
    };
    const authInfoBytes = makeAuthInfoBytes(
      [{ pubkey, sequence }],
      fee.amount,
      Number(fee.gas),
      undefined,
      undefined,
      SignMode.SIGN_MODE_DIRECT,
    );
    const { signed, signature } = await wallet.signDirect(
      signer.address,
      makeSignDoc(bodyBytes, authInfoBytes, chain.chainId, accountNumber),
    );
    const tx = TxRaw.encode({
      bodyBytes: signed.bodyBytes,
      authInfoBytes: signed.authInfoBytes,
      signatures: [Buffer.from(signature.signature, 'base64')],
    }).finish();

    expect(chain.check(tx).log).toBe('');
    expect(chain.deliver(tx)).toMatchObject({ code: 0, log: '' });
    const bank = new BankQuery(rpcOf(chain));
    const { balances } = await bank.AllBalances({ address: signer.address, resolveDenom: false });
    expect(balances).toEqual([{ denom: 'uopen', amount: String(1_000_000 - 77 - 2500) }]);
    const after = await auth.Account({ address: signer.address });
    if (after.account === undefined) throw new RangeError('there is no account');
    expect(accountFromAny(after.account)).toMatchObject({
      sequence: 1,
      pubkey: { type: 'tendermint/PubKeySecp256k1' },
    });
  });

  it('signs amino JSON that is executed, with everything that JSON can show', async () => {
    const wallet = await Secp256k1HdWallet.fromMnemonic(MNEMONIC, { prefix: 'open' });
    const [signer] = await wallet.getAccounts();
    if (signer === undefined) throw new RangeError('the wallet is empty');
    const chain = new TestChain();
    chain.deliver(chain.send(chain.account(0), signer.address, '1000000uopen'));
    const account = chain.app.composition.auth.find(
      chain.app.contextAt(1n),
      secp256k1PublicKey(signer.pubkey).address,
    );
    if (account === undefined) throw new RangeError('there is no account');
    const send = {
      typeUrl: '/cosmos.bank.v1beta1.MsgSend',
      value: {
        fromAddress: signer.address,
        toAddress: chain.account(1).address,
        amount: [{ denom: 'uopen', amount: '77' }],
      },
    };
    const memo = 'quotes " and <tags> & ünïcode';
    const fee = { amount: [{ denom: 'uopen', amount: '2500' }], gas: '100000', payer: signer.address };
    const message = new AminoTypes(createDefaultAminoConverters()).toAmino(send);
    const document = makeAminoSignDoc([message], fee, chain.chainId, memo, account.accountNumber, 0, 99n);
    const { signature } = await wallet.signAmino(signer.address, document);
    const registry = new Registry(defaultRegistryTypes);
    const bodyBytes = registry.encodeTxBody({ messages: [send], memo, timeoutHeight: 99n });
    const pubkey = {
      typeUrl: '/cosmos.crypto.secp256k1.PubKey',
      value: PubKey.encode({ key: signer.pubkey }).finish(),
    };
    const mode = SignMode.SIGN_MODE_LEGACY_AMINO_JSON;
    const authInfoBytes = makeAuthInfoBytes(
      [{ pubkey, sequence: 0 }],
      fee.amount,
      100_000,
      undefined,
      fee.payer,
      mode,
    );
    const signatures = [Buffer.from(signature.signature, 'base64')];
    const tx = TxRaw.encode({ bodyBytes, authInfoBytes, signatures }).finish();
    expect(chain.check(tx).log).toBe('');
    expect(chain.deliver(tx)).toMatchObject({ code: 0, log: '' });

    const other = registry.encodeTxBody({ messages: [send], memo: 'another memo', timeoutHeight: 99n });
    const forged = TxRaw.encode({ bodyBytes: other, authInfoBytes, signatures }).finish();
    expect(chain.check(forged).code).toBe(32);
    const fresh = new TestChain();
    fresh.deliver(fresh.send(fresh.account(0), signer.address, '1000000uopen'));
    expect(fresh.check(forged).log).toBe(
      'signature verification failed; please verify account number ' +
        `(${account.accountNumber}), sequence (0) and chain-id (test-chain-1): unauthorized`,
    );
  });

  it('derives the same addresses from keys', async () => {
    const wallet = await DirectSecp256k1HdWallet.fromMnemonic(MNEMONIC, { prefix: 'open' });
    const [signer] = await wallet.getAccounts();
    if (signer === undefined) throw new RangeError('the wallet is empty');
    const { addresses } = new TestChain().app.composition;
    expect(addresses.toText(secp256k1PublicKey(signer.pubkey).address)).toBe(signer.address);
  });

  it('reads module accounts', async () => {
    const chain = new TestChain();
    chain.block();
    const { account } = await new AuthQuery(rpcOf(chain)).ModuleAccountByName({ name: 'fee_collector' });
    if (account === undefined) throw new RangeError('there is no account');
    const { address } = accountFromAny(account);
    const refused = chain.deliver(
      chain.sign(chain.account(0), [sendMessage(chain.account(0).address, address, '1uopen')]),
    );
    expect(refused.code).toBe(4);
  });
});
