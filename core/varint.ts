/**
 * Base-128 varints, as protobuf, IAVL and CometBFT write them. Unsigned 64-bit values are bigint; the
 * `number` variants serve lengths and counts, which every limit keeps far below 2^53.
 */
import { DecodeError } from './errors.ts';

const MAX_BYTES = 10;
const UINT64_LIMIT = 1n << 64n;

/** Bytes that the varint of a non-negative safe integer takes. */
export function uvarintLength(value: number): number {
  let length = 1;
  while (value >= 128) {
    value = Math.floor(value / 128);
    length++;
  }
  return length;
}

/** Writes a non-negative safe integer; returns the offset after it. The caller has made room. */
export function writeUvarint(out: Uint8Array, offset: number, value: number): number {
  while (value >= 128) {
    out[offset++] = (value % 128) | 128;
    value = Math.floor(value / 128);
  }
  out[offset++] = value;
  return offset;
}

/** Varint of an unsigned 64-bit value, in a new array. */
export function encodeUvarint(value: bigint): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 128n) {
    bytes.push(Number(rest & 127n) | 128);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return Uint8Array.from(bytes);
}

/**
 * Varint of a signed 64-bit value by zig-zag, as Go's `binary.PutVarint` and IAVL's leaf encoding have it.
 */
export function encodeZigzag(value: bigint): Uint8Array {
  return encodeUvarint(value >= 0n ? value << 1n : (-value << 1n) - 1n);
}

/** A number read from bytes, and where what follows it begins. */
export interface ReadUvarint {
  readonly value: bigint;
  readonly next: number;
}

/**
 * Reads an unsigned varint of at most 64 bits.
 * @throws DecodeError when it is cut short or does not fit 64 bits
 */
export function readUvarint(bytes: Uint8Array, offset: number): ReadUvarint {
  let value = 0n;
  for (let i = 0; i < MAX_BYTES; i++) {
    const byte = bytes[offset + i];
    if (byte === undefined) throw new DecodeError('varint is cut short', { offset });
    value |= BigInt(byte & 127) << BigInt(7 * i);
    if (byte < 128) {
      if (value >= UINT64_LIMIT) break;
      return { value, next: offset + i + 1 };
    }
  }
  throw new DecodeError('varint does not fit 64 bits', { offset });
}
