/**
 * Hash functions. SHA-256 is the hot path of every tree and every transaction, and Node's one-shot
 * `crypto.hash` is five times as fast as the alternatives when it returns a latin-1 string (docs/adr/0004).
 * It is a pure function of its input, so this file is the one place of the deterministic zone that may import
 * `node:crypto`; the test beside it holds it against @noble/hashes.
 */
import { createHmac, hash } from 'node:crypto';
import { ripemd160 as nobleRipemd160 } from '@noble/hashes/legacy.js';

declare global {
  interface Buffer {
    /**
     * Writes a latin-1 string; returns the bytes written. In Node.js since 0.x, missing from its type
     * package.
     */
    latin1Write(text: string, offset: number, length: number): number;
  }
}

/** Bytes of a SHA-256 digest. */
export const HASH_BYTES = 32;

/** SHA-256 (FIPS 180-4): 32 bytes. */
export function sha256(data: Uint8Array): Uint8Array {
  return digestOfText(sha256Text(data));
}

/** SHA-256 as a string of 32 characters, one a byte: the form in which it comes, and a key for maps. */
export function sha256Text(data: Uint8Array): string {
  return hash('sha256', data, 'binary');
}

/** The 32 bytes of a digest that `sha256Text` gave. */
export function digestOfText(text: string): Uint8Array {
  const digest = new Uint8Array(HASH_BYTES);
  for (let i = 0; i < HASH_BYTES; i++) digest[i] = text.charCodeAt(i);
  return digest;
}

/** Writes the SHA-256 of `data` into `out` at `offset`: no allocation but one short string. */
export function sha256Into(data: Uint8Array, out: Buffer, offset: number): void {
  out.latin1Write(hash('sha256', data, 'binary'), offset, HASH_BYTES);
}

/** HMAC-SHA-256 (RFC 2104) under a key of any length: 32 bytes. */
export function hmacSha256(key: Uint8Array, data: Uint8Array): Uint8Array {
  return new Uint8Array(createHmac('sha256', key).update(data).digest());
}

/** SHA-512 (FIPS 180-4): 64 bytes. */
export function sha512(data: Uint8Array): Uint8Array {
  return Buffer.from(hash('sha512', data, 'binary'), 'latin1');
}

/** RIPEMD-160: 20 bytes. */
export function ripemd160(data: Uint8Array): Uint8Array {
  return nobleRipemd160(data);
}
