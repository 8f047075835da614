/** Random values of any message type, for property tests: drawn from its field table. */
import fc from 'fast-check';
import type { Field, FieldValue } from './field.ts';
import type { MessageType } from './message.ts';

/** Values of a message; below `depth` levels the optional parts stay away. */
export function arbitraryMessage(
  type: MessageType<unknown>,
  depth = 4,
): fc.Arbitrary<Record<string, unknown>> {
  const members = new Map<string, Field[]>();
  const shape: Record<string, fc.Arbitrary<unknown>> = {};
  for (const field of type.fields) {
    if (field.oneof !== undefined) {
      members.set(field.oneof, [...(members.get(field.oneof) ?? []), field]);
    } else {
      shape[field.name] = arbitraryField(field, depth);
    }
  }
  const oneofs = [...members.values()].map((fields) => arbitraryOneof(fields, depth));
  return fc.tuple(fc.record(shape), ...oneofs).map((parts) => Object.assign({}, ...parts));
}

/** At most one member of a oneof is set. */
function arbitraryOneof(fields: readonly Field[], depth: number): fc.Arbitrary<Record<string, unknown>> {
  const none = Object.fromEntries(fields.map((field) => [field.name, undefined]));
  const choices = fields
    .filter((field) => depth > 0 || field.value.kind !== 'message')
    .map((field) =>
      arbitraryValue(field.value, depth - 1).map((value) => ({ ...none, [field.name]: value })),
    );
  return fc.oneof(fc.constant(none), ...choices);
}

function arbitraryField(field: Field, depth: number): fc.Arbitrary<unknown> {
  const isMessage = field.value.kind === 'message';
  if (isMessage && depth <= 0 && field.rule !== 'required') {
    return fc.constant(field.rule === 'repeated' ? [] : undefined);
  }
  const value = arbitraryValue(field.value, depth - 1);
  switch (field.rule) {
    case 'repeated':
      return fc.array(value, { maxLength: 3 });
    case 'required':
      return value;
    case 'optional':
      return fc.option(value, { nil: undefined });
    case 'single':
      return isMessage ? fc.option(value, { nil: undefined }) : value;
  }
}

const uint64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const uint32 = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });

function arbitraryValue(value: FieldValue, depth: number): fc.Arbitrary<unknown> {
  switch (value.kind) {
    case 'message':
      return arbitraryMessage(value.message(), depth);
    case 'enum':
      return fc.constantFrom(...Object.values(value.enum().values));
    case 'bool':
      return fc.boolean();
    case 'string':
      return fc.oneof(fc.string(), fc.string({ unit: 'binary', maxLength: 200 }));
    case 'bytes':
      return fc.uint8Array({ maxLength: 200 });
    case 'float':
      return fc.float({ noNaN: true });
    case 'double':
      return fc.double({ noNaN: true });
    case 'uint32':
    case 'fixed32':
      return uint32;
    case 'int32':
    case 'sint32':
    case 'sfixed32':
      return int32;
    case 'uint64':
    case 'fixed64':
      return uint64;
    case 'int64':
    case 'sint64':
    case 'sfixed64':
      return int64;
  }
}
