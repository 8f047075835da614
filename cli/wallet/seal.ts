/** A secret under a passphrase: scrypt makes the key, AES-256-GCM seals. */
import { createCipheriv, createDecipheriv, randomBytes, scryptSync } from 'node:crypto';
import { concatBytes, fromBase64, toBase64 } from '../../core/bytes.ts';
import { LedgerError } from '../../core/errors.ts';

/** Cost of scrypt: 2^15 × 8 × 128 bytes = 32 MiB, about 80 ms. */
const SCRYPT_N = 32_768;
const SCRYPT_R = 8;
const SCRYPT_P = 1;
const SCRYPT_MEMORY_MAX = 64 * 1024 * 1024;
/** Highest cost that a file may ask for: a file from elsewhere must not be able to take all memory. */
const SCRYPT_N_MAX = SCRYPT_N;
const KEY_BYTES = 32;
const SALT_BYTES = 16;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** A sealed secret as its file holds it; bytes are base64. */
export interface Sealed {
  readonly kdf: 'scrypt';
  readonly n: number;
  readonly salt: string;
  readonly nonce: string;
  /** Ciphertext and tag. */
  readonly box: string;
}

/** What is sealed, under what, bound to what. */
export interface SealInput {
  readonly secret: Uint8Array;
  readonly passphrase: string;
  /** Data in the clear that must not be exchanged behind the seal. */
  readonly bound: Uint8Array;
}

/** Seals a secret. */
export function seal(input: SealInput): Sealed {
  const salt = randomBytes(SALT_BYTES);
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', keyOf(input.passphrase, salt, SCRYPT_N), nonce);
  cipher.setAAD(input.bound);
  const box = concatBytes(cipher.update(input.secret), cipher.final(), cipher.getAuthTag());
  return { kdf: 'scrypt', n: SCRYPT_N, salt: toBase64(salt), nonce: toBase64(nonce), box: toBase64(box) };
}

/**
 * Opens a sealed secret.
 * @throws LedgerError `keys.passphrase` when the passphrase is wrong or the file was changed
 */
export function unseal(sealed: Sealed, passphrase: string, bound: Uint8Array): Uint8Array {
  if (sealed.n > SCRYPT_N_MAX)
    throw new LedgerError('keys.file', `the key asks for scrypt with n = ${sealed.n}`);
  const box = fromBase64(sealed.box);
  const key = keyOf(passphrase, fromBase64(sealed.salt), sealed.n);
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, fromBase64(sealed.nonce));
    decipher.setAAD(bound);
    decipher.setAuthTag(box.subarray(box.length - TAG_BYTES));
    return concatBytes(decipher.update(box.subarray(0, box.length - TAG_BYTES)), decipher.final());
  } catch (cause) {
    throw new LedgerError('keys.passphrase', 'wrong passphrase (or the key file was changed)', {}, cause);
  }
}

function keyOf(passphrase: string, salt: Uint8Array, n: number): Buffer {
  return scryptSync(passphrase.normalize('NFKD'), salt, KEY_BYTES, {
    N: n,
    r: SCRYPT_R,
    p: SCRYPT_P,
    maxmem: SCRYPT_MEMORY_MAX,
  });
}
