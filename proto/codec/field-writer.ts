/**
 * How each field of a message is written, worked out once for each table: the rules of `field.ts` become one
 * function a field, so that writing decides nothing twice.
 */
import type { Field, ScalarKind } from './field.ts';
import type { Writer } from './writer.ts';

/** Writes a field's value with its tag; nothing when the field's rule says so. */
export interface FieldWriter {
  /** The property. */
  readonly name: string;
  readonly write: (value: unknown, writer: Writer) => void;
}

type WriteValue = (value: unknown, writer: Writer) => void;

/** Wire type of each kind. */
export const WIRE_TYPES: Readonly<Record<ScalarKind | 'enum' | 'message', number>> = {
  bool: 0,
  enum: 0,
  int32: 0,
  int64: 0,
  sint32: 0,
  sint64: 0,
  uint32: 0,
  uint64: 0,
  double: 1,
  fixed64: 1,
  sfixed64: 1,
  bytes: 2,
  message: 2,
  string: 2,
  fixed32: 5,
  float: 5,
  sfixed32: 5,
};

/** The writer of a row of a message's table. */
export function fieldWriter(field: Field): FieldWriter {
  const { name, rule } = field;
  const wireType = WIRE_TYPES[field.value.kind];
  const tag = field.number * 8 + wireType;
  const writeValue = valueWriter(field);
  if (rule === 'repeated') {
    const packedTag = field.number * 8 + 2;
    return {
      name,
      write: wireType === 2 ? eachWriter(tag, writeValue) : packedWriter(packedTag, writeValue),
    };
  }
  const write: WriteValue = (value, writer) => {
    writer.uvarint(tag);
    writeValue(value, writer);
  };
  if (rule === 'required') return { name, write };
  const isAbsent = rule === 'optional' ? isUndefined : defaultTest(field);
  return {
    name,
    write: (value, writer) => {
      if (!isAbsent(value)) write(value, writer);
    },
  };
}

function eachWriter(tag: number, writeValue: WriteValue): WriteValue {
  return (values, writer) => {
    for (const value of values as readonly unknown[]) {
      writer.uvarint(tag);
      writeValue(value, writer);
    }
  };
}

function packedWriter(tag: number, writeValue: WriteValue): WriteValue {
  return (given, writer) => {
    const values = given as readonly unknown[];
    if (values.length === 0) return;
    writer.uvarint(tag);
    const mark = writer.beginDelimited();
    for (const value of values) writeValue(value, writer);
    writer.endDelimited(mark);
  };
}

function isUndefined(value: unknown): boolean {
  return value === undefined;
}

/** Whether a value is the one that a reader assumes when the field is not there. */
function defaultTest(field: Field): (value: unknown) => boolean {
  switch (field.value.kind) {
    case 'message':
      return isUndefined;
    case 'bytes':
      return (value) => (value as Uint8Array).length === 0;
    case 'string':
      return (value) => value === '';
    case 'bool':
      return (value) => value === false;
    case 'float':
    case 'double':
      return (value) => Object.is(value, 0);
    default:
      return (value) => value === 0 || value === 0n;
  }
}

function valueWriter({ value: of }: Field): WriteValue {
  switch (of.kind) {
    case 'message':
      return messageWriter(of.message);
    case 'string':
      return (value, writer) => writer.string(value as string);
    case 'bytes':
      return (value, writer) => writer.bytes(value as Uint8Array);
    case 'bool':
      return (value, writer) => writer.uvarint(value === true ? 1 : 0);
    case 'uint32':
      return (value, writer) => writer.uvarint((value as number) >>> 0);
    case 'int32':
    case 'enum':
      return (value, writer) => writer.varint64(BigInt(value as number));
    case 'sint32':
      return (value, writer) => writer.varint64(zigzag(BigInt(value as number)));
    case 'int64':
    case 'uint64':
      return (value, writer) => writer.varint64(value as bigint);
    case 'sint64':
      return (value, writer) => writer.varint64(zigzag(value as bigint));
    case 'fixed32':
    case 'sfixed32':
      return (value, writer) => writer.fixed32(value as number);
    case 'fixed64':
    case 'sfixed64':
      return (value, writer) => writer.fixed64(value as bigint);
    case 'float':
      return (value, writer) => writer.float(value as number);
    case 'double':
      return (value, writer) => writer.double(value as number);
  }
}

/** Types refer to each other: the thunk is called when the first value is written. */
function messageWriter(type: () => { readonly write: (value: unknown, writer: Writer) => void }): WriteValue {
  return (value, writer) => {
    const mark = writer.beginDelimited();
    type().write(value, writer);
    writer.endDelimited(mark);
  };
}

function zigzag(value: bigint): bigint {
  return value >= 0n ? value * 2n : -value * 2n - 1n;
}
