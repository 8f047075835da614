/** JSON values, and the scalar forms that CometBFT gives them (`libs/json`). */
import type { Time } from '../../../consensus/types/time.ts';

/** A JSON value. 64-bit numbers are strings by then. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** JSON text that is put into an answer as it is. */
export class RawJson {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** Upper-case hexadecimal, as `HexBytes` has it. */
export function hexJson(bytes: Uint8Array): string {
  return view(bytes).toString('hex').toUpperCase();
}

/** Base64; empty text for no bytes. */
export function base64Json(bytes: Uint8Array): string {
  return view(bytes).toString('base64');
}

/** Base64, and null for no bytes: what Go makes of a slice that was never set. */
export function bytesJson(bytes: Uint8Array): string | null {
  return bytes.length === 0 ? null : base64Json(bytes);
}

/** RFC 3339 in UTC, with as many digits of the second as there are. */
export function timeJson(time: Time): string {
  const seconds = new Date(Number(time.seconds) * 1000).toISOString().slice(0, 19);
  if (time.nanos === 0) return `${seconds}Z`;
  return `${seconds}.${time.nanos.toString().padStart(9, '0').replace(/0+$/, '')}Z`;
}

/** Null for an empty list: what Go makes of a slice that was never set. */
export function listOrNull<T>(list: readonly T[], item: (value: T) => Json): Json {
  return list.length === 0 ? null : list.map(item);
}

function view(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}
