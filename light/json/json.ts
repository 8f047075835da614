/** JSON values, and the scalar forms that CometBFT gives them (`libs/json`). */
import type { Time } from '../../consensus/types/time.ts';
import { toBase64, toUpperHex } from '../../core/bytes.ts';
import { formatInstant } from '../../core/time.ts';

/** A JSON value. 64-bit numbers are strings by then. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** Upper-case hexadecimal, as `HexBytes` has it. */
export function hexJson(bytes: Uint8Array): string {
  return toUpperHex(bytes);
}

/** Base64; empty text for no bytes. */
export function base64Json(bytes: Uint8Array): string {
  return toBase64(bytes);
}

/** Base64, and null for no bytes: what Go makes of a slice that was never set. */
export function bytesJson(bytes: Uint8Array): string | null {
  return bytes.length === 0 ? null : base64Json(bytes);
}

/** RFC 3339 in UTC, with as many digits of the second as there are. */
export function timeJson(time: Time): string {
  return formatInstant(time);
}

/** Null for an empty list: what Go makes of a slice that was never set. */
export function listOrNull<T>(list: readonly T[], item: (value: T) => Json): Json {
  return list.length === 0 ? null : list.map(item);
}
