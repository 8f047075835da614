import { concatBytes } from '../../core/bytes.ts';
import { ripemd160, sha256 } from '../../core/hash.ts';
import { DecodeError } from '../../core/errors.ts';
import { uvarintLength, writeUvarint } from '../../core/varint.ts';
import { PubKey as Ed25519PubKey } from '../../proto/gen/cosmos/crypto/ed25519/keys.ts';
import { LegacyAminoPubKey } from '../../proto/gen/cosmos/crypto/multisig/keys.ts';
import { PubKey as Secp256k1PubKey } from '../../proto/gen/cosmos/crypto/secp256k1/keys.ts';
import type { Any } from '../../proto/gen/google/protobuf/any.ts';
import { type Address, latin1 } from '../address.ts';
import { BoundedMap } from '../bounded-map.ts';
import { StateError, sdkErrors } from '../errors.ts';
import { ELEMENTS_MAX } from '../limits.ts';

/** Curves that accounts may use keys of. */
export type KeyKind = 'secp256k1' | 'ed25519';

/** A public key of an account: one key, or several of which some must sign. */
export type PublicKey = SingleKey | MultisigKey;

/** A public key of one curve. */
export interface SingleKey {
  readonly kind: KeyKind;
  /** 33 bytes compressed for secp256k1, 32 for ed25519. */
  readonly bytes: Uint8Array;
  /** 20 bytes. */
  readonly address: Address;
  /** As it stands in transactions and accounts. */
  readonly any: Any;
}

/**
 * Several keys, of which `threshold` must sign (`LegacyAminoPubKey`); each may be one of several in its turn.
 * The address is made of the old binary form, so that it outlives every encoding.
 */
export interface MultisigKey {
  readonly kind: 'multisig';
  /** From 1 to the number of keys. */
  readonly threshold: number;
  readonly keys: readonly PublicKey[];
  /** Keys of one curve in it, at any depth. */
  readonly keyCount: number;
  /** Binary amino form. */
  readonly bytes: Uint8Array;
  /** First 20 bytes of SHA-256 of `bytes`. */
  readonly address: Address;
  /** As it stands in transactions and accounts. */
  readonly any: Any;
}

/** Deepest nesting of keys of several keys, the outermost being the first. */
const MULTISIG_DEPTH_MAX = 10;

/** What precedes each kind of key in binary amino (SDK v0.50 `crypto/keys`, by name of its type). */
const AMINO_PREFIX: Readonly<Record<PublicKey['kind'], Uint8Array>> = {
  secp256k1: Uint8Array.of(0xeb, 0x5a, 0xe9, 0x87),
  ed25519: Uint8Array.of(0x16, 0x24, 0xde, 0x64),
  multisig: Uint8Array.of(0x22, 0xc1, 0xf7, 0xe2),
};

/** Bytes of each kind of key. */
const KEY_BYTES: Readonly<Record<KeyKind, number>> = { secp256k1: 33, ed25519: 32 };

/** Keys that are remembered with their address: RIPEMD-160 costs as much as the rest of a decoding. */
const CACHED_KEYS_MAX = 16_384;

/** By the latin-1 text of their encoded form. */
const secp256k1Keys = new BoundedMap<string, SingleKey>(CACHED_KEYS_MAX);

/** The first bytes of an encoded secp256k1 key: field 1, 33 bytes. */
const SECP256K1_HEAD = Uint8Array.of(10, 33);

/**
 * Most keys are carried from account to signature check and back: what else they are is found when it is
 * asked for.
 */
class Secp256k1Key implements SingleKey {
  readonly kind = 'secp256k1';
  readonly bytes: Uint8Array;
  #address: Address | undefined;
  #any: Any | undefined;

  constructor(bytes: Uint8Array) {
    checkLength('secp256k1', bytes);
    this.bytes = bytes;
  }

  /** RIPEMD-160(SHA-256(key)). */
  get address(): Address {
    this.#address ??= ripemd160(sha256(this.bytes));
    return this.#address;
  }

  get any(): Any {
    this.#any ??= { typeUrl: Secp256k1PubKey.typeUrl, value: concatBytes(SECP256K1_HEAD, this.bytes) };
    return this.#any;
  }
}

/** A secp256k1 key of 33 bytes. @throws StateError (sdk 8) when they are not as many */
export function secp256k1PublicKey(bytes: Uint8Array): SingleKey {
  return new Secp256k1Key(bytes);
}

/** An ed25519 key with its address, the first 20 bytes of SHA-256(key). */
export function ed25519PublicKey(bytes: Uint8Array): SingleKey {
  checkLength('ed25519', bytes);
  const any = { typeUrl: Ed25519PubKey.typeUrl, value: Ed25519PubKey.encode({ key: bytes }) };
  return { kind: 'ed25519', bytes, address: sha256(bytes).slice(0, 20), any };
}

