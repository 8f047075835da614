/**
 * Authorisations: money that an account lets others move, signed off the chain. A program signs canonical
 * bytes with its key; a person signs a text that the wallet shows (ADR-036, `signArbitrary`).
 */
import type { OfflineAminoSigner, Pubkey, StdSignDoc } from '@cosmjs/amino';
import { ed25519 } from '@noble/curves/ed25519.js';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { adr036SignBytes } from '../core/adr036.ts';
import { EMPTY_BYTES, equalBytes, fromBase64, fromUtf8 } from '../core/bytes.ts';
import { sha256 } from '../core/hash.ts';
import type { Statement } from '../framework/tx/statement.ts';
import { accountSignatureTasks } from '../modules/payments/account-signature.ts';
import {
  type AccountSignature,
  KeyKind,
  type KeySignature,
  SignatureForm,
  type TransferAuthorization,
} from '../proto/gen/openledger/payments/v1/authorization.ts';

export {
  cancellationStatement,
  type ExpectedTransfer,
  inferenceStatement,
  problemOfTransfer,
  type TransferProblem,
  transferStatement,
} from '../modules/payments/authorization.ts';
export { type RequestName, resourceOf } from '../modules/channels/format/resource.ts';

const NONCE_BYTES = 32;

/** An authorisation before it has a nonce. */
export type TransferTerms = Omit<TransferAuthorization, 'nonce'>;

/** A transfer to be authorised, under a random nonce. */
export function transferAuthorization(terms: TransferTerms): TransferAuthorization {
  return { ...terms, nonce: crypto.getRandomValues(new Uint8Array(NONCE_BYTES)) };
}

/** A key that a program holds. */
export interface StatementKey {
  readonly kind: 'secp256k1' | 'ed25519';
  /** 33 bytes compressed for secp256k1, 32 for ed25519. */
  readonly publicKey: Uint8Array;
  /**
   * 64 bytes over a message: r ‖ s with low s of its SHA-256 for secp256k1, RFC 8032 for ed25519.
   * @param message of any length, not hashed
   */
  sign(message: Uint8Array): Uint8Array;
}

/** Signs the canonical bytes of a statement. */
export function signStatement(statement: Statement, key: StatementKey): AccountSignature {
  const signature = key.sign(statement.bytes);
  const { publicKey } = key;
  const kind = key.kind === 'ed25519' ? KeyKind.KEY_KIND_ED25519 : KeyKind.KEY_KIND_SECP256K1;
  return oneKey(SignatureForm.SIGNATURE_FORM_PLAIN, { kind, key: publicKey, signature });
}

/** A wallet that signs texts: `window.keplr` has this shape. */
export interface ArbitrarySigner {
  signArbitrary(
    chainId: string,
    signer: string,
    data: string,
  ): Promise<{ readonly pub_key: Pubkey; readonly signature: string }>;
}

/** Who is to sign in a wallet. */
export interface WalletAccount {
  readonly chainId: string;
  readonly address: string;
}

/**
 * Has a wallet show the text of a statement and sign it.
 * @throws RangeError when the wallet's key is not secp256k1
 */
export async function signStatementInWallet(
  statement: Statement,
  wallet: ArbitrarySigner,
  { chainId, address }: WalletAccount,
): Promise<AccountSignature> {
  const { pub_key: pubKey, signature } = await wallet.signArbitrary(chainId, address, statement.text);
  if (pubKey.type !== 'tendermint/PubKeySecp256k1')
    throw new RangeError(`the wallet signed with a key of type ${pubKey.type}`);
  return oneKey(SignatureForm.SIGNATURE_FORM_ADR036, {
    kind: KeyKind.KEY_KIND_SECP256K1,
    key: fromBase64(String(pubKey.value)),
    signature: fromBase64(signature),
  });
}

/** `signArbitrary` of a CosmJS wallet that signs amino JSON. */
export function arbitrarySigner(wallet: OfflineAminoSigner): ArbitrarySigner {
  return {
    async signArbitrary(_, signer, data) {
      const document: StdSignDoc = JSON.parse(fromUtf8(adr036SignBytes(signer, data)));
      const { signature } = await wallet.signAmino(signer, document);
      return signature;
    },
  };
}

function oneKey(form: SignatureForm, key: KeySignature): AccountSignature {
  return { form, keys: [key], threshold: 0 };
}

/** The keys of an account of several, in their order. */
export interface SeveralKeys {
  readonly threshold: number;
  readonly keys: readonly Pick<KeySignature, 'kind' | 'key'>[];
}

/**
 * The signature of an account of several keys, out of what its holders signed one by one.
 * @throws RangeError when they signed in different forms, or with another key
 */
export function joinSignatures(account: SeveralKeys, parts: readonly AccountSignature[]): AccountSignature {
  const [form, ...others] = new Set(parts.map((part) => part.form));
  if (form === undefined || others.length > 0)
    throw new RangeError('all must sign in one form: the bytes, or the text');
  const signed = parts.flatMap(({ keys }) => keys);
  const stray = signed.find(({ key }) => !account.keys.some((own) => equalBytes(own.key, key)));
  if (stray !== undefined) throw new RangeError('a key that signed is none of the account’s');
  const keys = account.keys.map(({ kind, key }) => ({
    kind,
    key,
    signature: signed.find((one) => equalBytes(one.key, key))?.signature ?? EMPTY_BYTES,
  }));
  return { form, keys, threshold: account.threshold };
}

/**
 * Why the chain would not take a signature for that of an account; undefined when it would.
 * @param prefix of the chain's addresses
 */
export function problemOfSignature(
  statement: Statement,
  signature: AccountSignature,
  { from, prefix }: { readonly from: string; readonly prefix: string },
): 'other-account' | 'wrong-signature' | undefined {
  const { address, tasks } = accountSignatureTasks(statement, signature, prefix);
  if (address !== from) return 'other-account';
  const isRight = tasks.every(({ pubKey, signBytes, signature: bytes }) =>
    pubKey.kind === 'ed25519'
      ? ed25519.verify(bytes, signBytes, pubKey.bytes)
      : secp256k1.verify(bytes, sha256(signBytes), pubKey.bytes, { prehash: false }),
  );
  return isRight ? undefined : 'wrong-signature';
}
