/**
 * The JSON form of a message, made from its field table, as genesis documents, events and REST hold it: names
 * as in the .proto file, 64-bit numbers as text, bytes in base64, enumerations by name, every field written
 * but the members of oneofs that are not set. Source: protobuf's ProtoJSON with original names and defaults,
 * as the Cosmos SDK writes it (`codec.ProtoMarshalJSON`, v0.50).
 *
 * | what | form |
 * | --- | --- |
 * | `Any` | the message inside with `@type`, its type URL |
 * | Timestamp | RFC 3339 in UTC; no, 3, 6 or 9 digits of a second |
 * | Duration | `1814400s`, `0.500s` |
 * | `math.LegacyDec` | text with a point and 18 digits behind it; on the wire an integer |
 * | `math.Int` | decimal text |
 */
import { fromUtf8, toBase64, utf8 } from '../core/bytes.ts';
import { AssertionError } from '../core/errors.ts';
import { formatInstant, type Instant, parseInstant } from '../core/time.ts';
import type { Field } from '../proto/codec/field.ts';
import type { MessageType } from '../proto/codec/message.ts';
import type { Any } from '../proto/gen/google/protobuf/any.ts';
import { AnyTypes } from './any-types.ts';
import { AMOUNT_MAX } from './coins.ts';
import type { JsonObject, JsonReader, JsonValue } from './json.ts';
import { repack } from './repack.ts';

type Properties = Readonly<Record<string, unknown>>;

/** Where the type of what an `Any` holds stands. */
const TYPE_MEMBER = '@type';

const NO_ANY_TYPES = new AnyTypes([]);

const DECIMAL_DIGITS = 18;
const DECIMAL_PATTERN = /^(-?)([0-9]{1,78})(?:\.([0-9]{1,18}))?$/;
const WIRE_DECIMAL_PATTERN = /^-?[0-9]{1,100}$/;
const DURATION_PATTERN = /^(-?)([0-9]{1,12})(?:\.([0-9]{1,9}))?s$/;

/**
 * A message as a JSON object.
 * @param types what an `Any` in it may hold; default nothing
 */
export function messageToJson<T>(
  type: MessageType<T>,
  message: T,
  types: AnyTypes = NO_ANY_TYPES,
): JsonObject {
  const properties = message as Properties;
  const members: [string, JsonValue][] = [];
  for (const field of type.fields) {
    const value = properties[field.name];
    if (field.oneof !== undefined && value === undefined) continue;
    members.push([field.protoName, fieldToJson(field, value, types)]);
  }
  return Object.fromEntries(members);
}

function fieldToJson(field: Field, value: unknown, types: AnyTypes): JsonValue {
  if (field.rule !== 'repeated') return value === undefined ? null : valueToJson(field, value, types);
  return (value as readonly unknown[]).map((item) => valueToJson(field, item, types));
}

function valueToJson(field: Field, value: unknown, types: AnyTypes): JsonValue {
  const { value: held } = field;
  if (held.kind === 'message') return nestedToJson(held.message(), value, types);
  if (held.kind === 'enum') return enumName(held.enum().values, value as number);
  if (value instanceof Uint8Array) return bytesToJson(field, value);
  if (typeof value === 'bigint') return value.toString();
  if (typeof value === 'string') return customToJson(field, value);
  if (typeof value === 'number' || typeof value === 'boolean') return value;
  throw new AssertionError(`field ${field.protoName} has no JSON form`);
}

function nestedToJson(type: MessageType<unknown>, value: unknown, types: AnyTypes): JsonValue {
  switch (type.name) {
    case 'google.protobuf.Any':
      return anyToJson(value as Any, types);
    case 'google.protobuf.Timestamp':
      return timestampToJson(value as Instant);
    case 'google.protobuf.Duration':
      return durationToJson(value as Instant);
    default:
      return messageToJson(type, value, types);
  }
}

/**
 * What an `Any` holds, with its type.
 * @throws StateError (sdk 2) when the type is not one of `types`
 */
