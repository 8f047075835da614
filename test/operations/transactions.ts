/** Signed transactions: one signer or more, one key or several, ordered or not, with what may be wrong. */
import { sha256 } from '../../core/hash.ts';
import type { AddressCodec } from '../../framework/address.ts';
import type { Timestamp } from '../../framework/context.ts';
import type { MessageRouter } from '../../framework/message.ts';
import { aminoSignBytes } from '../../framework/tx/amino-json.ts';
import { decodeTx } from '../../framework/tx/decode.ts';
import { MultiSignature } from '../../proto/gen/cosmos/crypto/multisig/v1beta1/multisig.ts';
import { AuthInfo, type ModeInfo, SignDoc, TxBody, TxRaw } from '../../proto/gen/cosmos/tx/v1beta1/tx.ts';
import type { Any } from '../../proto/gen/google/protobuf/any.ts';
import { signSecp256k1 } from '../support/test-chain.ts';
import type { Actor } from './actors.ts';

const DIRECT = 1;
const AMINO = 127;

/** A transaction before it is signed: data, so that it can be told in a trace. */
export interface Envelope {
  readonly signers: readonly Actor[];
  readonly messages: readonly Any[];
  readonly fee: readonly { readonly denom: string; readonly amount: string }[];
  readonly gas: bigint;
  readonly memo: string;
  /** JSON is what is signed. Accounts of several keys always sign that. */
  readonly amino: boolean;
  /** Whoever pays instead; empty for the first signer. */
  readonly granter: string;
  /** Set: the transaction is unordered, and this makes it unique. */
  readonly timeout: Timestamp | undefined;
  readonly timeoutHeight: bigint;
  readonly fault: Fault;
}

/** What is wrong with a transaction besides its messages. */
export type Fault = 'none' | 'sequence' | 'chain' | 'signature' | 'few signatures' | 'bytes';

/** What signers know of the chain. */
export interface SigningPorts {
  readonly chainId: string;
  readonly router: MessageRouter;
  readonly addresses: AddressCodec;
  /** Next sequence and number of an account. */
  readonly account: (actor: Actor) => { readonly sequence: bigint; readonly accountNumber: bigint };
}

/**
 * The bytes of a transaction.
 * @throws StateError when it is to be signed as JSON and JSON cannot say it
 */
export function signTransaction(envelope: Envelope, ports: SigningPorts): Uint8Array {
  const { signers, messages, memo, timeout, timeoutHeight, fault } = envelope;
  const bodyBytes = TxBody.encode({
    messages,
    memo,
    timeoutHeight,
    unordered: timeout !== undefined,
    timeoutTimestamp: timeout,
    extensionOptions: [],
    nonCriticalExtensionOptions: [],
  });
  const given = { bodyBytes, envelope, ports };
  const authInfoBytes = authInfo(given, signers);
  const signatures = signers.map((signer) => signatureOf(given, authInfoBytes, signer));
  if (fault === 'signature')
    signatures[0] = signatures[0]?.map((byte, i) => (i === 9 ? byte ^ 1 : byte)) ?? bodyBytes;
  if (fault === 'few signatures') signatures.pop();
  const bytes = TxRaw.encode({ bodyBytes, authInfoBytes, signatures });
  return fault === 'bytes' ? bytes.map((byte, i) => (i === bytes.length >> 1 ? byte ^ 0x55 : byte)) : bytes;
}

interface Given {
  readonly bodyBytes: Uint8Array;
  readonly envelope: Envelope;
  readonly ports: SigningPorts;
}

function authInfo({ envelope, ports }: Given, signers: readonly Actor[]): Uint8Array {
  const { fee, gas, granter } = envelope;
  return AuthInfo.encode({
    signerInfos: signers.map((signer) => ({
      publicKey: signer.pubKey.any,
      modeInfo: modeOf(envelope, signer),
      sequence: sequenceOf(envelope, ports, signer),
    })),
    fee: { amount: fee, gasLimit: gas, payer: '', granter },
    tip: undefined,
  });
}

function sequenceOf({ timeout, fault }: Envelope, ports: SigningPorts, signer: Actor): bigint {
  if (timeout !== undefined) return 0n;
  return ports.account(signer).sequence + (fault === 'sequence' ? 3n : 0n);
}

function modeOf({ amino, fault }: Envelope, { threshold, keys }: Actor): ModeInfo {
  if (threshold === 0) return { single: { mode: amino ? AMINO : DIRECT }, multi: undefined };
  const signing = fault === 'few signatures' ? threshold - 1 : threshold;
  const modeInfos = Array.from({ length: signing }, () => ({ single: { mode: AMINO }, multi: undefined }));
  const elems = new Uint8Array(Math.ceil(keys.length / 8));
  for (let i = 0; i < signing; i++) elems[i >> 3] = (elems[i >> 3] ?? 0) | (0x80 >> (i & 7));
  return { single: undefined, multi: { bitarray: { extraBitsStored: keys.length % 8, elems }, modeInfos } };
}

function signatureOf(given: Given, authInfoBytes: Uint8Array, signer: Actor): Uint8Array {
  const { bodyBytes, envelope, ports } = given;
  const chainId = envelope.fault === 'chain' ? 'another-chain' : ports.chainId;
  const { accountNumber } = ports.account(signer);
  if (!envelope.amino && signer.threshold === 0) {
    const digest = sha256(SignDoc.encode({ bodyBytes, authInfoBytes, chainId, accountNumber }));
    return signWith(signer, digest);
  }
  // JSON does not show the signers.
  const unsigned = TxRaw.encode({ bodyBytes, authInfoBytes: authInfo(given, []), signatures: [] });
  const tx = decodeTx(unsigned, sha256(unsigned), ports);
  const sequence = sequenceOf(envelope, ports, signer);
  const digest = sha256(aminoSignBytes(tx, { chainId, accountNumber, sequence }));
  if (signer.threshold === 0) return signWith(signer, digest);
  const keys = signer.keys.slice(0, signer.threshold);
  return MultiSignature.encode({ signatures: keys.map((key) => signSecp256k1(digest, key.privateKey)) });
}

function signWith({ keys }: Actor, digest: Uint8Array): Uint8Array {
  const [key] = keys;
  if (key === undefined) throw new RangeError('an account without a key');
  return signSecp256k1(digest, key.privateKey);
}
