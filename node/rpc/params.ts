/**
 * Parameters of methods: what kinds there are, and how each is read from JSON and from a URI. The rules are
 * those of CometBFT v0.38 (`rpc/jsonrpc/server`, `libs/json`): in JSON 64-bit numbers are strings, `[]byte`
 * is base64 and `HexBytes` is hexadecimal; in a URI strings stand in quotes, both kinds of bytes are `0x…` or
 * quoted text.
 *
 * This file is the codec between text and typed values: the one cast is in `typedValues`.
 */
import { fromHex, utf8 } from '../../core/bytes.ts';
import { messageOf, unreachable } from '../../core/errors.ts';
import { ParamError } from './errors.ts';

/** What a parameter holds; a question mark: undefined when it is not given, and not the zero value. */
export type ParamKind =
  | 'int64'
  | 'int64?'
  | 'int?'
  | 'uint'
  | 'bool'
  | 'string'
  | 'bytes'
  | 'hexBytes'
  | 'json';

interface ParamTypes {
  readonly int64: bigint;
  readonly 'int64?': bigint | undefined;
  readonly 'int?': number | undefined;
  readonly uint: number;
  readonly bool: boolean;
  readonly string: string;
  readonly bytes: Uint8Array;
  readonly hexBytes: Uint8Array;
  readonly json: unknown;
}

/** Names and kinds, in the order of positional parameters. */
export type ParamSchema = Readonly<Record<string, ParamKind>>;

/** The values of a schema. */
export type ParamValues<S extends ParamSchema> = { readonly [K in keyof S]: ParamTypes[S[K]] };

const INT64_MAX = (1n << 63n) - 1n;
const INT64_MIN = -(1n << 63n);
const INTEGER = /^-?\d{1,20}$/;
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;
const NO_BYTES = new Uint8Array(0);

/**
 * Reads the parameters of a JSON-RPC request: by name, by position, or none.
 * @throws ParamError
 */
export function paramsFromJson<S extends ParamSchema>(schema: S, params: unknown): ParamValues<S> {
  const names = Object.keys(schema);
  if (params === undefined || params === null) return typedValues(schema, () => undefined);
  if (Array.isArray(params)) {
    const given: readonly unknown[] = params;
    if (given.length !== names.length) {
      throw new ParamError(`expected ${names.length} parameters (${names.join(' ')}), got ${given.length}`);
    }
    return typedValues(schema, (kind, name) => fromJson(kind, given[names.indexOf(name)]));
  }
  if (typeof params !== 'object') {
    throw new ParamError('unknown type for JSON params. Expected map or array');
  }
  const given = new Map(Object.entries(params));
  return typedValues(schema, (kind, name) => fromJson(kind, given.get(name)));
}

/**
 * Reads the parameters of a URI.
 * @throws ParamError
 */
export function paramsFromUri<S extends ParamSchema>(
  schema: S,
  search: { get(name: string): string | null },
): ParamValues<S> {
  return typedValues(schema, (kind, name) => {
    const text = search.get(name) ?? '';
    return text === '' ? undefined : fromUri(kind, text);
  });
}

/** True when a parameter was given and is not its zero value. */
export function isGiven(value: unknown): boolean {
  return value !== undefined && value !== 0n && value !== 0 && value !== '' && value !== false;
}

function typedValues<S extends ParamSchema>(
  schema: S,
  read: (kind: ParamKind, name: string) => unknown,
): ParamValues<S> {
  const values: Record<string, unknown> = {};
  for (const [name, kind] of Object.entries(schema)) {
    try {
      values[name] = read(kind, name) ?? zeroOf(kind);
    } catch (error) {
      throw new ParamError(`${name}: ${messageOf(error)}`);
    }
  }
  return values as ParamValues<S>;
}

function zeroOf(kind: ParamKind): unknown {
  switch (kind) {
    case 'int64':
      return 0n;
    case 'uint':
      return 0;
    case 'bool':
      return false;
    case 'string':
      return '';
    case 'bytes':
    case 'hexBytes':
      return NO_BYTES;
    case 'int64?':
    case 'int?':
    case 'json':
      return undefined;
    default:
      return unreachable(kind, 'parameter kind');
  }
}

/** Undefined stands for the zero value. */
function fromJson(kind: ParamKind, value: unknown): unknown {
  if (value === undefined || value === null) return undefined;
  switch (kind) {
    case 'int64':
    case 'int64?':
    case 'int?':
    case 'uint':
      if (typeof value !== 'string') {
        throw new ParamError(`invalid 64-bit integer encoding ${shown(value)}, expected string`);
      }
      return integer(kind, value);
    case 'bool':
      if (typeof value !== 'boolean') throw new ParamError(`cannot use ${shown(value)} as bool`);
      return value;
    case 'string':
      if (typeof value !== 'string') throw new ParamError(`cannot use ${shown(value)} as string`);
      return value;
    case 'bytes':
      if (typeof value !== 'string') throw new ParamError(`cannot use ${shown(value)} as base64 text`);
      return base64(value);
    case 'hexBytes':
      if (typeof value !== 'string') throw new ParamError(`invalid hex string: ${shown(value)}`);
      return fromHex(value);
    case 'json':
      return value;
    default:
      return unreachable(kind, 'parameter kind');
  }
}

function fromUri(kind: ParamKind, text: string): unknown {
  const isBytes = kind === 'bytes' || kind === 'hexBytes';
  const isInteger = kind === 'int64' || kind === 'int64?' || kind === 'int?' || kind === 'uint';
  if (isInteger && INTEGER.test(text)) return integer(kind, text);
  if (/^0x/i.test(text)) {
    if (!isBytes && kind !== 'string') throw new ParamError(`got a hex string arg, but expected '${kind}'`);
    const bytes = fromHex(text.slice(2));
    return isBytes ? bytes : Buffer.from(bytes).toString();
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new ParamError(`${shown(text)} is not a JSON value; strings stand in double quotes`);
  }
  if (isBytes && typeof value === 'string') return utf8(value);
  return fromJson(kind, value);
}

function integer(kind: ParamKind, text: string): bigint | number {
  if (!INTEGER.test(text)) throw new ParamError(`${shown(text)} is not an integer`);
  const value = BigInt(text);
  if (value > INT64_MAX || value < INT64_MIN) throw new ParamError(`${text} does not fit 64 bits`);
  if (kind === 'int64' || kind === 'int64?') return value;
  if (kind === 'uint' && value < 0n) throw new ParamError(`${text} is negative`);
  return Number(value);
}

function base64(text: string): Uint8Array {
  if (text.length % 4 !== 0 || !BASE64.test(text)) throw new ParamError('illegal base64 data');
  return Buffer.from(text, 'base64');
}

const SHOWN_MAX = 40;

/** The beginning of a value, for an error message. */
function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX)}…` : text;
}
