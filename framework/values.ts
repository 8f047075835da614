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
 * that cost more to decode than to compare. Values must be immutable.
 *
 * One place for each value of `slotOf`, which the last bytes with it take. The bytes are kept as text: an
 * array would keep the slab that it lies in.
 */
export function remembered<V>(valuesMax: number, codec: ValueCodec<V>): ValueCodec<V> {
  const places = new Array<Remembered<V> | undefined>(valuesMax).fill(undefined);
  return {
    encode(value) {
      const bytes = codec.encode(value);
      const place = slotOf(bytes) % valuesMax;
      const known = places[place];
      const text = known !== undefined && isText(bytes, known.text) ? known.text : latin1(bytes);
      places[place] = { text, value };
      return bytes;
    },
    decode(bytes) {
      const place = slotOf(bytes) % valuesMax;
      const known = places[place];
      if (known !== undefined && isText(bytes, known.text)) return known.value;
      const value = codec.decode(bytes);
      places[place] = { text: latin1(bytes), value };
      return value;
    },
  };
}

interface Remembered<V> {
  /** The bytes as a latin-1 string. */
  readonly text: string;
  readonly value: V;
}

function isText(bytes: Uint8Array, text: string): boolean {
  if (bytes.length !== text.length) return false;
  // From the end: values of one key differ there (sequences, amounts).
  for (let i = bytes.length - 1; i >= 0; i--) if (bytes[i] !== text.charCodeAt(i)) return false;
  return true;
}

/** Every so many bytes count, and all at the end. */
const SLOT_STRIDE = 5;
const SLOT_TAIL_BYTES = 4;
/** FNV-1a. */
const SLOT_FACTOR = 0x0100_0193;

/** A number, not negative, that equal bytes share and others seldom do. */
function slotOf(bytes: Uint8Array): number {
  const { length } = bytes;
  let slot = length;
  for (let i = 0; i < length; i += SLOT_STRIDE) slot = Math.imul(slot ^ (bytes[i] ?? 0), SLOT_FACTOR);
  for (let i = Math.max(0, length - SLOT_TAIL_BYTES); i < length; i++)
    slot = Math.imul(slot ^ (bytes[i] ?? 0), SLOT_FACTOR);
  return slot >>> 1;
}
