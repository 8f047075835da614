import { concatBytes } from '../../core/bytes.ts';
import { ripemd160, sha256 } from '../../core/hash.ts';
import { DecodeError } from '../../core/errors.ts';
import { PubKey as Ed25519PubKey } from '../../proto/gen/cosmos/crypto/ed25519/keys.ts';
import { PubKey as Secp256k1PubKey } from '../../proto/gen/cosmos/crypto/secp256k1/keys.ts';
import type { Any } from '../../proto/gen/google/protobuf/any.ts';
import { type Address, latin1 } from '../address.ts';
import { BoundedMap } from '../bounded-map.ts';
import { StateError, sdkErrors } from '../errors.ts';

/** Curves that accounts may use keys of. */
export type KeyKind = 'secp256k1' | 'ed25519';

/** A public key of an account. */
export interface PublicKey {
  readonly kind: KeyKind;
  /** 33 bytes compressed for secp256k1, 32 for ed25519. */
  readonly bytes: Uint8Array;
  /** 20 bytes. */
  readonly address: Address;
  /** As it stands in transactions and accounts. */
  readonly any: Any;
}

/** Bytes of each kind of key. */
const KEY_BYTES: Readonly<Record<KeyKind, number>> = { secp256k1: 33, ed25519: 32 };

/** Keys that are remembered with their address: RIPEMD-160 costs as much as the rest of a decoding. */
const CACHED_KEYS_MAX = 16_384;

/** By the latin-1 text of their encoded form. */
const secp256k1Keys = new BoundedMap<string, PublicKey>(CACHED_KEYS_MAX);

/** The first bytes of an encoded secp256k1 key: field 1, 33 bytes. */
const SECP256K1_HEAD = Uint8Array.of(10, 33);

/**
 * Most keys are carried from account to signature check and back: what else they are is found when it is
 * asked for.
 */
class Secp256k1Key implements PublicKey {
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
export function secp256k1PublicKey(bytes: Uint8Array): PublicKey {
  return new Secp256k1Key(bytes);
}

/** An ed25519 key with its address, the first 20 bytes of SHA-256(key). */
export function ed25519PublicKey(bytes: Uint8Array): PublicKey {
  checkLength('ed25519', bytes);
  const any = { typeUrl: Ed25519PubKey.typeUrl, value: Ed25519PubKey.encode({ key: bytes }) };
  return { kind: 'ed25519', bytes, address: sha256(bytes).slice(0, 20), any };
}

/**
 * The key inside an `Any`.
 * @throws StateError (sdk 8) when its kind is unknown or its length wrong, (sdk 2) when it cannot be decoded
 */
export function publicKeyOf(any: Any): PublicKey {
  try {
    switch (any.typeUrl) {
      case Secp256k1PubKey.typeUrl:
        return decodeSecp256k1(any.value);
      case Ed25519PubKey.typeUrl:
        return ed25519PublicKey(Ed25519PubKey.decode(any.value, { unknown: 'reject' }).key);
      default:
        throw new StateError(sdkErrors.invalidPubKey, `unrecognized public key type: ${any.typeUrl}`);
    }
  } catch (error) {
    if (error instanceof DecodeError) throw new StateError(sdkErrors.txDecode, error.message);
    throw error;
  }
}

/** The same key object for the same bytes, as long as it is remembered. */
function decodeSecp256k1(encoded: Uint8Array): PublicKey {
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
