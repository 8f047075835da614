/** Changes that keep the bytes a protobuf message, or nearly one. */
import { concatBytes } from '../../core/bytes.ts';
import { encodeUvarint } from '../../core/varint.ts';
import { mutateBytes } from './mutate-bytes.ts';
import type { Random } from './random.ts';

interface WireField {
  readonly number: number;
  readonly wireType: number;
  /** Of a length-delimited field without its length. */
  readonly content: Uint8Array;
}

/** Values at the edges of 7, 8, 31, 32, 63 and 64 bits, and of limits that messages have. */
const VARINTS: readonly [bigint, ...bigint[]] = [
  ...([0n, 1n, 2n, 127n, 128n, 255n, 256n, 9_999n, 10_000n, 10_001n, 65_536n] as const),
  ...[31n, 32n, 53n, 62n, 63n].flatMap((bits) => [(1n << bits) - 1n, 1n << bits, (1n << bits) + 1n]),
  (1n << 64n) - 1n,
];
const OVERLONG: readonly [Uint8Array, ...Uint8Array[]] = [
  Uint8Array.of(0x80, 0),
  Uint8Array.of(0x81, 0x80, 0),
  new Uint8Array(11).fill(0xff),
  Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2),
];
/** Levels of nesting around the codec's limit of 32. */
const DEPTHS: readonly [number, ...number[]] = [2, 8, 31, 32, 33];
const COUNTS: readonly [number, ...number[]] = [2, 3, 5, 17, 40];
/** Great ones take long, so they are seldom. */
const GREAT_ONE_IN = 512;
const GREAT_DEPTHS: readonly [number, ...number[]] = [200, 1_000, 3_000];
const GREAT_COUNTS: readonly [number, ...number[]] = [1_000, 10_001, 30_000];

/** The fields of a message; undefined when the bytes are none. */
function fieldsOf(bytes: Uint8Array): WireField[] | undefined {
  const fields: WireField[] = [];
  let at = 0;
  const varint = (): number | undefined => {
    let value = 0;
    for (let i = 0; i < 10; i++) {
      const byte = bytes[at++];
      if (byte === undefined) return undefined;
      value += (byte & 127) * 128 ** i;
      if (byte < 128) return value;
    }
    return undefined;
  };
  while (at < bytes.length) {
    const tag = varint();
    if (tag === undefined || tag < 8 || tag > 2 ** 31) return undefined;
    const wireType = tag % 8;
    let start = at;
    if (wireType === 0) varint();
    else if (wireType === 1) at += 8;
    else if (wireType === 5) at += 4;
    else if (wireType === 2) {
      const length = varint();
      if (length === undefined) return undefined;
      start = at;
      at += length;
    } else return undefined;
    if (at > bytes.length) return undefined;
    fields.push({ number: Math.floor(tag / 8), wireType, content: bytes.subarray(start, at) });
  }
  return fields;
}

function encodeField({ number, wireType, content }: WireField): Uint8Array {
  const tag = encodeUvarint(BigInt(number * 8 + wireType));
  if (wireType !== 2) return concatBytes(tag, content);
  return concatBytes(tag, encodeUvarint(BigInt(content.length)), content);
}

/** One field that is not what its length says. */
function withLength(field: WireField, length: Uint8Array): Uint8Array {
  return concatBytes(encodeUvarint(BigInt(field.number * 8 + 2)), length, field.content);
}

function nested(field: WireField, levels: number): WireField {
  let content = field.content;
  for (let level = 0; level < levels && content.length < 40_000; level++)
    content = encodeField({ number: field.number, wireType: 2, content });
  return { ...field, wireType: 2, content };
}

function count(random: Random): number {
  return random.pick(random.oneIn(GREAT_ONE_IN) ? GREAT_COUNTS : COUNTS);
}

/** The same bytes again and again. */
export function repeated(bytes: Uint8Array, times: number): Uint8Array {
  const out = new Uint8Array(bytes.length * times);
  for (let i = 0; i < times; i++) out.set(bytes, i * bytes.length);
  return out;
}

/** One change. `bytesMax` bounds the result roughly. */
export function mutateProtobuf(bytes: Uint8Array, random: Random, bytesMax: number): Uint8Array {
  const fields = fieldsOf(bytes);
  if (fields === undefined || fields.length === 0) return mutateBytes(bytes, random);
  const at = random.below(fields.length);
  const field = fields[at];
  if (field === undefined) return mutateBytes(bytes, random);
  const encoded = fields.map(encodeField);
  const replaced = (...by: readonly Uint8Array[]): Uint8Array =>
    concatBytes(...encoded.slice(0, at), ...by, ...encoded.slice(at + 1));
  const own = encoded[at] ?? new Uint8Array(0);
  // Mostly go down: what is inside is checked by somebody else.
  if (field.wireType === 2 && field.content.length > 0 && !random.oneIn(3))
    return replaced(encodeField({ ...field, content: mutateProtobuf(field.content, random, bytesMax) }));
  switch (random.below(11)) {
    case 0:
      return replaced();
    case 1:
      return replaced(own, own);
    case 2:
      return concatBytes(own, ...encoded.filter((_, i) => i !== at));
    case 3:
      return replaced(encodeField({ ...field, wireType: 0, content: encodeUvarint(random.pick(VARINTS)) }));
    case 4:
      return replaced(encodeField({ ...field, wireType: 0, content: random.pick(OVERLONG) }));
    case 5:
      return replaced(withLength(field, encodeUvarint(random.pick(VARINTS))));
    case 6:
      return replaced(
        encodeField(nested(field, random.pick(random.oneIn(GREAT_ONE_IN) ? GREAT_DEPTHS : DEPTHS))),
      );
    case 7: {
      const fits = Math.max(1, Math.floor(bytesMax / Math.max(1, own.length)));
      return replaced(repeated(own, Math.min(count(random), fits)));
    }
    case 8: {
      const empty = encodeField({ ...field, wireType: 2, content: new Uint8Array(0) });
      const fits = Math.floor(bytesMax / empty.length);
      return replaced(repeated(empty, Math.min(count(random), fits)));
    }
    case 9: {
      const number = 1 + random.below(random.pick([4, 16, 2_048, 1 << 20]));
      return replaced(own, encodeField({ ...field, number }));
    }
    default:
      return replaced(encodeField({ ...field, content: mutateBytes(field.content, random) }));
  }
}
