/** Valid inputs out of `test/vectors`. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fromBase64, fromHex } from '../../../core/bytes.ts';
import { DecodeError } from '../../../core/errors.ts';

/** Longer ones only make runs slow. */
const SEED_BYTES_MAX = 6_000;
const SEEDS_MAX = 16;

function load(name: string): unknown {
  return JSON.parse(readFileSync(join(import.meta.dirname, '../../vectors', name), 'utf8'));
}

/** The texts at a path of member names, through lists. */
function textsAt(value: unknown, path: readonly string[]): readonly string[] {
  if (Array.isArray(value)) return value.flatMap((item) => textsAt(item, path));
  const [name, ...rest] = path;
  if (name === undefined) return typeof value === 'string' ? [value] : [];
  if (typeof value !== 'object' || value === null) return [];
  return textsAt(Reflect.get(value, name), rest);
}

function some(list: readonly Uint8Array[]): readonly Uint8Array[] {
  const fitting = list.filter(({ length }) => length <= SEED_BYTES_MAX);
  const step = Math.max(1, Math.floor(fitting.length / SEEDS_MAX));
  return fitting.filter((_, i) => i % step === 0).slice(0, SEEDS_MAX);
}

/** Bytes that stand in a file as hexadecimal, at a path such as `blocks.header`. */
export function hexVectors(file: string, path: string): readonly Uint8Array[] {
  return some(textsAt(load(file), path.split('.')).map(fromHex));
}

/** The same of base64. */
export function base64Vectors(file: string, path: string): readonly Uint8Array[] {
  return some(textsAt(load(file), path.split('.')).map(fromBase64));
}

/** What most decoders document. */
export function isDecodeError(error: unknown): boolean {
  return error instanceof DecodeError;
}
