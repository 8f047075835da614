import { Secp256k1HdWallet } from '@cosmjs/amino';
import { expect, test } from 'vitest';
import { multisigPublicKey } from '../framework/tx/public-key.ts';
import { AddressCodec } from '../framework/address.ts';
import { KeyKind } from '../proto/gen/openledger/payments/v1/authorization.ts';
import { authorizationOf, keyOf, sessionKey } from '../test/support/authorizations.ts';
import { testAccount } from '../test/support/test-chain.ts';
import {
  arbitrarySigner,
  joinSignatures,
  problemOfSignature,
  signStatement,
  signStatementInWallet,
  transferAuthorization,
  transferStatement,
} from './authorizations.ts';

const [alice, bob, carol] = ['alice', 'bob', 'carol'].map((name) => testAccount(name)) as [
  ReturnType<typeof testAccount>,
  ReturnType<typeof testAccount>,
  ReturnType<typeof testAccount>,
];
const prefix = 'open';
const statement = transferStatement(authorizationOf(alice, bob));

test('a payee finds before it serves what the chain would find of a signature', () => {
  const signature = signStatement(statement, keyOf(alice));
  expect(problemOfSignature(statement, signature, { from: alice.address, prefix })).toBeUndefined();
  expect(problemOfSignature(statement, signature, { from: bob.address, prefix })).toBe('other-account');
  const changed = transferStatement(authorizationOf(alice, carol));
  expect(problemOfSignature(changed, signature, { from: alice.address, prefix })).toBe('wrong-signature');
  const session = sessionKey('agent');
  const from = new AddressCodec(prefix).toText(session.pubKey.address);
  const bySession = signStatement(statement, session);
  expect(problemOfSignature(statement, bySession, { from, prefix })).toBeUndefined();
  expect(problemOfSignature(changed, bySession, { from, prefix })).toBe('wrong-signature');
});

test('a wallet signs the text; one with a key of another kind is refused', async () => {
  const wallet = await Secp256k1HdWallet.generate(12, { prefix });
  const [account] = await wallet.getAccounts();
  if (account === undefined) throw new RangeError('no account');
  const who = { chainId: 'x', address: account.address };
  const signature = await signStatementInWallet(statement, arbitrarySigner(wallet), who);
  expect(problemOfSignature(statement, signature, { from: account.address, prefix })).toBeUndefined();
  const odd = {
    signArbitrary: async () => ({ pub_key: { type: 'tendermint/PubKeyEd25519', value: '' }, signature: '' }),
  };
  await expect(signStatementInWallet(statement, odd, who)).rejects.toThrow(
    'key of type tendermint/PubKeyEd25519',
  );
});

test('holders of an account of several keys sign one by one', () => {
  const keys = [alice, bob, carol].map(({ pubKey }) => ({
    kind: KeyKind.KEY_KIND_SECP256K1,
    key: pubKey.bytes,
  }));
  const account = { threshold: 2, keys };
  const pubKey = multisigPublicKey(
    2,
    [alice, bob, carol].map((one) => one.pubKey),
  );
  const from = new AddressCodec(prefix).toText(pubKey.address);
  const parts = [carol, alice].map((one) => signStatement(statement, keyOf(one)));
  const joined = joinSignatures(account, parts);
  expect(joined.keys.map(({ signature }) => signature.length)).toEqual([64, 0, 64]);
  expect(problemOfSignature(statement, joined, { from, prefix })).toBeUndefined();
  const stranger = signStatement(statement, keyOf(testAccount('stranger')));
  expect(() => joinSignatures(account, [stranger])).toThrow('none of the account’s');
  expect(() => joinSignatures(account, [])).toThrow('one form');
  const mixed = parts.map((part, i) => ({ ...part, form: i + 1 }));
  expect(() => joinSignatures(account, mixed)).toThrow('one form');
});

test('every authorisation has a nonce of its own', () => {
  const terms = authorizationOf(alice, bob);
  const [one, two] = [transferAuthorization(terms), transferAuthorization(terms)];
  expect(one.nonce.length).toBe(32);
  expect(one.nonce).not.toEqual(two.nonce);
});
