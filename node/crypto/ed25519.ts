import { createPrivateKey, createPublicKey, sign, verify, type KeyObject } from 'node:crypto';
import { ed25519 } from '@noble/curves/ed25519.js';
import { concatBytes, fromHex } from '../../core/bytes.ts';
import { LedgerError } from '../../core/errors.ts';

/** Bytes of an ed25519 public key and of the seed that its private key is made of. */
export const ED25519_KEY_BYTES = 32;
/** Bytes of an ed25519 signature. */
export const ED25519_SIGNATURE_BYTES = 64;
/** Public keys kept imported; more than the validators of any set we expect. */
const KEY_OBJECTS_MAX = 2_048;

// DER headers of RFC 8410: what follows is the raw key.
const SPKI_PREFIX = fromHex('302a300506032b6570032100');
const PKCS8_PREFIX = fromHex('302e020100300506032b657004220420');

const publicKeyObjects = new Map<string, KeyObject>();

/** A signing key: the public half and the function that signs. The private half stays inside. */
export interface Ed25519Signer {
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
  /** 64 bytes over the message as it is (no prehash). */
  sign(message: Uint8Array): Uint8Array;
}

/**
 * The signing key made of a 32-byte seed (RFC 8032).
 * @throws LedgerError `crypto.key` when the seed is not 32 bytes
 */
export function ed25519Signer(seed: Uint8Array): Ed25519Signer {
  if (seed.length !== ED25519_KEY_BYTES) {
    throw new LedgerError('crypto.key', `an ed25519 seed has 32 bytes, not ${seed.length}`);
  }
  const key = createPrivateKey({
    key: Buffer.from(concatBytes(PKCS8_PREFIX, seed)),
    format: 'der',
    type: 'pkcs8',
  });
  const spki = createPublicKey(key).export({ format: 'der', type: 'spki' });
  return {
    publicKey: Uint8Array.from(spki.subarray(SPKI_PREFIX.length)),
    sign: (message) => Uint8Array.from(sign(null, message, key)),
  };
}

/**
 * Verifies by ZIP-215, the rule of CometBFT and so of every node: node:crypto first, which is fifteen times
 * as fast and accepts a subset of what ZIP-215 accepts (the README says why), and @noble/curves when it says
 * no. Bad lengths are false, not errors.
 */
export function verifyEd25519(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  if (publicKey.length !== ED25519_KEY_BYTES || signature.length !== ED25519_SIGNATURE_BYTES) return false;
  return (
    verifyEd25519ByOpenssl(publicKey, message, signature) || verifyByZip215(publicKey, message, signature)
  );
}

/**
 * The same in a thread of the pool, by OpenSSL alone: true is ZIP-215's yes; false says nothing yet. Never
 * rejects.
 */
export function verifyEd25519InBackground(
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): Promise<boolean> {
  return new Promise((resolve) => {
    try {
      verify(null, message, keyObjectOf(publicKey), signature, (error, passed) =>
        resolve(error === null && passed),
      );
    } catch {
      resolve(false); // no key
    }
  });
}

/**
 * By OpenSSL alone: true is ZIP-215's yes; false says nothing yet. A wrong signature costs no more than a
 * right one.
 */
export function verifyEd25519ByOpenssl(
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  try {
    return verify(null, message, keyObjectOf(publicKey), signature);
  } catch {
    return false;
  }
}

function verifyByZip215(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  try {
    return ed25519.verify(signature, message, publicKey, { zip215: true });
  } catch {
    return false;
  }
}

/** Importing a key costs as much as verifying with it, so validators' keys are kept. */
function keyObjectOf(publicKey: Uint8Array): KeyObject {
  const id = Buffer.from(publicKey).toString('latin1');
  const known = publicKeyObjects.get(id);
  if (known !== undefined) return known;
  if (publicKeyObjects.size >= KEY_OBJECTS_MAX) publicKeyObjects.clear();
  const imported = createPublicKey({
    key: Buffer.from(concatBytes(SPKI_PREFIX, publicKey)),
    format: 'der',
    type: 'spki',
  });
  publicKeyObjects.set(id, imported);
  return imported;
}
