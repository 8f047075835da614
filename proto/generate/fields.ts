import protobuf from 'protobufjs';
import type { FieldRule, ScalarKind } from '../codec/field.ts';
import type { Names } from './names.ts';

/** TypeScript type and default of each scalar. */
const SCALARS: Readonly<Record<ScalarKind, readonly [type: string, initial: string]>> = {
  bool: ['boolean', 'false'],
  bytes: ['Uint8Array', 'NO_BYTES'],
  double: ['number', '0'],
  fixed32: ['number', '0'],
  fixed64: ['bigint', '0n'],
  float: ['number', '0'],
  int32: ['number', '0'],
  int64: ['bigint', '0n'],
  sfixed32: ['number', '0'],
  sfixed64: ['bigint', '0n'],
  sint32: ['number', '0'],
  sint64: ['bigint', '0n'],
  string: ['string', "''"],
  uint32: ['number', '0'],
  uint64: ['bigint', '0n'],
};

/** Options that the JSON forms of a field need. */
const KEPT_OPTIONS: readonly string[] = [
  'amino.dont_omitempty',
  'amino.encoding',
  'amino.field_name',
  'amino.oneof_name',
  'cosmos_proto.accepts_interface',
  'cosmos_proto.scalar',
  'gogoproto.customtype',
  'gogoproto.embed',
  'gogoproto.stdduration',
  'gogoproto.stdtime',
];

/** `readonly fromAddress: string;` */
export function emitInterfaceProperty(field: protobuf.Field, names: Names): string {
  return `  readonly ${camelCase(field.name)}: ${propertyType(field, names)};`;
}

/** `fromAddress: ''` */
export function emitDefault(field: protobuf.Field, names: Names): string {
  return `${camelCase(field.name)}: ${defaultOf(field, names)}`;
}

/** One row of the field table. */
export function emitField(field: protobuf.Field, names: Names): string {
  const parts = [
    `number: ${field.id}`,
    `name: '${camelCase(field.name)}'`,
    `protoName: '${field.name}'`,
    `rule: '${ruleOf(field)}'`,
    `value: ${emitValue(field, names)}`,
  ];
  if (isInOneof(field)) parts.push(`oneof: '${field.partOf?.name}'`);
  const options = keptOptions(field);
  if (options.length > 0) parts.push(`options: { ${options.join(', ')} }`);
  return `    { ${parts.join(', ')} },`;
}

function emitValue(field: protobuf.Field, names: Names): string {
  const type = field.resolvedType;
  if (type instanceof protobuf.Enum) return `{ kind: 'enum', enum: () => ${names.enumDescriptor(type)} }`;
  if (type instanceof protobuf.Type) return `{ kind: 'message', message: () => ${names.reference(type)} }`;
  return `{ kind: '${scalarOf(field)}' }`;
}

function propertyType(field: protobuf.Field, names: Names): string {
  const type = field.resolvedType;
  const base = type === null ? SCALARS[scalarOf(field)][0] : names.reference(type);
  switch (ruleOf(field)) {
    case 'repeated':
      return `readonly ${base}[]`;
    case 'optional':
      return `${base} | undefined`;
    case 'required':
      return base;
    case 'single':
      return type instanceof protobuf.Type ? `${base} | undefined` : base;
  }
}

function defaultOf(field: protobuf.Field, names: Names): string {
  switch (ruleOf(field)) {
    case 'repeated':
      return '[]';
    case 'optional':
      return 'undefined';
    case 'required':
      return `${names.reference(messageOf(field))}.create()`;
    case 'single':
      if (field.resolvedType instanceof protobuf.Type) return 'undefined';
      return field.resolvedType === null ? SCALARS[scalarOf(field)][1] : '0';
  }
}

function ruleOf(field: protobuf.Field): FieldRule {
  if (field instanceof protobuf.MapField)
    throw new Error(`${field.fullName}: map fields have no canonical order`);
  if (field.repeated) return 'repeated';
  if (isInOneof(field) || field.options?.['proto3_optional'] === true) return 'optional';
  const isMessage = field.resolvedType instanceof protobuf.Type;
  return isMessage && field.options?.['(gogoproto.nullable)'] === false ? 'required' : 'single';
}

/** A real oneof; `optional` fields are wrapped in a synthetic one that does not count. */
function isInOneof(field: protobuf.Field): boolean {
  return field.partOf !== null && field.options?.['proto3_optional'] !== true;
}

/** `nullable` says for messages what their rule says; of other fields, only the SDK's numbers may be missing. */
function keptOptions(field: protobuf.Field): string[] {
  const isNumber = field.options?.['(gogoproto.customtype)'] !== undefined;
  return [...KEPT_OPTIONS, ...(isNumber ? ['gogoproto.nullable'] : [])].flatMap((name) => {
    const value: unknown = field.options?.[`(${name})`];
    return value === undefined ? [] : [`'${name}': ${JSON.stringify(value)}`];
  });
}

function scalarOf(field: protobuf.Field): ScalarKind {
  const kind = Object.keys(SCALARS).find((name): name is ScalarKind => name === field.type);
  if (kind === undefined) throw new Error(`${field.fullName} has unknown type ${field.type}`);
  return kind;
}

function messageOf(field: protobuf.Field): protobuf.Type {
  if (field.resolvedType instanceof protobuf.Type) return field.resolvedType;
  throw new Error(`${field.fullName} is not a message`);
}

/** `from_address` → `fromAddress`, as every Cosmos code generator for TypeScript has it. */
function camelCase(name: string): string {
  return name.replace(/_+([a-zA-Z0-9])/g, (_all, letter: string) => letter.toUpperCase());
}
