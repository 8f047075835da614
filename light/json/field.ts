import { fromBase64, fromHex } from '../../core/bytes.ts';
import { DecodeError } from '../../core/errors.ts';
import { parseInstant } from '../../core/time.ts';
import type { Time } from '../../consensus/types/time.ts';
import type { Json } from './json.ts';

const INTEGER = /^-?\d{1,20}$/;
const INT64_MAX = (1n << 63n) - 1n;
const INT64_MIN = -(1n << 63n);
const SHOWN_CHARS_MAX = 40;

/**
 * A value of JSON from outside and where it stands, so that an error can say both. Every reading method
 * throws DecodeError when the value is not what it is asked to be. Members that nobody asks for are ignored:
 * servers add some.
 */
export class JsonField {
  readonly value: unknown;
  readonly path: string;

  constructor(value: unknown, path: string) {
    this.value = value;
    this.path = path;
  }

  /** The member of an object; undefined inside when it is not there. */
  at(name: string): JsonField {
    const { value } = this;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw this.wrong('an object');
    const member: unknown = Object.hasOwn(value, name) ? Reflect.get(value, name) : undefined;
    return new JsonField(member, `${this.path}.${name}`);
  }

  /** True when there is nothing, or null: Go writes both for what is empty. */
  get isEmpty(): boolean {
    return this.value === undefined || this.value === null;
  }

  string(): string {
    if (typeof this.value !== 'string') throw this.wrong('text');
    return this.value;
  }

  boolean(): boolean {
    if (typeof this.value !== 'boolean') throw this.wrong('true or false');
    return this.value;
  }

  /** A 64-bit number, as text. */
  int64(): bigint {
    const text = this.string();
    if (!INTEGER.test(text)) throw this.wrong('a 64-bit number as text');
    const number = BigInt(text);
    if (number > INT64_MAX || number < INT64_MIN) throw this.wrong('a number of 64 bits');
    return number;
  }

  /** A number of at most 32 bits, as a number. */
  int32(): number {
    const { value } = this;
    const fits = typeof value === 'number' && Number.isInteger(value) && Math.abs(value) <= 0xffff_ffff;
    if (!fits) throw this.wrong('a 32-bit number');
    return value;
  }

  /** Hexadecimal in either case, empty for null. */
  hex(): Uint8Array {
    if (this.isEmpty) return new Uint8Array(0);
    return this.#decoded(fromHex, 'hexadecimal text');
  }

  /** Base64, empty for null. */
  base64(): Uint8Array {
    if (this.isEmpty) return new Uint8Array(0);
    return this.#decoded(fromBase64, 'base64 text');
  }

  /** RFC 3339. */
  time(): Time {
    return this.#decoded(parseInstant, 'an RFC 3339 time');
  }

  /** The items of a list of at most `max`; none for null. */
  list(max: number): readonly JsonField[] {
    if (this.isEmpty) return [];
    const { value } = this;
    if (!Array.isArray(value)) throw this.wrong('a list');
    const items: readonly unknown[] = value;
    if (items.length > max) throw this.wrong(`a list of at most ${max}, but has ${items.length} items`);
    return items.map((item, index) => new JsonField(item, `${this.path}[${index}]`));
  }

  /** The value as it is, whatever it is; null when it is missing. For values that JSON.parse has made. */
  json(): Json {
    return (this.value ?? null) as Json;
  }

  /** What the value is, for an error: its beginning, or what kind it is. */
  shown(): string {
    return shown(this.value);
  }

  /** What to throw when the value is not as it should be. */
  wrong(expected: string): DecodeError {
    return new DecodeError(`${this.path} should be ${expected}: ${shown(this.value)}`, { path: this.path });
  }

  #decoded<T>(decode: (text: string) => T, expected: string): T {
    try {
      return decode(this.string());
    } catch (error) {
      if (error instanceof DecodeError) throw this.wrong(expected);
      throw error;
    }
  }
}

/** The beginning of a plain value. A list or object may nest deeper than the stack, so it is only named. */
function shown(value: unknown): string {
  if (Array.isArray(value)) return `a list of ${value.length} items`;
  if (typeof value === 'object' && value !== null) return 'an object';
  const text = typeof value === 'string' ? value.slice(0, SHOWN_CHARS_MAX + 1) : value;
  const json = JSON.stringify(text) ?? 'missing';
  return json.length > SHOWN_CHARS_MAX ? `${json.slice(0, SHOWN_CHARS_MAX)}…` : json;
}