/**
 * Several keys of which some must sign.
 * @throws StateError (sdk 8) when the threshold is zero or more than there are keys: nobody, or anybody,
 * could sign
 */
export function multisigPublicKey(threshold: number, keys: readonly PublicKey[]): MultisigKey {
  if (threshold < 1 || threshold > keys.length)
    throw new StateError(
      sdkErrors.invalidPubKey,
      `threshold of a multisig key is ${threshold}; it must be from 1 to its ${keys.length} keys`,
    );
  const bytes = aminoMultisig(threshold, keys);
  const publicKeys = keys.map(({ any }) => any);
  return {
    kind: 'multisig',
    threshold,
    keys,
    keyCount: keys.reduce((sum, key) => sum + keyCountOf(key), 0),
    bytes,
    address: sha256(bytes).slice(0, 20),
    any: {
      typeUrl: LegacyAminoPubKey.typeUrl,
      value: LegacyAminoPubKey.encode({ threshold, publicKeys }),
    },
  };
}

/** Keys of one curve in a key: 1 but for several. */
export function keyCountOf(key: PublicKey): number {
  return key.kind === 'multisig' ? key.keyCount : 1;
}

/** Binary amino of a key: prefix, then length and bytes, or the fields of several keys. */
function aminoKey(key: PublicKey): Uint8Array {
  if (key.kind === 'multisig') return key.bytes;
  return concatBytes(AMINO_PREFIX[key.kind], Uint8Array.of(key.bytes.length), key.bytes);
}

function aminoMultisig(threshold: number, keys: readonly PublicKey[]): Uint8Array {
  const parts = [AMINO_PREFIX.multisig, Uint8Array.of(8), uvarint(threshold)];
  for (const key of keys) {
    const encoded = aminoKey(key);
    parts.push(Uint8Array.of(18), uvarint(encoded.length), encoded);
  }
  return concatBytes(...parts);
}

function uvarint(value: number): Uint8Array {
  const bytes = new Uint8Array(uvarintLength(value));
  writeUvarint(bytes, 0, value);
  return bytes;
}

/**
 * The key inside an `Any`.
 * @throws StateError (sdk 8) when its kind is unknown or its length or threshold wrong, (sdk 2) when it
 * cannot be decoded
 */
export function publicKeyOf(any: Any): PublicKey {
  return keyOf(any, MULTISIG_DEPTH_MAX);
}

/**
 * The key of one curve inside an `Any`.
 * @throws StateError as `publicKeyOf`, (sdk 8) also for a key of several
 */
export function singleKeyOf(any: Any): SingleKey {
  const key = any.typeUrl === LegacyAminoPubKey.typeUrl ? undefined : keyOf(any, 0);
  if (key === undefined || key.kind === 'multisig') throw unrecognized(any);
  return key;
}

function keyOf(any: Any, depth: number): PublicKey {
  try {
    switch (any.typeUrl) {
      case Secp256k1PubKey.typeUrl:
        return decodeSecp256k1(any.value);
      case Ed25519PubKey.typeUrl:
        return ed25519PublicKey(Ed25519PubKey.decode(any.value, { unknown: 'reject' }).key);
      case LegacyAminoPubKey.typeUrl: {
        if (depth === 0) throw new StateError(sdkErrors.txDecode, 'multisig keys are nested too deep');
        const options = { unknown: 'reject', elementsMax: ELEMENTS_MAX } as const;
        const { threshold, publicKeys } = LegacyAminoPubKey.decode(any.value, options);
        const keys = publicKeys.map((held) => keyOf(held, depth - 1));
        return multisigPublicKey(threshold, keys);
      }
      default:
        throw unrecognized(any);
    }
  } catch (error) {
    if (error instanceof DecodeError) throw new StateError(sdkErrors.txDecode, error.message);
    throw error;
  }
}

function unrecognized({ typeUrl }: Any): StateError {
  return new StateError(sdkErrors.invalidPubKey, `unrecognized public key type: ${typeUrl}`);
}

/** The same key object for the same bytes, as long as it is remembered. */
function decodeSecp256k1(encoded: Uint8Array): SingleKey {
  const text = latin1(encoded);
  const known = secp256k1Keys.get(text);
  if (known !== undefined) return known;
  const key = secp256k1PublicKey(Secp256k1PubKey.decode(encoded, { unknown: 'reject' }).key);
  // Other encodings are hostile or hypothetical: they are not worth their memory.
  if (encoded.length === SECP256K1_HEAD.length + key.bytes.length) secp256k1Keys.set(text, key);
  return key;
}

function checkLength(kind: KeyKind, bytes: Uint8Array): void {
  const expected = KEY_BYTES[kind];
  if (bytes.length !== expected)
    throw new StateError(
      sdkErrors.invalidPubKey,
      `length of ${kind} public key is incorrect: expected ${expected}, got ${bytes.length}`,
    );
}
