/**
 * Signatures of several keys: which of them signed, as a bit array, and their signatures in the order of the
 * keys. Each part may be of several keys in its turn. Source: Cosmos SDK v0.50 `x/auth/tx/sigs.go`,
 * `crypto/keys/multisig`, `x/auth/ante/sigverify.go`.
 */
import { EMPTY_BYTES } from '../../core/bytes.ts';
import { DecodeError, LedgerError } from '../../core/errors.ts';
import {
  type CompactBitArray,
  MultiSignature,
} from '../../proto/gen/cosmos/crypto/multisig/v1beta1/multisig.ts';
import type { ModeInfo, ModeInfo_Multi } from '../../proto/gen/cosmos/tx/v1beta1/tx.ts';
import { StateError, sdkErrors } from '../errors.ts';
import { ELEMENTS_MAX } from '../limits.ts';
import type { KeyKind, MultisigKey, PublicKey, SingleKey } from './public-key.ts';
import { SIGN_MODE_LEGACY_AMINO_JSON, type SignatureTask, type SignerData, signBytes } from './signature.ts';
import type { Address } from '../address.ts';
import type { DecodedTx } from './decode.ts';

/** One signature, or those of several keys. */
export interface SignatureData {
  /** Number of the sign mode; 0 is unspecified, undefined for signatures of several keys. */
  readonly mode: number | undefined;
  /** As it stands in the transaction: of several keys an encoded `MultiSignature`. */
  readonly signature: Uint8Array;
  /** Present when several keys sign. */
  readonly multi: MultiSignatureData | undefined;
}

/** Signatures of several keys. */
export interface MultiSignatureData {
  /** As many bits as there are keys, the first one highest in the first byte. */
  readonly bits: CompactBitArray;
  /** In the order of the bits that are set. */
  readonly parts: readonly SignatureData[];
}

/**
 * How a signer signed.
 * @throws StateError (sdk 2) when the bytes are no signatures of several keys, or do not match what is said
 * of them
 */
export function signatureDataOf(info: ModeInfo | undefined, signature: Uint8Array): SignatureData {
  if (info?.multi === undefined) return { mode: info?.single?.mode ?? 0, signature, multi: undefined };
  return { mode: undefined, signature, multi: multiOf(info.multi, signature) };
}

function multiOf({ bitarray, modeInfos }: ModeInfo_Multi, signature: Uint8Array): MultiSignatureData {
  const bits = bitarray ?? { extraBitsStored: 0, elems: EMPTY_BYTES };
  if (bits.extraBitsStored > 7 || (bits.extraBitsStored > 0 && bits.elems.length === 0))
    throw malformed(`bit array of ${bits.elems.length} bytes has ${bits.extraBitsStored} extra bits`);
  const signatures = decodeSignatures(signature);
  if (signatures.length !== modeInfos.length)
    throw malformed(
      `${signatures.length} signatures of several keys, and ${modeInfos.length} modes for them`,
    );
  const parts = modeInfos.map((info, i) => signatureDataOf(info, signatures[i] ?? EMPTY_BYTES));
  return { bits, parts };
}

/** Unknown fields are refused: anybody could make a transaction longer with them. */
function decodeSignatures(bytes: Uint8Array): readonly Uint8Array[] {
  try {
    const options = { unknown: 'reject', elementsMax: ELEMENTS_MAX, views: true } as const;
    return MultiSignature.decode(bytes, options).signatures;
  } catch (error) {
    if (error instanceof DecodeError) throw malformed(error.message);
    throw error;
  }
}

function malformed(problem: string): StateError {
  return new StateError(sdkErrors.txDecode, problem);
}

/** True when something that stands for a signature is still empty, as in a simulation. */
export function isIncomplete({ signature, multi }: SignatureData): boolean {
  if (multi === undefined) return signature.length === 0;
  return multi.parts.length === 0 || multi.parts.some(isIncomplete);
}

/** True when all sign JSON. */
export function signsAminoOnly({ mode, multi }: SignatureData): boolean {
  return multi === undefined ? mode === SIGN_MODE_LEGACY_AMINO_JSON : multi.parts.every(signsAminoOnly);
}

/** All signatures, one by one, and behind those of several keys what they make together. */
export function signatureList(data: SignatureData): readonly Uint8Array[] {
  if (data.multi === undefined) return [data.signature];
  const signatures = data.multi.parts.flatMap(signatureList);
  return [...signatures, MultiSignature.encode({ signatures })];
}

