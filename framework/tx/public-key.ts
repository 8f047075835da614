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

/** Keys whose address is remembered. */
const CACHED_KEYS_MAX = 16_384;

const secp256k1Keys = new BoundedMap<string, PublicKey>(CACHED_KEYS_MAX);

/** A secp256k1 key with its address, RIPEMD-160(SHA-256(key)). */
export function secp256k1PublicKey(bytes: Uint8Array): PublicKey {
  const known = secp256k1Keys.get(latin1(bytes));
  if (known !== undefined) return known;
  checkLength('secp256k1', bytes);
  const any = { typeUrl: Secp256k1PubKey.typeUrl, value: Secp256k1PubKey.encode({ key: bytes }) };
  const key: PublicKey = { kind: 'secp256k1', bytes, address: ripemd160(sha256(bytes)), any };
  secp256k1Keys.set(latin1(bytes), key);
  return key;
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
        return secp256k1PublicKey(Secp256k1PubKey.decode(any.value, { unknown: 'reject' }).key);
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

function checkLength(kind: KeyKind, bytes: Uint8Array): void {
  const expected = KEY_BYTES[kind];
  if (bytes.length !== expected)
    throw new StateError(
      sdkErrors.invalidPubKey,
      `length of ${kind} public key is incorrect: expected ${expected}, got ${bytes.length}`,
    );
}
