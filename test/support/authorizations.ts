/** Authorisations as tests make them: of accounts of a test chain, by the client's own library. */
import { signStatement, type StatementKey, transferStatement } from '../../client/authorizations.ts';
import { utf8 } from '../../core/bytes.ts';
import { sha256 } from '../../core/hash.ts';
import { ed25519PublicKey, type SingleKey } from '../../framework/tx/public-key.ts';
import { ed25519Signer } from '../../node/crypto/ed25519.ts';
import type {
  AccountSignature,
  TransferAuthorization,
} from '../../proto/gen/openledger/payments/v1/authorization.ts';
import { MsgTransferWithAuthorization } from '../../proto/gen/openledger/payments/v1/tx.ts';
import type { Any } from '../../proto/gen/google/protobuf/any.ts';
import { anyOf, signSecp256k1, type TestAccount } from './test-chain.ts';

/** The key of a test account, as a program holds it. */
export function keyOf(account: Pick<TestAccount, 'pubKey' | 'privateKey'>): StatementKey {
  return {
    kind: 'secp256k1',
    publicKey: account.pubKey.bytes,
    sign: (message) => signSecp256k1(sha256(message), account.privateKey),
  };
}

/** An ed25519 key made of a name. */
export function sessionKey(name: string): StatementKey & { readonly pubKey: SingleKey } {
  const { publicKey, sign } = ed25519Signer(sha256(utf8(`session key ${name}`)));
  return { kind: 'ed25519', publicKey, sign, pubKey: ed25519PublicKey(publicKey) };
}

/** 32 bytes made of a name. */
export function named(name: string): Uint8Array {
  return sha256(utf8(name));
}

/** 1,000 base units, good from the first blocks of a test chain on for an hour. */
export function authorizationOf(
  from: Pick<TestAccount, 'address'>,
  to: Pick<TestAccount, 'address'>,
  change: Partial<TransferAuthorization> = {},
): TransferAuthorization {
  return {
    chainId: 'test-chain-1',
    from: from.address,
    to: to.address,
    amount: { denom: 'uopen', amount: '1000' },
    validAfter: 1_700_000_000n,
    validBefore: 1_700_003_600n,
    nonce: named('nonce'),
    resourceHash: named('resource'),
    ...change,
  };
}

/** Relays an authorisation as it was signed. */
export function relay(
  relayer: Pick<TestAccount, 'address'>,
  authorization: TransferAuthorization,
  signature: AccountSignature,
): Any {
  const value = { relayer: relayer.address, authorization, signature };
  return anyOf(MsgTransferWithAuthorization, value);
}

/** Signs an authorisation with the sender's own key and relays it. */
export function signedRelay(
  relayer: Pick<TestAccount, 'address'>,
  from: TestAccount,
  authorization: TransferAuthorization,
): Any {
  return relay(relayer, authorization, signStatement(transferStatement(authorization), keyOf(from)));
}
