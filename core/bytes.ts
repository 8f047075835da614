import { DecodeError } from './errors.ts';

const utf8Encoder = new TextEncoder();
const utf8Decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** No bytes. Shared: never write to it. */
export const EMPTY_BYTES: Uint8Array = new Uint8Array(0);

/** Arrays up to this length live in the engine's own heap; longer ones cost an allocation outside of it. */
const HEAP_BYTES_MAX = 64;
/** Longest array that shares a slab. */
const SLAB_SHARE_MAX = 2048;
const SLAB_BYTES = 32 * 1024;
let slab = new Uint8Array(SLAB_BYTES);
let slabUsed = 0;

/**
 * A new array of zeros. One of middling length is a view of a slab that it shares with others, a third of the
 * cost of a buffer of its own; so its `buffer` holds more than itself, and keeping it keeps the slab.
 */
export function newBytes(length: number): Uint8Array<ArrayBuffer> {
  if (length <= HEAP_BYTES_MAX || length > SLAB_SHARE_MAX) return new Uint8Array(length);
  if (slabUsed + length > SLAB_BYTES) {
    slab = new Uint8Array(SLAB_BYTES);
    slabUsed = 0;
  }
  const bytes = new Uint8Array(slab.buffer, slabUsed, length);
  slabUsed += length;
  return bytes;
}

/** A copy of the bytes from `start` to `end`, allocated as `newBytes` does. */
export function copyBytes(bytes: Uint8Array, start: number, end: number): Uint8Array {
  const length = end - start;
  if (length <= HEAP_BYTES_MAX || length > SLAB_SHARE_MAX) return bytes.slice(start, end);
  const copy = newBytes(length);
  copy.set(bytes.subarray(start, end));
  return copy;
}

/** The parts one after another, in a new array. */
export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const joined = newBytes(length);
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.length;
  }
  return joined;
}

/** True when both hold the same bytes. Not constant-time: for public data only. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Order of keys: byte by byte, unsigned, a prefix before what it starts. Negative, zero or positive. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const shared = Math.min(a.length, b.length);
  for (let i = 0; i < shared; i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

/** True when `bytes` begins with `prefix`. */
export function startsWith(bytes: Uint8Array, prefix: Uint8Array): boolean {
  if (bytes.length < prefix.length) return false;
  for (let i = 0; i < prefix.length; i++) if (bytes[i] !== prefix[i]) return false;
  return true;
}

/**
 * The first key after all keys that begin with `prefix`; undefined when there is none (empty, or all 0xff).
 */
export function prefixEnd(prefix: Uint8Array): Uint8Array | undefined {
  for (let last = prefix.length - 1; last >= 0; last--) {
    const byte = prefix[last] ?? 0xff;
    if (byte === 0xff) continue;
    const end = prefix.slice(0, last + 1);
    end[last] = byte + 1;
    return end;
  }
  return undefined;
}

/** Lower-case hexadecimal. */
export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex');
}

/** Upper-case hexadecimal, as CometBFT prints hashes and addresses. */
export function toUpperHex(bytes: Uint8Array): string {
  return toHex(bytes).toUpperCase();
}

/**
 * Bytes of hexadecimal text in either case, without prefix.
 * @throws DecodeError on an odd length or another character
 */
export function fromHex(text: string): Uint8Array {
  if (text.length % 2 !== 0) throw new DecodeError('hexadecimal text has an odd number of digits');
  const bytes = new Uint8Array(text.length / 2);
  for (let i = 0; i < bytes.length; i++) {
    const high = hexDigit(text.charCodeAt(2 * i));
    const low = hexDigit(text.charCodeAt(2 * i + 1));
    if (high < 0 || low < 0) throw new DecodeError(`not a hexadecimal digit near position ${2 * i}`);
    bytes[i] = (high << 4) | low;
  }
  return bytes;
}

function hexDigit(code: number): number {
  if (code >= 48 && code <= 57) return code - 48;
  if (code >= 97 && code <= 102) return code - 87;
  if (code >= 65 && code <= 70) return code - 55;
  return -1;
}

/** Text up to this length is encoded here while it is ASCII: the encoder's call costs several times as much. */
const SHORT_TEXT_CHARS = 128;

/** UTF-8 bytes of a string. */
export function utf8(text: string): Uint8Array {
  if (text.length > SHORT_TEXT_CHARS) return utf8Encoder.encode(text);
  const bytes = newBytes(text.length);
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code >= 128) return utf8Encoder.encode(text);
    bytes[i] = code;
  }
  return bytes;
}

/**
 * The string that the bytes spell in UTF-8.
 * @throws DecodeError when they are not well-formed UTF-8
 */
export function fromUtf8(bytes: Uint8Array): string {
  try {
    return utf8Decoder.decode(bytes);
  } catch (cause) {
    throw new DecodeError('bytes are not well-formed UTF-8', { length: bytes.length }, cause);
  }
}

const BASE64_DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const BASE64_VALUES: ReadonlyMap<number, number> = new Map(
  [...BASE64_DIGITS].map((digit, value) => [digit.charCodeAt(0), value]),
);

/** Standard base64 with padding (RFC 4648 section 4). */
export function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64');
}

/**
 * Bytes of standard base64; padding is required, as Go's `base64.StdEncoding` requires it.
 * @throws DecodeError on other characters, a wrong length or non-zero padding bits
 */
export function fromBase64(text: string): Uint8Array {
  if (text.length % 4 !== 0) throw new DecodeError('base64 text is not a multiple of four characters long');
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  const digits = text.length - padding;
  const bytes = new Uint8Array((text.length / 4) * 3 - padding);
  let bits = 0;
  let bitCount = 0;
  let offset = 0;
  for (let i = 0; i < digits; i++) {
    const value = BASE64_VALUES.get(text.charCodeAt(i));
    if (value === undefined) throw new DecodeError(`not a base64 character at position ${i}`);
    bits = ((bits << 6) | value) & 0xffffff;
    bitCount += 6;
    if (bitCount >= 8) {
      bitCount -= 8;
      bytes[offset++] = (bits >> bitCount) & 0xff;
    }
  }
  if ((bits & ((1 << bitCount) - 1)) !== 0)
    throw new DecodeError('base64 text has stray bits in its padding');
  return bytes;
}

/** Eight bytes, big-endian: the order of the bytes is the order of the numbers. */
export function uint64BigEndian(value: bigint): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, value);
  return bytes;
}

/**
 * The number in eight big-endian bytes.
 * @throws DecodeError when there are not eight
 */
export function fromUint64BigEndian(bytes: Uint8Array): bigint {
  if (bytes.length !== 8) throw new DecodeError(`expected 8 bytes, got ${bytes.length}`);
  return new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0);
}
