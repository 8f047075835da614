/**
 * The JSON form of a message, made from its field table, as genesis documents hold it: names as in the
 * .proto file, 64-bit numbers as text, bytes in base64, enumerations by name, every field written. Source:
 * protobuf's ProtoJSON with original names and defaults, as the Cosmos SDK writes genesis.
 */
import { toBase64 } from '../core/bytes.ts';
import type { Field } from '../proto/codec/field.ts';
import type { MessageType } from '../proto/codec/message.ts';
import { AssertionError } from '../core/errors.ts';
import type { JsonObject, JsonReader, JsonValue } from './json.ts';

type Properties = Readonly<Record<string, unknown>>;

/** A message as a JSON object. */
export function messageToJson<T>(type: MessageType<T>, message: T): JsonObject {
  const properties = message as Properties;
  return Object.fromEntries(
    type.fields.map((field) => [field.protoName, fieldToJson(field, properties[field.name])]),
  );
}

function fieldToJson(field: Field, value: unknown): JsonValue {
  if (field.rule === 'repeated') return (value as readonly unknown[]).map((item) => valueToJson(field, item));
  return value === undefined ? null : valueToJson(field, value);
}

function valueToJson(field: Field, value: unknown): JsonValue {
  const { value: held } = field;
  if (held.kind === 'message') return messageToJson(held.message(), value);
  if (held.kind === 'enum') return enumName(held.enum().values, value as number);
  if (value instanceof Uint8Array) return toBase64(value);
  if (typeof value === 'bigint') return value.toString();
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value;
  throw new AssertionError(`field ${field.protoName} has no JSON form`);
}

function enumName(values: Readonly<Record<string, number>>, number: number): JsonValue {
  return Object.entries(values).find(([, value]) => value === number)?.[0] ?? number;
}

/**
 * The message that a JSON object is; what is missing or null has its default.
 * @throws JsonError naming the path, for unknown members too
 */
export function messageFromJson<T>(type: MessageType<T>, json: JsonReader): T {
  json.onlyMembers(...type.fields.map((field) => field.protoName));
  const given: Record<string, unknown> = {};
  for (const field of type.fields) {
    const member = json.member(field.protoName);
    if (!member.present) continue;
    given[field.name] =
      field.rule === 'repeated'
        ? member.elements().map((item) => valueFromJson(field, item))
        : valueFromJson(field, member);
  }
  return type.create(given as Partial<T>);
}

function valueFromJson(field: Field, json: JsonReader): unknown {
  const { value: held } = field;
  switch (held.kind) {
    case 'message':
      return messageFromJson(held.message(), json);
    case 'enum':
      return enumNumber(held.enum().values, json);
    case 'bytes':
      return json.base64();
    case 'string':
      return json.text();
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
