/**
 * Key codecs. A key may be made of parts; a part that is followed by another is written so that its end can
 * be found and so that the order of the bytes stays the order of the parts (cosmossdk.io/collections `codec`
 * package):
 *
 * | part    | last            | followed by another        |
 * | ------- | --------------- | -------------------------- |
 * | bytes   | as they are     | length (uvarint), bytes    |
 * | string  | UTF-8           | UTF-8, 0x00                |
 * | uint64  | 8, big-endian   | 8, big-endian              |
 * | int64   | 8, big-endian, sign inverted | the same      |
 * | bool    | 1               | 1                          |
 * | time    | 29, text        | 29, text                   |
 * | address | length (one byte), bytes | the same          |
 */
import { fromUtf8, utf8 } from '../core/bytes.ts';
import { AssertionError, DecodeError } from '../core/errors.ts';
import { formatInstant, type Instant, parseInstant } from '../core/time.ts';
import { readUvarint, uvarintLength, writeUvarint } from '../core/varint.ts';

/** A key or part read from bytes, and where what follows it begins. */
export interface ReadKey<K> {
  readonly key: K;
  readonly next: number;
}

/** How a key, or a part of one, becomes bytes. `last` says that nothing follows it. */
export interface KeyCodec<K> {
  /** Bytes that it takes. */
  size(key: K, last: boolean): number;
  /** Writes it, returns the offset after it. */
  write(out: Uint8Array, offset: number, key: K, last: boolean): number;
  /** @throws DecodeError when the bytes are no such key */
  read(bytes: Uint8Array, offset: number, last: boolean): ReadKey<K>;
  /**
   * The offset after the key when it stands there as `write` would write it; -1 when it does not, or when this
   * is not quick to see. Codecs that have it can be remembered by a `KeyMemo`.
   */
  readonly matches?: (bytes: Uint8Array, offset: number, key: K, last: boolean) => number;
  /** A number that equal keys share and others seldom do. */
  readonly slot?: (key: K) => number;
}

/** Lengths below this are one byte. */
const SHORT_LENGTH_MAX = 127;
/** Bytes at the end of a key that its slot is made of: those of an address are as good as random. */
const SLOT_BYTES = 4;
const SLOT_FACTOR = 31;

/** The bytes of a whole key behind a prefix. */
export function encodeKey<K>(codec: KeyCodec<K>, key: K, prefix: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(prefix.length + codec.size(key, true));
  bytes.set(prefix);
  codec.write(bytes, prefix.length, key, true);
  return bytes;
}

/** Raw bytes. */
export const bytesKey: KeyCodec<Uint8Array> = {
  size: (key, last) => (last ? key.length : uvarintLength(key.length) + key.length),
  write(out, offset, key, last) {
    const start = last ? offset : writeUvarint(out, offset, key.length);
    out.set(key, start);
    return start + key.length;
  },
  read(bytes, offset, last) {
    if (last) return { key: bytes.subarray(offset), next: bytes.length };
    return readLengthPrefixed(bytes, offset);
  },
  matches(bytes, offset, key, last) {
    if (!last && (key.length > SHORT_LENGTH_MAX || bytes[offset] !== key.length)) return -1;
    const start = last ? offset : offset + 1;
    if (start + key.length > bytes.length) return -1;
    for (let i = 0; i < key.length; i++) if (bytes[start + i] !== key[i]) return -1;
    return start + key.length;
  },
  slot(key) {
    let slot = key.length;
    const from = key.length > SLOT_BYTES ? key.length - SLOT_BYTES : 0;
    for (let i = from; i < key.length; i++) slot = (slot * SLOT_FACTOR + (key[i] ?? 0)) | 0;
    return slot;
  },
};

/** Raw bytes that carry their length even at the end, as some SDK indexes do. */
export const lengthPrefixedBytesKey: KeyCodec<Uint8Array> = {
  size: (key) => bytesKey.size(key, false),
  write: (out, offset, key) => bytesKey.write(out, offset, key, false),
  read: (bytes, offset) => readLengthPrefixed(bytes, offset),
};

function readLengthPrefixed(bytes: Uint8Array, offset: number): ReadKey<Uint8Array> {
  const { value, next } = readUvarint(bytes, offset);
  const end = next + Number(value);
  if (end > bytes.length) throw new DecodeError('key is cut short', { offset });
  return { key: bytes.subarray(next, end), next: end };
}

