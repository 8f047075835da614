/** One setting: its key in the file, its default, what is allowed, and how it is read and written. */
import { DecodeError } from '../../core/errors.ts';
import { formatDuration, parseDuration } from './duration.ts';

/** What TOML gives for a value of a setting. */
export type TomlValue = unknown;

/** A setting of type T. */
export interface Field<T> {
  /** The key as the file spells it. */
  readonly key: string;
  /** One line above the setting in a file that `init` writes. */
  readonly comment: string;
  readonly fallback: T;
  /** What a value may be, for an error sentence: `a whole number from 1 to 100`. */
  readonly allowed: string;
  /** The value; undefined when it is not allowed. */
  decode(value: TomlValue): T | undefined;
  /** The value as TOML. */
  encode(value: T): string;
}

/** The settings of one section; the compiler holds the table against the section's type. */
export type Fields<Section> = { readonly [Name in keyof Section]: Field<Section[Name]> };

interface Head<T> {
  readonly key: string;
  readonly comment: string;
  readonly fallback: T;
}

/** Text; `allowed` and `accepts` narrow it. */
export function text(
  head: Head<string>,
  rule?: { readonly allowed: string; readonly accepts: (value: string) => boolean },
): Field<string> {
  return {
    ...head,
    allowed: rule?.allowed ?? 'text',
    decode: (value) =>
      typeof value === 'string' && (rule === undefined || rule.accepts(value)) ? value : undefined,
    encode: (value) => JSON.stringify(value),
  };
}

/** One of some words. */
export function choice<T extends string>(head: Head<T>, options: readonly T[]): Field<T> {
  return {
    ...head,
    allowed: `one of ${options.map((option) => `"${option}"`).join(', ')}`,
    decode: (value) => options.find((option) => option === value),
    encode: (value) => JSON.stringify(value),
  };
}

/** true or false. */
export function flag(head: Head<boolean>): Field<boolean> {
  return {
    ...head,
    allowed: 'true or false',
    decode: (value) => (typeof value === 'boolean' ? value : undefined),
    encode: String,
  };
}

/** A whole number between two bounds, both allowed. */
export function whole(
  head: Head<number>,
  bounds: { readonly min: number; readonly max: number },
): Field<number> {
  return {
    ...head,
    allowed: `a whole number from ${bounds.min} to ${bounds.max}`,
    decode: (value) =>
      typeof value === 'number' && Number.isInteger(value) && value >= bounds.min && value <= bounds.max
        ? value
        : undefined,
    encode: String,
  };
}

/** A duration; the value is milliseconds. */
export function duration(head: Head<number>): Field<number> {
  return {
    ...head,
    allowed: 'a duration such as "500ms", "1s" or "1m30s"',
    decode: (value) => (typeof value === 'string' ? orUndefined(() => parseDuration(value)) : undefined),
    encode: (value) => JSON.stringify(formatDuration(value)),
  };
}

/** A comma-separated list, as CometBFT writes lists of peers, or a TOML array of texts. */
export function list(
  head: Head<readonly string[]>,
  rule?: { readonly allowed: string; readonly accepts: (item: string) => boolean },
): Field<readonly string[]> {
  return {
    ...head,
    allowed: rule?.allowed ?? 'a comma-separated list',
    decode: (value) => {
      const items = typeof value === 'string' ? value.split(',') : value;
      if (!Array.isArray(items) || !items.every((item) => typeof item === 'string')) return undefined;
      const trimmed = items.map((item: string) => item.trim()).filter((item) => item !== '');
      return rule === undefined || trimmed.every(rule.accepts) ? trimmed : undefined;
    },
    encode: (value) => JSON.stringify(value.join(',')),
  };
}

/** What a parser returns, or undefined when it refuses the text. */
export function orUndefined<T>(parse: () => T): T | undefined {
  try {
    return parse();
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}