/** One key that signs, with its signature. */
export interface SigningPair {
  readonly key: SingleKey;
  readonly mode: number;
  readonly signature: Uint8Array;
}

/**
 * Keys of one curve that sign, each with its signature, in order.
 * @throws LedgerError `signature.multi` when the signatures do not fit the keys or are too few
 */
export function signingPairs(key: MultisigKey, data: MultiSignatureData): readonly SigningPair[] {
  const { keys, threshold } = key;
  const { bits, parts } = data;
  const size = bitCount(bits);
  if (size !== keys.length) throw unfit(`bit array size is incorrect, expecting: ${keys.length}`);
  const signing = signingKeys(key, bits);
  if (parts.length < threshold || parts.length > size || parts.length < signing.length)
    throw unfit(`signature size is incorrect ${parts.length}`);
  if (signing.length < threshold)
    throw unfit(`not enough signatures set, have ${signing.length}, expected ${threshold}`);
  return signing.flatMap(({ key: one, index }, i): readonly SigningPair[] => {
    const { mode, signature, multi } = parts[i] ?? NO_SIGNATURE;
    if (one.kind === 'multisig') {
      if (multi === undefined) throw unfit(`improper signature data type for index ${i}`);
      return signingPairs(one, multi);
    }
    if (mode === undefined) throw unfit(`unable to parse pubkey of index ${index}`);
    return [{ key: one, mode, signature }];
  });
}

/**
 * Kinds of the keys of one curve that sign, in order, whether or not their signatures fit: what is charged
 * for before anything is verified.
 */
export function signingKinds(key: MultisigKey, { bits, parts }: MultiSignatureData): readonly KeyKind[] {
  return signingKeys(key, bits).flatMap(({ key: one }, i): readonly KeyKind[] => {
    if (one.kind !== 'multisig') return [one.kind];
    const multi = parts[i]?.multi;
    return multi === undefined ? [] : signingKinds(one, multi);
  });
}

/** What has to be verified of one signer. */
export interface SignedBy {
  readonly tx: DecodedTx;
  readonly signer: SignatureData;
  readonly address: Address;
  /** The key of the signer's account. */
  readonly pubKey: PublicKey;
  readonly data: SignerData;
}

/**
 * The signatures of a signer, one for each key.
 * @throws LedgerError when signatures do not fit the key, StateError when a mode cannot say what is signed
 */
export function signatureTasks({ tx, signer, address, pubKey, data }: SignedBy): readonly SignatureTask[] {
  const known = { ...data, signer: { address, publicKey: pubKey.any } };
  return pairsOf(pubKey, signer).map(({ key, mode, signature }) => ({
    pubKey: key,
    signBytes: signBytes(tx, mode, known),
    signature,
  }));
}

function pairsOf(key: PublicKey, { mode, signature, multi }: SignatureData): readonly SigningPair[] {
  if (key.kind === 'multisig' && multi !== undefined) return signingPairs(key, multi);
  if (key.kind !== 'multisig' && mode !== undefined) return [{ key, mode, signature }];
  const [expected, got] = key.kind === 'multisig' ? ['several', 'one'] : ['one', 'several'];
  throw unfit(`expected a signature of ${expected} keys, got of ${got}`);
}

const NO_SIGNATURE: SignatureData = { mode: 0, signature: EMPTY_BYTES, multi: undefined };

interface IndexedKey {
  readonly key: PublicKey;
  readonly index: number;
}

function signingKeys({ keys }: MultisigKey, bits: CompactBitArray): readonly IndexedKey[] {
  return keys.map((key, index) => ({ key, index })).filter(({ index }) => hasBit(bits, index));
}

/** Bits of an array. */
function bitCount({ extraBitsStored, elems }: CompactBitArray): number {
  return extraBitsStored === 0 ? elems.length * 8 : (elems.length - 1) * 8 + extraBitsStored;
}

function hasBit(bits: CompactBitArray, i: number): boolean {
  return i < bitCount(bits) && ((bits.elems[i >> 3] ?? 0) & (1 << (7 - (i % 8)))) !== 0;
}

function unfit(problem: string): LedgerError {
  return new LedgerError('signature.multi', problem);
}