/** At most 255 bytes that carry their length in one byte: the SDK's `address.LengthPrefix`. */
export const addressKey: KeyCodec<Uint8Array> = {
  size: (key) => 1 + key.length,
  write(out, offset, key) {
    if (key.length > 255) throw new AssertionError('an address key is longer than 255 bytes');
    out[offset] = key.length;
    out.set(key, offset + 1);
    return offset + 1 + key.length;
  },
  read(bytes, offset) {
    const end = offset + 1 + (bytes[offset] ?? 0);
    if (end > bytes.length) throw new DecodeError('address key is cut short', { offset });
    return { key: bytes.subarray(offset + 1, end), next: end };
  },
};

/** UTF-8 text without a zero character. */
export const stringKey: KeyCodec<string> = {
  size: (key, last) => (isAscii(key) ? key.length : utf8(key).length) + (last ? 0 : 1),
  write(out, offset, key, last) {
    if (!last && key.includes('\0')) throw new AssertionError('a text key has a zero character');
    let end = offset;
    if (isAscii(key)) for (let i = 0; i < key.length; i++) out[end++] = key.charCodeAt(i);
    else {
      const text = utf8(key);
      out.set(text, offset);
      end += text.length;
    }
    if (!last) out[end++] = 0;
    return end;
  },
  read(bytes, offset, last) {
    const end = last ? bytes.length : bytes.indexOf(0, offset);
    if (end < 0) throw new DecodeError('text key has no end', { offset });
    return { key: fromUtf8(bytes.subarray(offset, end)), next: last ? end : end + 1 };
  },
  matches(bytes, offset, key, last) {
    const end = offset + key.length;
    if (end > bytes.length) return -1;
    for (let i = 0; i < key.length; i++) {
      const code = key.charCodeAt(i);
      // What is not ASCII takes several bytes; a zero may only end the key.
      if (code !== bytes[offset + i] || code === 0 || code > SHORT_LENGTH_MAX) return -1;
    }
    if (last) return end;
    return bytes[end] === 0 ? end + 1 : -1;
  },
  slot: (key) => key.length * SLOT_FACTOR + (key.length === 0 ? 0 : key.charCodeAt(key.length - 1)),
};

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 127) return false;
  return true;
}

/** An unsigned 64-bit number. */
export const uint64Key: KeyCodec<bigint> = {
  size: () => 8,
  write(out, offset, key) {
    new DataView(out.buffer, out.byteOffset, out.byteLength).setBigUint64(offset, key);
    return offset + 8;
  },
  read(bytes, offset) {
    if (offset + 8 > bytes.length) throw new DecodeError('number key is cut short', { offset });
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return { key: view.getBigUint64(offset), next: offset + 8 };
  },
};

/** An unsigned 64-bit number, the low byte first: keys are not in the order of the numbers. */
export const uint64LittleEndianKey: KeyCodec<bigint> = {
  size: () => 8,
  write(out, offset, key) {
    new DataView(out.buffer, out.byteOffset, out.byteLength).setBigUint64(offset, key, true);
    return offset + 8;
  },
  read(bytes, offset) {
    if (offset + 8 > bytes.length) throw new DecodeError('number key is cut short', { offset });
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return { key: view.getBigUint64(offset, true), next: offset + 8 };
  },
};

const SIGN_BIT = 1n << 63n;

/**
 * A signed 64-bit number: eight big-endian bytes with the sign inverted, so that negative ones come first.
 */
export const int64Key: KeyCodec<bigint> = {
  size: () => 8,
  write: (out, offset, key, last) => uint64Key.write(out, offset, key + SIGN_BIT, last),
  read(bytes, offset, last) {
    const { key, next } = uint64Key.read(bytes, offset, last);
    return { key: key - SIGN_BIT, next };
  },
};

/** An unsigned 32-bit number, as four big-endian bytes. */
export const uint32Key: KeyCodec<number> = {
  size: () => 4,
  write(out, offset, key) {
    new DataView(out.buffer, out.byteOffset, out.byteLength).setUint32(offset, key);
    return offset + 4;
  },
  read(bytes, offset) {
    if (offset + 4 > bytes.length) throw new DecodeError('number key is cut short', { offset });
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return { key: view.getUint32(offset), next: offset + 4 };
  },
};

/** Bytes of a moment in a key: `2006-01-02T15:04:05.000000000`. */
const TIME_BYTES = 29;

/** A moment in UTC as text of fixed length, so that keys are ordered as time is (SDK `FormatTimeBytes`). */
export const timeKey: KeyCodec<Instant> = {
  size: () => TIME_BYTES,
  write(out, offset, { seconds, nanos }) {
    const second = formatInstant({ seconds, nanos: 0 }).slice(0, -1);
    out.set(utf8(`${second}.${String(nanos).padStart(9, '0')}`), offset);
    return offset + TIME_BYTES;
  },
  read(bytes, offset) {
    const next = offset + TIME_BYTES;
    if (next > bytes.length) throw new DecodeError('time key is cut short', { offset });
    return { key: parseInstant(`${fromUtf8(bytes.subarray(offset, next))}Z`), next };
  },
};

