/**
 * Deterministic protobuf: the one encoder and the one decoder of the project.
 *
 * Encoding is byte-equal to gogoproto's, which CometBFT and the Cosmos SDK use: fields in the order of their
 * numbers, defaults left out, `nullable = false` messages always written, repeated numbers packed.
 *
 * Decoding is strict where protobuf is lax: a field that may occur once may not occur twice, text must be
 * UTF-8, depth is limited, and what happens to unknown fields is the caller's explicit choice. Whatever is
 * decoded and encoded again is in canonical form.
 */
import { EMPTY_BYTES } from '../../core/bytes.ts';
import { assert, DecodeError } from '../../core/errors.ts';
import type { Field } from './field.ts';
import { type FieldWriter, fieldWriter, WIRE_TYPES } from './field-writer.ts';
import { Reader } from './reader.ts';
import { Writer } from './writer.ts';

/** Deepest nesting of messages that is read. The SDK's transactions need fewer than ten levels. */
export const MESSAGE_DEPTH_MAX = 32;

/** Bit 11 of a field number marks a field that an old node may ignore (Cosmos SDK ADR-020). */
const NON_CRITICAL_BIT = 1 << 10;

/**
 * What to do with a field that the table does not know: `skip` it (as CometBFT does), `reject` every one (as
 * the SDK does for TxRaw and AuthInfo), or `reject-critical`, those whose number lacks bit 11 (as the SDK
 * does for TxBody).
 */
export type UnknownFields = 'skip' | 'reject' | 'reject-critical';

/** How to decode. */
export interface DecodeOptions {
  /** Default `skip`. */
  readonly unknown?: UnknownFields;
  /**
   * Bytes fields become views of the input instead of copies: for input that is kept anyway. Default false.
   */
  readonly views?: boolean;
  /** Most elements of repeated fields, at all depths together: two bytes may be one. Default unlimited. */
  readonly elementsMax?: number;
}

/** Options of a message in its .proto file, by full name. */
export type MessageOptions = Readonly<Record<string, string>>;

/** The codec of one message type. Get one by importing it from `proto/gen`. */
export interface MessageType<T> {
  /** Full protobuf name: `cosmos.bank.v1beta1.MsgSend`. */
  readonly name: string;
  /** The name as an `Any` carries it: `/cosmos.bank.v1beta1.MsgSend`. */
  readonly typeUrl: string;
  /** The table, by field number. */
  readonly fields: readonly Field[];
  /**
   * Options that JSON forms need: `amino.name`, `amino.message_encoding`; and what an `Any` may expect:
   * `cosmos_proto.implements_interface`.
   */
  readonly options: MessageOptions;
  /** A value with every field at its default, then what is given. */
  create(partial?: Partial<T>): T;
  encode(value: T): Uint8Array;
  /** Encodes with its length in front, as sign bytes and streams want it. */
  encodeDelimited(value: T): Uint8Array;
  /** @throws DecodeError saying the message, the field and the offset */
  decode(bytes: Uint8Array, options?: DecodeOptions): T;
  /** For the codec itself: appends the fields to a writer. */
  write(value: T, writer: Writer): void;
  /** For the codec itself: reads fields up to the reader's end. */
  read(reader: Reader, unknown: UnknownFields, depth: number): T;
}

/** Encoding is synchronous and never nests, so one buffer serves every call; `finish` copies out of it. */
const scratch = new Writer();

/** A record whose keys are the properties of some message. */
type Properties = Record<string, unknown>;

/** The default of bytes fields, for generated code. One for all: a new empty array costs 200 bytes. */
export const NO_BYTES: Uint8Array = EMPTY_BYTES;

/** Builds the codec of a message. Called by generated code only. */
export function messageType<T>(
  name: string,
  defaults: () => T,
  table: () => readonly Field[],
  options: MessageOptions = NO_OPTIONS,
): MessageType<T> {
  return new TableMessageType({ name, defaults, table, options });
}

