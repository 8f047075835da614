import {
  EMPTY_BYTES,
  equalBytes,
  fromUint64BigEndian,
  fromUtf8,
  uint64BigEndian,
  utf8,
} from '../core/bytes.ts';
import { DecodeError } from '../core/errors.ts';
import { latin1 } from './address.ts';
import { BoundedMap } from './bounded-map.ts';

/** How a value becomes bytes. The generated protobuf message types are such codecs. */
export interface ValueCodec<V> {
  encode(value: V): Uint8Array;
  /** @throws DecodeError when the bytes are no such value */
  decode(bytes: Uint8Array): V;
}

/** Raw bytes. */
export const bytesValue: ValueCodec<Uint8Array> = { encode: (value) => value, decode: (bytes) => bytes };

/** UTF-8 text. */
export const stringValue: ValueCodec<string> = { encode: utf8, decode: fromUtf8 };

/** Eight big-endian bytes. */
export const uint64Value: ValueCodec<bigint> = { encode: uint64BigEndian, decode: fromUint64BigEndian };

/** Integer of any size as decimal text: the SDK's `math.Int`. */
export const integerValue: ValueCodec<bigint> = {
  encode(value) {
    const text = value.toString();
    const bytes = new Uint8Array(text.length);
    for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
    return bytes;
  },
  decode(bytes) {
    if (bytes.length === 0) throw new DecodeError('stored integer is empty');
    return bytes.length <= SAFE_DIGITS ? BigInt(safeInteger(bytes)) : largeInteger(bytes);
  },
};

/** As many decimal digits always make a safe integer. */
const SAFE_DIGITS = 15;

/** Balances are read on every transfer: digits are added up, no text is made. */
function safeInteger(bytes: Uint8Array): number {
  const negative = bytes[0] === 45;
  let value = 0;
  for (let i = negative ? 1 : 0; i < bytes.length; i++) {
    const digit = (bytes[i] ?? 0) - 48;
    if (digit < 0 || digit > 9) throw new DecodeError('stored integer is not decimal text');
    value = value * 10 + digit;
  }
  return negative ? -value : value;
}

function largeInteger(bytes: Uint8Array): bigint {
  const text = fromUtf8(bytes);
  if (!/^-?[0-9]+$/.test(text)) throw new DecodeError('stored integer is not decimal text');
  return BigInt(text);
}

/** A boolean as `google.protobuf.BoolValue`: no bytes for false, `08 01` for true (SDK `codec.BoolValue`). */
export const boolValue: ValueCodec<boolean> = {
  encode: (value) => (value ? Uint8Array.of(8, 1) : EMPTY_BYTES),
  decode: (bytes) => bytes.length === 2 && bytes[1] === 1,
};

/** No value: sets and indexes. */
export const noValue: ValueCodec<undefined> = { encode: () => EMPTY_BYTES, decode: () => undefined };

/**
 * The same codec, remembering the last bytes and what they decoded to: for single values that every
 * transaction reads. Values must be immutable.
 */
export function memoized<V>(codec: ValueCodec<V>): ValueCodec<V> {
  let last: { readonly bytes: Uint8Array; readonly value: V } | undefined;
  return {
    encode: (value) => codec.encode(value),
    decode(bytes) {
      if (last === undefined || !equalBytes(last.bytes, bytes))
        last = { bytes: Uint8Array.from(bytes), value: codec.decode(bytes) };
      return last.value;
    },
  };
}

/**
 * The same codec, remembering many values by their bytes, those written lately and those read. For values
 * that cost more to decode than a string of their bytes to make. Values must be immutable.
 */
export function remembered<V>(valuesMax: number, codec: ValueCodec<V>): ValueCodec<V> {
  const values = new BoundedMap<string, V>(valuesMax);
  return {
    encode(value) {
      const bytes = codec.encode(value);
      values.set(latin1(bytes), value);
      return bytes;
    },
    decode(bytes) {
      const text = latin1(bytes);
      const known = values.get(text);
      if (known !== undefined) return known;
      const value = codec.decode(bytes);
      values.set(text, value);
      return value;
    },
  };
}
