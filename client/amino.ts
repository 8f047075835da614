/**
 * Amino JSON of our messages, for SIGN_MODE_LEGACY_AMINO_JSON (hardware wallets): names as in the .proto
 * files, 64-bit numbers as text, bytes in base64, enumerations as numbers, defaults left out unless the
 * field says `amino.dont_omitempty`. Source: Cosmos SDK `x/tx/signing/aminojson` (v0.13).
 */
import { type AminoConverters, AminoTypes, createDefaultAminoConverters } from '@cosmjs/stargate';
import { fromBase64, toBase64 } from '../core/bytes.ts';
import type { Field } from '../proto/codec/field.ts';
import type { MessageType } from '../proto/codec/message.ts';
import { MESSAGES } from './types.ts';

/** CosmJS's own converters and ours. */
export function createAminoTypes(): AminoTypes {
  return new AminoTypes({ ...createDefaultAminoConverters(), ...aminoConverters() });
}

/** Converters of our messages, to be added to others. */
export function aminoConverters(): AminoConverters {
  const converters = MESSAGES.map((type) => [
    type.typeUrl,
    {
      aminoType: type.options['amino.name'] ?? type.typeUrl,
      toAmino: (message: unknown) => toAmino(type, message),
      fromAmino: (json: unknown) => fromAmino(type, json),
    },
  ]);
  return Object.fromEntries(converters);
}

type Json = Record<string, unknown>;

/** Amino JSON of a message. */
export function toAmino<T>(type: MessageType<T>, message: unknown): Json {
  const properties = message as Json;
  const json: Json = {};
  for (const field of type.fields) {
    const value = properties[field.name];
    const keeps = field.options?.['amino.dont_omitempty'] === true || field.rule === 'required';
    if (value === undefined || (!keeps && isEmpty(value))) continue;
    json[field.protoName] = Array.isArray(value)
      ? value.map((item) => valueToAmino(field, item))
      : valueToAmino(field, value);
  }
  return json;
}

function isEmpty(value: unknown): boolean {
  if (value instanceof Uint8Array || Array.isArray(value)) return value.length === 0;
  return value === 0 || value === 0n || value === '' || value === false;
}

function valueToAmino(field: Field, value: unknown): unknown {
  const { value: held } = field;
  if (held.kind === 'message') return toAmino(held.message(), value);
  if (value instanceof Uint8Array) return toBase64(value);
  return typeof value === 'bigint' ? value.toString() : value;
}

/** The message of amino JSON. */
export function fromAmino<T>(type: MessageType<T>, json: unknown): T {
  const given = json as Json;
  const properties: Json = {};
  for (const field of type.fields) {
    const value = given[field.protoName];
    if (value === undefined || value === null) continue;
    properties[field.name] = Array.isArray(value)
      ? value.map((item) => valueFromAmino(field, item))
      : valueFromAmino(field, value);
  }
  return type.create(properties as Partial<T>);
}

function valueFromAmino(field: Field, value: unknown): unknown {
  const { value: held } = field;
  if (held.kind === 'message') return fromAmino(held.message(), value);
  if (held.kind === 'bytes') return fromBase64(String(value));
  return held.kind === 'uint64' || held.kind === 'int64' ? BigInt(String(value)) : value;
}
