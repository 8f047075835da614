/**
 * Messages as the SDK puts them into state: decoded, then packed into an `Any` anew. Numbers that were never
 * given (`LegacyDec` and `Int` that are not nullable) become `0` by that, since gogoproto always writes such
 * fields and `cosmossdk.io/math` v1.4 marshals a number without a value as `0`.
 */
import { utf8 } from '../core/bytes.ts';
import type { Field } from '../proto/codec/field.ts';
import type { MessageType } from '../proto/codec/message.ts';
import type { Any } from '../proto/gen/google/protobuf/any.ts';

const ANY_NAME = 'google.protobuf.Any';
const NUMBERS: readonly unknown[] = ['cosmossdk.io/math.LegacyDec', 'cosmossdk.io/math.Int'];
const ZERO_TEXT = '0';
const ZERO_BYTES = utf8(ZERO_TEXT);

/** The message in an `Any`, as `codectypes.NewAnyWithValue` packs it. What an `Any` in it holds stays as it is. */
export function repack<M>(type: MessageType<M>, message: M): Any {
  return { typeUrl: type.typeUrl, value: type.encode(type.create(filled(type, message) as Partial<M>)) };
}

function filled(type: MessageType<unknown>, message: unknown): unknown {
  if (type.name === ANY_NAME) return message;
  const properties = { ...(message as Readonly<Record<string, unknown>>) };
  for (const field of type.fields) {
    const value = properties[field.name];
    properties[field.name] =
      field.rule === 'repeated'
        ? (value as readonly unknown[]).map((item) => filledValue(field, item))
        : filledValue(field, value);
  }
  return properties;
}

function filledValue(field: Field, value: unknown): unknown {
  if (value === undefined) return undefined;
  if (field.value.kind === 'message') return filled(field.value.message(), value);
  if (!isNumber(field)) return value;
  if (value === '') return ZERO_TEXT;
  return value instanceof Uint8Array && value.length === 0 ? ZERO_BYTES : value;
}

function isNumber({ options }: Field): boolean {
  return NUMBERS.includes(options?.['gogoproto.customtype']) && options?.['gogoproto.nullable'] === false;
}
