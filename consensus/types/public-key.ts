import { DecodeError, unreachable } from '../../core/errors.ts';
import { ripemd160, sha256 } from '../../core/hash.ts';
import { PublicKey as PublicKeyMessage } from '../../proto/gen/tendermint/crypto/keys.ts';
import { ADDRESS_BYTES } from './limits.ts';
import type { PublicKey } from './validator.ts';

/** Key type names of CometBFT's JSON: in `genesis.json`, `/status`, `/validators`. */
export const KEY_TYPE_JSON: Readonly<Record<PublicKey['type'], string>> = {
  ed25519: 'tendermint/PubKeyEd25519',
  secp256k1: 'tendermint/PubKeySecp256k1',
};

const KEY_BYTES: Readonly<Record<PublicKey['type'], number>> = { ed25519: 32, secp256k1: 33 };

/**
 * Tells whether a signature over a message is good. The shell provides it: ed25519 by the rules of ZIP-215,
 * secp256k1 over SHA-256 with 64 bytes r‖s and low s. Never throws.
 */
export type VerifySignature = (publicKey: PublicKey, message: Uint8Array, signature: Uint8Array) => boolean;

/** The 20 bytes that stand for a key: SHA-256 cut off for ed25519, RIPEMD-160 of SHA-256 for secp256k1. */
export function addressOf(publicKey: PublicKey): Uint8Array {
  switch (publicKey.type) {
    case 'ed25519':
      return new Uint8Array(sha256(publicKey.bytes).subarray(0, ADDRESS_BYTES));
    case 'secp256k1':
      return ripemd160(sha256(publicKey.bytes));
    default:
      return unreachable(publicKey.type, 'key type');
  }
}

/**
 * Checks the length of a key's bytes.
 * @throws DecodeError otherwise
 */
export function checkPublicKey(publicKey: PublicKey): PublicKey {
  const expected = KEY_BYTES[publicKey.type];
  if (publicKey.bytes.length !== expected) {
    throw new DecodeError(`${publicKey.type} key must have ${expected} bytes, got ${publicKey.bytes.length}`);
  }
  return publicKey;
}

/** The key as tendermint.crypto.PublicKey. */
export function publicKeyToMessage(publicKey: PublicKey): PublicKeyMessage {
  return PublicKeyMessage.create({ [publicKey.type]: publicKey.bytes });
}

/**
 * Reads a tendermint.crypto.PublicKey.
 * @throws DecodeError when no known key is in it, or one of the wrong length
 */
export function publicKeyFromMessage(message: PublicKeyMessage | undefined): PublicKey {
  if (message?.ed25519 !== undefined) return checkPublicKey({ type: 'ed25519', bytes: message.ed25519 });
  if (message?.secp256k1 !== undefined)
    return checkPublicKey({ type: 'secp256k1', bytes: message.secp256k1 });
  throw new DecodeError('public key is neither ed25519 nor secp256k1');
}
