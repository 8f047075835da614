import { DecodeError } from './errors.ts';

const HEX_DIGITS = '0123456789abcdef';
const utf8Encoder = new TextEncoder();
const utf8Decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** No bytes. Shared: never write to it. */
export const EMPTY_BYTES: Uint8Array = new Uint8Array(0);

/** The parts one after another, in a new array. */
export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const joined = new Uint8Array(length);
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.length;
  }
  return joined;
}

/** True when both hold the same bytes. Not constant-time: for public data only. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
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
  let text = '';
  for (const byte of bytes) text += HEX_DIGITS.charAt(byte >> 4) + HEX_DIGITS.charAt(byte & 15);
  return text;
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

/** UTF-8 bytes of a string. */
export function utf8(text: string): Uint8Array {
  return utf8Encoder.encode(text);
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
  let text = '';
  for (let i = 0; i < bytes.length; i += 3) {
    const have = Math.min(3, bytes.length - i);
    const group = ((bytes[i] ?? 0) << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0);
    text += BASE64_DIGITS.charAt(group >> 18) + BASE64_DIGITS.charAt((group >> 12) & 63);
    text += have > 1 ? BASE64_DIGITS.charAt((group >> 6) & 63) : '=';
    text += have > 2 ? BASE64_DIGITS.charAt(group & 63) : '=';
  }
  return text;
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
