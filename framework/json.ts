/**
 * JSON of the deterministic zone: values from outside are read through `JsonReader`, which names the path of
 * what is wrong, and written by `canonicalJson`, whose bytes depend on nothing but the value.
 */
import { fromBase64 } from '../core/bytes.ts';
import { LedgerError, messageOf } from '../core/errors.ts';

/** A JSON value. Numbers are only those that a document really holds as numbers; 64-bit values are text. */
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | JsonObject;

/** A JSON object. */
export interface JsonObject {
  readonly [key: string]: JsonValue;
}

/** Deepest nesting that is read. */
const DEPTH_MAX = 64;

const INTEGER_PATTERN = /^-?(0|[1-9][0-9]{0,77})$/;
const UINT64_MAX = (1n << 64n) - 1n;

/** A document, or something in it, that is not what it should be. The message begins with the path. */
export class JsonError extends LedgerError {
  constructor(path: string, problem: string) {
    super('genesis', `${path === '' ? 'document' : path}: ${problem}`, { path });
    this.name = 'JsonError';
  }
}

/**
 * The value of JSON text.
 * @throws JsonError when it is not JSON or nested too deeply
 */
export function parseJson(text: string, path = ''): JsonValue {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new JsonError(path, `is not JSON (${messageOf(cause)})`);
  }
  return toJson(value, { path, depth: 0 });
}

function toJson(value: unknown, at: { readonly path: string; readonly depth: number }): JsonValue {
  if (at.depth > DEPTH_MAX) throw new JsonError(at.path, `is nested deeper than ${DEPTH_MAX}`);
  if (typeof value === 'number' && !Number.isFinite(value))
    throw new JsonError(at.path, 'is a number that is too large');
  if (value === null || typeof value === 'boolean' || typeof value === 'number' || typeof value === 'string')
    return value;
  const depth = at.depth + 1;
  if (Array.isArray(value)) return value.map((item, i) => toJson(item, { path: `${at.path}[${i}]`, depth }));
  if (typeof value !== 'object') throw new JsonError(at.path, `is a ${typeof value}`);
  const entries = Object.entries(value).map(([key, item]): [string, JsonValue] => [
    key,
    toJson(item, { path: join(at.path, key), depth }),
  ]);
  return Object.fromEntries(entries);
}

function join(path: string, key: string): string {
  return path === '' ? key : `${path}.${key}`;
}

/** Layout of `canonicalJson`. */
export interface CanonicalJsonOptions {
  /** Spaces for each level; 0, the default, puts all on one line. */
  readonly indent?: number;
}

/**
 * The one text of a value: keys sorted by UTF-16 code units, no spaces, `& < >` and U+2028/9 escaped as Go's
 * encoder does, so that sign bytes and hashes made of it agree with the SDK's.
 */
export function canonicalJson(value: JsonValue, options: CanonicalJsonOptions = {}): string {
  return write(value, options.indent ?? 0, 0);
}

function write(value: JsonValue, indent: number, level: number): string {
  if (value === null) return 'null';
  if (typeof value === 'boolean') return value ? 'true' : 'false';
  if (typeof value === 'number') return String(value);
  if (typeof value === 'string') return quote(value);
  const gap = indent === 0 ? '' : `\n${' '.repeat(indent * (level + 1))}`;
  const close = indent === 0 ? '' : `\n${' '.repeat(indent * level)}`;
  if (isArray(value)) {
    if (value.length === 0) return '[]';
    return `[${value.map((item) => gap + write(item, indent, level + 1)).join(',')}${close}]`;
  }
  const keys = Object.keys(value).sort(byCodeUnit);
  if (keys.length === 0) return '{}';
  const colon = indent === 0 ? ':' : ': ';
  const members = keys.map((key) => gap + quote(key) + colon + write(value[key] ?? null, indent, level + 1));
  return `{${members.join(',')}${close}}`;
}