export function anyToJson(any: Any, types: AnyTypes): JsonObject {
  const inner = types.unpack(any);
  return { [TYPE_MEMBER]: any.typeUrl, ...messageToJson(inner.type, inner.value, types) };
}

function timestampToJson({ seconds, nanos }: Instant): string {
  return `${formatInstant({ seconds, nanos: 0 }).slice(0, -1)}${fraction(nanos)}Z`;
}

/** Both parts of a duration have the same sign. */
function durationToJson({ seconds, nanos }: Instant): string {
  const sign = seconds < 0n || nanos < 0 ? '-' : '';
  return `${sign}${seconds < 0n ? -seconds : seconds}${fraction(Math.abs(nanos))}s`;
}

/** No, 3, 6 or 9 digits behind a point. */
function fraction(nanos: number): string {
  if (nanos === 0) return '';
  return `.${String(nanos)
    .padStart(9, '0')
    .replace(/(000){1,2}$/, '')}`;
}

function enumName(values: Readonly<Record<string, number>>, number: number): JsonValue {
  return Object.entries(values).find(([, value]) => value === number)?.[0] ?? number;
}

type CustomKind = 'decimal' | 'integer';

/** Numbers of the SDK that travel as text. */
function customKind({ options }: Field): CustomKind | undefined {
  switch (options?.['gogoproto.customtype']) {
    case 'cosmossdk.io/math.LegacyDec':
      return 'decimal';
    case 'cosmossdk.io/math.Int':
      return 'integer';
    default:
      return undefined;
  }
}

/** Go writes bytes that were never filled as null. */
function bytesToJson(field: Field, bytes: Uint8Array): JsonValue {
  if (customKind(field) !== undefined) return customToJson(field, fromUtf8(bytes));
  return bytes.length === 0 ? null : toBase64(bytes);
}

function customToJson(field: Field, text: string): JsonValue {
  if (text === '' && field.options?.['gogoproto.nullable'] !== false && customKind(field) !== undefined)
    return null;
  switch (customKind(field)) {
    case 'decimal':
      return decimalToJson(text);
    case 'integer':
      return text === '' ? '0' : text;
    case undefined:
      return text;
  }
}

function decimalToJson(wire: string): string {
  if (wire === '') return '0';
  if (!WIRE_DECIMAL_PATTERN.test(wire)) throw new AssertionError(`${wire} is no decimal`);
  const sign = wire.startsWith('-') ? '-' : '';
  const digits = wire
    .slice(sign.length)
    .replace(/^0+/, '')
    .padStart(DECIMAL_DIGITS + 1, '0');
  return `${sign}${digits.slice(0, -DECIMAL_DIGITS)}.${digits.slice(-DECIMAL_DIGITS)}`;
}

/**
 * The message that a JSON object is; what is missing or null has its default.
 * @param types what an `Any` in it may hold; default nothing
 * @throws JsonError naming the path, for unknown members too
 */
export function messageFromJson<T>(
  type: MessageType<T>,
  json: JsonReader,
  types: AnyTypes = NO_ANY_TYPES,
): T {
  json.onlyMembers(...type.fields.map((field) => field.protoName));
  return membersFromJson(type, json, types);
}

function membersFromJson<T>(type: MessageType<T>, json: JsonReader, types: AnyTypes): T {
  const given: Record<string, unknown> = {};
  const oneofs = new Set<string>();
  for (const field of type.fields) {
    const member = json.member(field.protoName);
    if (!member.present) continue;
    if (field.oneof !== undefined && oneofs.has(field.oneof))
      member.fail(`only one of ${field.oneof} may be given`);
    if (field.oneof !== undefined) oneofs.add(field.oneof);
    given[field.name] =
      field.rule === 'repeated'
        ? member.elements().map((item) => valueFromJson(field, item, types))
        : valueFromJson(field, member, types);
  }
  return type.create(given as Partial<T>);
}

