/**
 * Parts that the signed forms are made of: numbers are big-endian and of fixed width, what has a length
 * carries it, so that no two contents have the same bytes.
 */
import { AssertionError } from '../../../core/errors.ts';
import { concatBytes, newBytes, utf8 } from '../../../core/bytes.ts';

/** Bytes of a channel's id, of hashes, of salts. */
export const ID_BYTES = 32;
/** Amounts are below this: 2^128. */
export const AMOUNT_END: bigint = 1n << 128n;

const AMOUNT_BYTES = 16;

/** An unsigned number of so many bytes. @throws AssertionError when it has no such form */
export function number(value: bigint, bytes: number): Uint8Array {
  if (value < 0n || value >> BigInt(8 * bytes) !== 0n)
    throw new AssertionError(`${value} is no unsigned number of ${bytes} bytes`);
  const out = newBytes(bytes);
  let rest = value;
  for (let i = bytes - 1; i >= 0; i--) {
    out[i] = Number(rest & 255n);
    rest >>= 8n;
  }
  return out;
}

/** Sixteen bytes. */
export function amount(value: bigint): Uint8Array {
  return number(value, AMOUNT_BYTES);
}

/** Exactly so many bytes. @throws AssertionError when there are others */
export function fixed(bytes: Uint8Array, length: number): Uint8Array {
  if (bytes.length !== length)
    throw new AssertionError(`there are ${bytes.length} bytes where ${length} belong`);
  return bytes;
}

/** At most 255 bytes behind their number. */
export function sized(bytes: Uint8Array): Uint8Array {
  return concatBytes(number(BigInt(bytes.length), 1), bytes);
}

/** UTF-8 behind its length. */
export function text(value: string): Uint8Array {
  return sized(utf8(value));
}

/** What a kind of statement begins with: lower-case letters, then a zero. */
export function domain(name: string): Uint8Array {
  return concatBytes(utf8(`openledger/channels/${name}`), newBytes(1));
}
