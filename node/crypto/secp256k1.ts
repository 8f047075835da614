/**
 * secp256k1 ECDSA over a 32-byte digest, compact signatures, low S required (as the Cosmos SDK requires
 * it). The native libsecp256k1 is thirty times as fast as JavaScript, so it is loaded by its binding file:
 * the package's own entry would fall back to JavaScript without a word. `secp256k1Engine` says what runs;
 * the node logs it.
 */
import { createRequire } from 'node:module';
import { secp256k1 as noble } from '@noble/curves/secp256k1.js';
import { LedgerError, messageOf } from '../../core/errors.ts';

/** Bytes of a compressed public key. */
export const SECP256K1_KEY_BYTES = 33;
/** Bytes of a digest. */
export const DIGEST_BYTES = 32;
/** Bytes of a compact signature: r and s, big-endian. */
export const SECP256K1_SIGNATURE_BYTES = 64;

/** Verifies one signature. Lengths are checked by the caller; anything malformed is false. */
export type Secp256k1Verify = (publicKey: Uint8Array, digest: Uint8Array, signature: Uint8Array) => boolean;

/** An implementation, and why it was taken. */
export interface Secp256k1Engine {
  readonly name: 'native' | 'noble';
  /** Why the native library is not used; undefined when it is. */
  readonly fallbackReason: string | undefined;
  readonly verify: Secp256k1Verify;
}

interface NativeBinding {
  ecdsaVerify(signature: Uint8Array, digest: Uint8Array, publicKey: Uint8Array): boolean;
}

/** Loads libsecp256k1; undefined reason when it works. */
function nativeEngine(): Secp256k1Engine {
  const require = createRequire(import.meta.url);
  const binding: NativeBinding = require('secp256k1/bindings.js');
  return {
    name: 'native',
    fallbackReason: undefined,
    verify(publicKey, digest, signature): boolean {
      try {
        return binding.ecdsaVerify(signature, digest, publicKey);
      } catch {
        return false; // it throws for keys and signatures that do not parse
      }
    },
  };
}

/** The JavaScript implementation: reference in tests, and what runs where no native library is. */
export function nobleEngine(fallbackReason?: string): Secp256k1Engine {
  return {
    name: 'noble',
    fallbackReason,
    verify(publicKey, digest, signature): boolean {
      try {
        return noble.verify(signature, digest, publicKey, { prehash: false, lowS: true });
      } catch {
        return false;
      }
    },
  };
}

function loadEngine(): Secp256k1Engine {
  try {
    return nativeEngine();
  } catch (cause) {
    return nobleEngine(messageOf(cause));
  }
}

/** The engine of this process (or worker). */
export const secp256k1Engine: Secp256k1Engine = loadEngine();

/**
 * Verifies a compact signature over a digest with a compressed key; wrong lengths, high S and malformed
 * input are false.
 */
export function verifySecp256k1(publicKey: Uint8Array, digest: Uint8Array, signature: Uint8Array): boolean {
  if (publicKey.length !== SECP256K1_KEY_BYTES) return false;
  if (digest.length !== DIGEST_BYTES || signature.length !== SECP256K1_SIGNATURE_BYTES) return false;
  return secp256k1Engine.verify(publicKey, digest, signature);
}

/** A signing key: the public half and the function that signs. The private half stays inside. */
export interface Secp256k1Signer {
  /** 33 bytes, compressed. */
  readonly publicKey: Uint8Array;
  /** 64 bytes r‖s with low s over SHA-256 of the message; the nonce is that of RFC 6979, as in CometBFT. */
  sign(message: Uint8Array): Uint8Array;
}

/**
 * The signing key of 32 secret bytes. JavaScript: a validator signs a few times a block.
 * @throws LedgerError `crypto.key` when they are no private key
 */
export function secp256k1Signer(privateKey: Uint8Array): Secp256k1Signer {
  if (!noble.utils.isValidSecretKey(privateKey)) {
    throw new LedgerError('crypto.key', 'not a secp256k1 private key of 32 bytes');
  }
  return {
    publicKey: noble.getPublicKey(privateKey, true),
    sign: (message) => noble.sign(message, privateKey, { prehash: true, lowS: true }),
  };
}
