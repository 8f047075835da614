/**
 * What the codec knows about a message: a table of its fields, generated from the .proto files. One
 * interpreter reads the table (`message.ts`), so encoding rules stand in one place and JSON forms,
 * unknown-field checks and service reflection can use the same description.
 */
import type { MessageType } from './message.ts';

/** Scalar types of proto3. 64-bit ones are bigint in TypeScript. */
export type ScalarKind =
  | 'bool'
  | 'bytes'
  | 'double'
  | 'fixed32'
  | 'fixed64'
  | 'float'
  | 'int32'
  | 'int64'
  | 'sfixed32'
  | 'sfixed64'
  | 'sint32'
  | 'sint64'
  | 'string'
  | 'uint32'
  | 'uint64';

/** An enumeration: names to numbers. Unknown numbers are kept, as proto3 wants. */
export interface EnumType {
  readonly name: string;
  readonly values: Readonly<Record<string, number>>;
}

/** How often a field occurs, and when it is written. */
export type FieldRule =
  /**
   * Written when it differs from its default (proto3's implicit presence). A message: when it is not
   * undefined.
   */
  | 'single'
  /** Written when it is not undefined, default or not (`optional`, and members of a `oneof`). */
  | 'optional'
  /** A message that is always written, even when empty (`gogoproto.nullable = false`). */
  | 'required'
  | 'repeated';

/** What a field holds. Message and enum references are thunks, because files may refer to each other. */
export type FieldValue =
  | { readonly kind: ScalarKind }
  | { readonly kind: 'enum'; readonly enum: () => EnumType }
  | { readonly kind: 'message'; readonly message: () => MessageType<unknown> };

/** One row of a message's table. */
export interface Field {
  readonly number: number;
  /** The property in TypeScript: `fromAddress`. */
  readonly name: string;
  /** The name in the .proto file: `from_address`. */
  readonly protoName: string;
  readonly rule: FieldRule;
  readonly value: FieldValue;
  /** Name of the oneof it belongs to. */
  readonly oneof?: string;
  /** Options that JSON forms need: `amino.*`, `cosmos_proto.scalar`, `gogoproto.customtype`. */
  readonly options?: Readonly<Record<string, string | boolean>>;
}

/** One method of a protobuf service. */
export interface MethodType {
  readonly name: string;
  readonly input: () => MessageType<unknown>;
  readonly output: () => MessageType<unknown>;
  /** REST bindings (`google.api.http`), the first one preferred. */
  readonly http: readonly {
    readonly method: 'get' | 'post';
    readonly path: string;
    readonly body?: string;
  }[];
}

/** A protobuf service: its full name and methods, in the order of the .proto file. */
export interface ServiceType {
  readonly name: string;
  readonly methods: readonly MethodType[];
}
