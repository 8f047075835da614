import { DecodeError } from '../../core/errors.ts';

type JsonObject = Readonly<Record<string, unknown>>;

interface JsonTypes {
  readonly string: string;
  readonly number: number;
  readonly object: JsonObject;
}

/** @throws DecodeError when the text is not a JSON object */
export function parseObject(text: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new DecodeError('it is not JSON', {}, cause);
  }
  if (!isObject(value)) throw new DecodeError('it is not a JSON object');
  return value;
}

/** @throws DecodeError when the field is missing or of another type */
export function fieldOf<T extends keyof JsonTypes>(object: JsonObject, name: string, type: T): JsonTypes[T] {
  const value = object[name];
  if (!isOfType(value, type)) throw new DecodeError(`field "${name}" must be a JSON ${type}`);
  return value;
}

function isOfType<T extends keyof JsonTypes>(value: unknown, type: T): value is JsonTypes[T] {
  return type === 'object' ? isObject(value) : typeof value === type;
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