/** As `timeKey`, behind its length in eight big-endian bytes (SDK `GetValidatorQueueKey`). */
export const sizedTimeKey: KeyCodec<Instant> = {
  size: () => 8 + TIME_BYTES,
  write: (out, offset, key, last) =>
    timeKey.write(out, uint64Key.write(out, offset, BigInt(TIME_BYTES), false), key, last),
  read(bytes, offset, last) {
    const size = uint64Key.read(bytes, offset, false);
    if (size.key !== BigInt(TIME_BYTES)) throw new DecodeError('time key has a wrong length', { offset });
    return timeKey.read(bytes, size.next, last);
  },
};

/** An address behind its length, all bits inverted: in a walk backwards they come in ascending order. */
export const invertedBytesKey: KeyCodec<Uint8Array> = {
  size: (key) => addressKey.size(key, true),
  write: (out, offset, key) => addressKey.write(out, offset, inverted(key), true),
  read(bytes, offset) {
    const { key, next } = addressKey.read(bytes, offset, true);
    return { key: inverted(key), next };
  },
};

function inverted(bytes: Uint8Array): Uint8Array {
  return bytes.map((byte) => ~byte & 255);
}

/** Two parts. */
export type Pair<A, B> = readonly [A, B];

/** Codec of a pair; `prefix` gives the bytes that all keys with that first part begin with. */
export interface PairKeyCodec<A, B> extends KeyCodec<Pair<A, B>> {
  prefix(first: A): Uint8Array;
}

/** Keys of two parts, ordered by the first, then by the second. */
export function pairKey<A, B>(first: KeyCodec<A>, second: KeyCodec<B>): PairKeyCodec<A, B> {
  return {
    size: ([a, b], last) => first.size(a, false) + second.size(b, last),
    write: (out, offset, [a, b], last) => second.write(out, first.write(out, offset, a, false), b, last),
    read(bytes, offset, last) {
      const a = first.read(bytes, offset, false);
      const b = second.read(bytes, a.next, last);
      return { key: [a.key, b.key], next: b.next };
    },
    prefix(a) {
      const bytes = new Uint8Array(first.size(a, false));
      first.write(bytes, 0, a, false);
      return bytes;
    },
    ...pairMatches(first, second),
  };
}

function pairMatches<A, B>(
  first: KeyCodec<A>,
  second: KeyCodec<B>,
): Pick<KeyCodec<Pair<A, B>>, 'matches' | 'slot'> {
  const { matches: matchesA, slot: slotA } = first;
  const { matches: matchesB, slot: slotB } = second;
  if (matchesA === undefined || slotA === undefined) return {};
  if (matchesB === undefined || slotB === undefined) return {};
  return {
    matches(bytes, offset, [a, b], last) {
      const next = matchesA(bytes, offset, a, false);
      return next < 0 ? -1 : matchesB(bytes, next, b, last);
    },
    slot: ([a, b]) => (slotA(a) * SLOT_FACTOR + slotB(b)) | 0,
  };
}

/** Three parts. */
export type Triple<A, B, C> = readonly [A, B, C];

/** Codec of a triple with the bytes that keys of one first part, or of two, begin with. */
export interface TripleKeyCodec<A, B, C> extends KeyCodec<Triple<A, B, C>> {
  prefix(first: A): Uint8Array;
  prefix2(first: A, second: B): Uint8Array;
}

/** Keys of three parts, ordered by the first, then the second, then the third. */
export function tripleKey<A, B, C>(
  first: KeyCodec<A>,
  second: KeyCodec<B>,
  third: KeyCodec<C>,
): TripleKeyCodec<A, B, C> {
  const head = pairKey(first, second);
  return {
    size: ([a, b, c], last) => head.size([a, b], false) + third.size(c, last),
    write: (out, offset, [a, b, c], last) =>
      third.write(out, head.write(out, offset, [a, b], false), c, last),
    read(bytes, offset, last) {
      const ab = head.read(bytes, offset, false);
      const c = third.read(bytes, ab.next, last);
      return { key: [ab.key[0], ab.key[1], c.key], next: c.next };
    },
    prefix: (a) => head.prefix(a),
    prefix2(a, b) {
      const bytes = new Uint8Array(head.size([a, b], false));
      head.write(bytes, 0, [a, b], false);
      return bytes;
    },
  };
}
