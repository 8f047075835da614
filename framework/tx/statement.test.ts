import { serializeSignDoc, Secp256k1Wallet, type StdSignDoc } from '@cosmjs/amino';
import { expect, test } from 'vitest';
import { adr036SignBytes } from '../../core/adr036.ts';
import { fromBase64, fromUtf8, utf8 } from '../../core/bytes.ts';
import { sha256 } from '../../core/hash.ts';
import { ed25519Signer } from '../../node/crypto/ed25519.ts';
import { secp256k1Signer } from '../../node/crypto/secp256k1.ts';
import { plainVerifier } from '../../test/support/test-chain.ts';
import { AddressCodec } from '../address.ts';
import type { ReadContext } from '../context.ts';
import { GasMeter, OutOfGasError } from '../gas.ts';
import { ed25519PublicKey, secp256k1PublicKey } from './public-key.ts';
import { type SignedStatement, StatementVerifier } from './statement.ts';

const secret = sha256(utf8('statement'));
const addresses = new AddressCodec('open');
const statement = { bytes: utf8('openledger/test\0bytes'), text: 'pay 5 <a & b> to "π"' };
const session = ed25519Signer(secret);
const account = secp256k1Signer(secret);
const sessionKey = ed25519PublicKey(session.publicKey);
const accountKey = secp256k1PublicKey(account.publicKey);

const params = {
  maxMemoCharacters: 0,
  txSigLimit: 0,
  txSizeCostPerByte: 0,
  sigVerifyCostEd25519: 590,
  sigVerifyCostSecp256k1: 1000,
};

/** The position that is wrong, and the gas. */
function judge(signed: readonly SignedStatement[], limit = 1_000_000n): readonly [number, number] {
  const gas = new GasMeter(limit);
  const accounts = { params: () => params };
  const verifier = new StatementVerifier({ verifier: plainVerifier, accounts, addresses });
  const context = { gas } as ReadContext;
  return [verifier.firstWrong(context, signed), gas.consumed];
}

const bySession: SignedStatement = {
  statement,
  form: 'plain',
  key: sessionKey,
  signature: session.sign(statement.bytes),
};
const byAccount: SignedStatement = {
  statement,
  form: 'plain',
  key: accountKey,
  signature: account.sign(statement.bytes),
};

test('what a wallet signs for signArbitrary is what CosmJS makes of the document of ADR-036, and verifies', async () => {
  const wallet = await Secp256k1Wallet.fromKey(secret, 'open');
  const [{ address } = { address: '' }] = await wallet.getAccounts();
  expect(address).toBe(addresses.toText(accountKey.address));
  const document: StdSignDoc = {
    chain_id: '',
    account_number: '0',
    sequence: '0',
    fee: { gas: '0', amount: [] },
    msgs: [
      {
        type: 'sign/MsgSignData',
        value: { signer: address, data: Buffer.from(statement.text).toString('base64') },
      },
    ],
    memo: '',
  };
  const expected = fromUtf8(serializeSignDoc(document));
  expect(fromUtf8(adr036SignBytes(address, statement.text))).toBe(expected);
  const { signature } = await wallet.signAmino(address, document);
  const signed = { ...byAccount, form: 'adr036', signature: fromBase64(signature.signature) } as const;
  expect(judge([signed])).toEqual([-1, 1000]);
  expect(judge([{ ...signed, form: 'plain' }])[0]).toBe(0);
  expect(judge([{ ...signed, statement: { ...statement, text: `${statement.text} ` } }])[0]).toBe(0);
});

test('keys of both kinds sign the bytes; nothing else passes, and each form is its own', () => {
  expect(judge([bySession, byAccount])).toEqual([-1, 1590]);
  const other = { ...statement, bytes: utf8('openledger/test\0other') };
  const wrong: readonly SignedStatement[] = [
    { ...bySession, statement: other },
    { ...byAccount, statement: other },
    { ...bySession, key: accountKey },
    { ...byAccount, key: sessionKey },
    { ...byAccount, form: 'adr036' },
    { ...bySession, signature: bySession.signature.slice(1) },
    { ...byAccount, signature: new Uint8Array(0) },
  ];
  for (const [i, one] of wrong.entries()) expect(judge([bySession, one])[0], `case ${i}`).toBe(1);
});

test('all signatures are paid for before the first is checked', () => {
  const calls: number[] = [];
  const gas = new GasMeter(1500n);
  const verifier = new StatementVerifier({
    verifier: { verify: () => calls.push(1) > 0 },
    accounts: { params: () => params },
    addresses,
  });
  const context = { gas } as ReadContext;
  expect(() => verifier.firstWrong(context, [byAccount, bySession])).toThrow(OutOfGasError);
  expect(calls).toEqual([]);
});