const NO_OPTIONS: MessageOptions = {};

interface TypeParts<T> {
  readonly name: string;
  readonly defaults: () => T;
  readonly table: () => readonly Field[];
  readonly options: MessageOptions;
}

class TableMessageType<T> implements MessageType<T> {
  readonly name: string;
  readonly typeUrl: string;
  readonly options: MessageOptions;
  readonly #defaults: () => T;
  readonly #table: () => readonly Field[];
  #fields: readonly Field[] | undefined;
  #slots: readonly (Slot | undefined)[] | undefined;
  #writers: readonly FieldWriter[] | undefined;

  constructor({ name, defaults, table, options }: TypeParts<T>) {
    this.name = name;
    this.typeUrl = `/${name}`;
    this.options = options;
    this.#defaults = defaults;
    this.#table = table;
  }

  get fields(): readonly Field[] {
    this.#fields ??= this.#table();
    return this.#fields;
  }

  create(partial?: Partial<T>): T {
    return { ...this.#defaults(), ...partial };
  }

  encode(value: T): Uint8Array {
    const writer = scratch.reset();
    this.write(value, writer);
    return writer.finish();
  }

  encodeDelimited(value: T): Uint8Array {
    const writer = scratch.reset();
    const mark = writer.beginDelimited();
    this.write(value, writer);
    writer.endDelimited(mark);
    return writer.finish();
  }

  decode(bytes: Uint8Array, options: DecodeOptions = {}): T {
    try {
      return this.read(new Reader(bytes, options), options.unknown ?? 'skip', 1);
    } catch (cause) {
      if (!(cause instanceof DecodeError)) throw cause;
      throw new DecodeError(`cannot decode ${this.name}: ${cause.message}`, cause.facts, cause);
    }
  }

  write(value: T, writer: Writer): void {
    const properties = value as Properties;
    this.#writers ??= this.fields.map(fieldWriter);
    for (const { name, write } of this.#writers) write(properties[name], writer);
  }

  read(reader: Reader, unknown: UnknownFields, depth: number): T {
    if (depth > MESSAGE_DEPTH_MAX)
      throw new DecodeError(`messages are nested deeper than ${MESSAGE_DEPTH_MAX}`);
    this.#slots ??= slotsOf(this.fields);
    const message = this.#defaults();
    const properties = message as Properties;
    // Which slots were met: one bit each.
    let seen = 0;
    while (reader.position < reader.end) {
      const tag = reader.uvarint();
      const number = tag >>> 3;
      const wireType = tag & 7;
      const slot = this.#slots[number];
      if (slot === undefined) {
        if (number === 0) throw new DecodeError(`field number 0 at offset ${reader.position}`);
        refuseUnknown({ number, unknown, message: this.name });
        reader.skip(wireType);
        continue;
      }
      const { field } = slot;
      if (field.rule === 'repeated') {
        readRepeated(field, properties, { reader, wireType, unknown, depth });
        continue;
      }
      if ((seen & slot.bit) !== 0) throw new DecodeError(`field ${field.protoName} is given twice`);
      seen |= slot.bit;
      if (wireType !== slot.wireType) refuseWireType(field, wireType);
      properties[field.name] = readValue(field, reader, unknown, depth);
    }
    return message;
  }
}

/**
 * A field as the decoder finds it, by its number. Members of one oneof share a bit: only one of them may
 * occur.
 */
interface Slot {
  readonly field: Field;
  readonly wireType: number;
  readonly bit: number;
}

/** Bits in a number: more fields that may occur once than that are not in any message we speak. */
const SLOT_BITS = 32;

function slotsOf(fields: readonly Field[]): readonly (Slot | undefined)[] {
  const slots: (Slot | undefined)[] = [];
  const bits = new Map<string, number>();
  for (const field of fields) {
    const key = field.oneof ?? field.name;
    if (field.rule !== 'repeated' && !bits.has(key)) bits.set(key, 1 << bits.size);
    slots[field.number] = { field, wireType: WIRE_TYPES[field.value.kind], bit: bits.get(key) ?? 0 };
  }
  assert(bits.size <= SLOT_BITS, 'a message has too many fields', { fields: fields.length });
  return slots;
}

function unzigzag(value: bigint): bigint {
  return (value & 1n) === 0n ? value >> 1n : -((value + 1n) >> 1n);
}

function refuseUnknown(found: {
  readonly number: number;
  readonly unknown: UnknownFields;
  readonly message: string;
}): void {
  const critical = (found.number & NON_CRITICAL_BIT) === 0;
  if (found.unknown === 'skip' || (found.unknown === 'reject-critical' && !critical)) return;
  throw new DecodeError(`${found.message} has no field number ${found.number}`, { errUnknownField: true });
}

function refuseWireType(field: Field, wireType: number): never {
  const expected = WIRE_TYPES[field.value.kind];
  throw new DecodeError(`field ${field.protoName} has wire type ${wireType}, expected ${expected}`);
}

interface RepeatedSource {
  readonly reader: Reader;
  readonly wireType: number;
  readonly unknown: UnknownFields;
  readonly depth: number;
}

/** Appends one element, or all elements of a packed run. */
function readRepeated(field: Field, properties: Properties, source: RepeatedSource): void {
  const { reader, wireType, unknown, depth } = source;
  let values = properties[field.name] as unknown[];
  // The default is one shared empty array; the first element gets an array of its own.
  if (values.length === 0) properties[field.name] = values = [];
  if (wireType === 2 && WIRE_TYPES[field.value.kind] !== 2) {
    const outerEnd = enterDelimited(reader);
    while (reader.position < reader.end) {
      countElement(reader);
      values.push(readValue(field, reader, unknown, depth));
    }
    reader.end = outerEnd;
    return;
  }
  if (wireType !== WIRE_TYPES[field.value.kind]) refuseWireType(field, wireType);
  countElement(reader);
  values.push(readValue(field, reader, unknown, depth));
}

function countElement(reader: Reader): void {
  reader.elementsLeft--;
  if (reader.elementsLeft < 0) throw new DecodeError('too many elements of repeated fields');
}

/** Narrows the reader to the length-delimited run that begins here; returns the end to restore. */
function enterDelimited(reader: Reader): number {
  const length = reader.uvarint();
  const outerEnd = reader.end;
  const end = reader.position + length;
  if (end > outerEnd) {
    throw new DecodeError(`length ${length} at offset ${reader.position} exceeds the message`);
  }
  reader.end = end;
  return outerEnd;
}

function readValue(field: Field, reader: Reader, unknown: UnknownFields, depth: number): unknown {
  switch (field.value.kind) {
    case 'message': {
      const outerEnd = enterDelimited(reader);
      const value = field.value.message().read(reader, unknown, depth + 1);
      reader.end = outerEnd;
      return value;
    }
    case 'string':
      return reader.string();
    case 'bytes':
      return reader.lengthDelimited();
    case 'bool':
      return reader.varint64() !== 0n;
    case 'uint32':
      return reader.varint32();
    case 'int32':
    case 'enum':
      return reader.varint32() | 0;
    case 'sint32':
      return Number(BigInt.asIntN(32, unzigzag(BigInt(reader.varint32()))));
    case 'int64':
      return BigInt.asIntN(64, reader.varint64());
    case 'uint64':
      return reader.varint64();
    case 'sint64':
      return unzigzag(reader.varint64());
    case 'fixed32':
      return reader.fixed32();
    case 'sfixed32':
      return reader.fixed32() | 0;
    case 'fixed64':
      return reader.fixed64();
    case 'sfixed64':
      return BigInt.asIntN(64, reader.fixed64());
    case 'float':
      return reader.float();
    case 'double':
      return reader.double();
  }
}