function isArray(value: readonly JsonValue[] | JsonObject): value is readonly JsonValue[] {
  return Array.isArray(value);
}

/** Order of text by UTF-16 code units: for `sort` where keys are text. */
export function byCodeUnit(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['"', '\\"'],
  ['\\', '\\\\'],
  ['\n', '\\n'],
  ['\r', '\\r'],
  ['\t', '\\t'],
  ['\b', '\\b'],
  ['\f', '\\f'],
]);

/** What is written in another way: controls, `" & < > \`, U+2028 and U+2029. */
const ESCAPED = /[^ !#-%'-;=?-[\]-\u2027\u202a-\uffff]/g;

/** Most text needs no escape: it is searched, not copied. Text of 12 MB in a genesis took two seconds else. */
function quote(text: string): string {
  return `"${text.replace(ESCAPED, escapeOf)}"`;
}

function escapeOf(character: string): string {
  return ESCAPES.get(character) ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/**
 * Reads a JSON value by shape; every complaint begins with the path, as
 * `app_state.bank.balances[3].address`.
 */
export class JsonReader {
  readonly path: string;
  readonly value: JsonValue | undefined;

  constructor(value: JsonValue | undefined, path: string) {
    this.value = value;
    this.path = path;
  }

  /** Complains about this place. */
  fail(problem: string): never {
    throw new JsonError(this.path, problem);
  }

  /** True when the member is there and not null. */
  get present(): boolean {
    return this.value !== undefined && this.value !== null;
  }

  /** Runs a check of another kind and puts the path before what it throws. */
  attempt<T>(read: () => T): T {
    try {
      return read();
    } catch (error) {
      if (error instanceof JsonError) throw error;
      return this.fail(messageOf(error));
    }
  }

  /** A member of an object; reading it complains when it is missing. */
  member(key: string): JsonReader {
    const object = this.object();
    return new JsonReader(Object.hasOwn(object, key) ? object[key] : undefined, join(this.path, key));
  }

  object(): JsonObject {
    const { value } = this;
    if (!this.present) return this.fail('is missing');
    if (typeof value !== 'object' || value === null || isArray(value)) return this.fail('is not an object');
    return value;
  }

  /** Complains about members that are not among these. */
  onlyMembers(...known: readonly string[]): void {
    for (const key of Object.keys(this.object()))
      if (!known.includes(key)) this.member(key).fail('is not a known field');
  }

  /** Elements of a list; none when it is missing or null, as Go writes an empty list. */
  elements(): readonly JsonReader[] {
    const { value } = this;
    if (!this.present) return [];
    if (typeof value !== 'object' || value === null || !isArray(value)) return this.fail('is not a list');
    return value.map((item, i) => new JsonReader(item, `${this.path}[${i}]`));
  }

  text(): string {
    if (!this.present) return this.fail('is missing');
    return typeof this.value === 'string' ? this.value : this.fail('is not text');
  }

  /** Text, or this when it is missing. */
  textOr(fallback: string): string {
    return this.present ? this.text() : fallback;
  }

  boolean(): boolean {
    if (!this.present) return this.fail('is missing');
    return typeof this.value === 'boolean' ? this.value : this.fail('is neither true nor false');
  }

  /** An integer of any size, as decimal text or as a safe JSON number. */
  integer(): bigint {
    const { value } = this;
    if (!this.present) return this.fail('is missing');
    if (typeof value === 'number' && Number.isSafeInteger(value)) return BigInt(value);
    if (typeof value === 'string' && INTEGER_PATTERN.test(value)) return BigInt(value);
    return this.fail('is not an integer');
  }

  uint64(): bigint {
    const value = this.integer();
    if (value < 0n || value > UINT64_MAX) return this.fail('is not an unsigned 64-bit number');
    return value;
  }

  /** Bytes in base64. */
  base64(): Uint8Array {
    const text = this.text();
    return this.attempt(() => fromBase64(text));
  }
}