function valueFromJson(field: Field, json: JsonReader, types: AnyTypes): unknown {
  const { value: held } = field;
  switch (held.kind) {
    case 'message':
      return nestedFromJson(held.message(), json, { types, accepts: acceptedBy(field) });
    case 'enum':
      return enumNumber(held.enum().values, json);
    case 'bytes':
      return customKind(field) === undefined ? json.base64() : utf8(customFromJson(field, json));
    case 'string':
      return customKind(field) === undefined ? json.text() : customFromJson(field, json);
    case 'bool':
      return json.boolean();
    case 'int32':
    case 'uint32':
      return smallInteger(json, held.kind);
    case 'uint64':
      return json.uint64();
    case 'int64':
      return int64(json);
    default:
      return json.fail(`holds a ${held.kind}, which has no JSON form here`);
  }
}

function acceptedBy({ options }: Field): string | undefined {
  const accepts = options?.['cosmos_proto.accepts_interface'];
  return typeof accepts === 'string' ? accepts : undefined;
}

/** What an `Any` may hold, and what is expected here. */
export interface Expected {
  readonly types: AnyTypes;
  /** The interface; undefined for any. */
  readonly accepts: string | undefined;
}

function nestedFromJson(type: MessageType<unknown>, json: JsonReader, expected: Expected): unknown {
  switch (type.name) {
    case 'google.protobuf.Any':
      return anyFromJson(json, expected);
    case 'google.protobuf.Timestamp': {
      const text = json.text();
      return json.attempt(() => parseInstant(text));
    }
    case 'google.protobuf.Duration':
      return durationFromJson(json);
    default:
      return messageFromJson(type, json, expected.types);
  }
}

/**
 * The `Any` that a JSON object with its type is.
 * @throws JsonError naming the path
 */
export function anyFromJson(json: JsonReader, { types, accepts }: Expected): Any {
  const member = json.member(TYPE_MEMBER);
  const typeUrl = member.text();
  const type = types.find(typeUrl) ?? member.fail(`${typeUrl} is no type that is known here`);
  json.onlyMembers(TYPE_MEMBER, ...type.fields.map((field) => field.protoName));
  const any = repack(type, membersFromJson(type, json, types));
  member.attempt(() => types.unpack(any, accepts));
  return any;
}

function durationFromJson(json: JsonReader): Instant {
  const match = DURATION_PATTERN.exec(json.text());
  if (match === null) return json.fail('is no duration, such as 1814400s');
  const negative = match[1] === '-';
  const seconds = BigInt(match[2] ?? '0');
  const nanos = Number((match[3] ?? '').padEnd(9, '0'));
  return negative ? { seconds: -seconds, nanos: nanos === 0 ? 0 : -nanos } : { seconds, nanos };
}

/** The text that travels. */
function customFromJson(field: Field, json: JsonReader): string {
  if (customKind(field) === 'decimal') return decimalFromJson(json);
  const value = json.integer();
  return value > AMOUNT_MAX || value < -AMOUNT_MAX ? json.fail('exceeds 256 bits') : value.toString();
}

function decimalFromJson(json: JsonReader): string {
  const match = DECIMAL_PATTERN.exec(json.text());
  if (match === null) return json.fail('is no decimal of at most 18 places, such as 0.050000000000000000');
  const [, sign = '', whole = '', places = ''] = match;
  return BigInt(`${sign}${whole}${places.padEnd(DECIMAL_DIGITS, '0')}`).toString();
}

function enumNumber(values: Readonly<Record<string, number>>, json: JsonReader): number {
  if (typeof json.value === 'number') return Number(json.integer());
  const name = json.text();
  const number = Object.hasOwn(values, name) ? values[name] : undefined;
  return number ?? json.fail(`${name} is none of ${Object.keys(values).join(', ')}`);
}

function smallInteger(json: JsonReader, kind: 'int32' | 'uint32'): number {
  const value = json.integer();
  const [low, high] = kind === 'uint32' ? [0n, 0xffff_ffffn] : [-0x8000_0000n, 0x7fff_ffffn];
  return value < low || value > high ? json.fail(`${value} is no ${kind}`) : Number(value);
}

function int64(json: JsonReader): bigint {
  const value = json.integer();
  return BigInt.asIntN(64, value) === value ? value : json.fail(`${value} is no signed 64-bit number`);
}
