/**
 * The consensus tokeniser, version 1. A token is one to four neighbouring bytes of the content, and its id is
 * those bytes, left-aligned in 32 bits with zeros behind. So
 *
 * - ids hold the text: equal ids are equal bytes, and no two contents have the same tokens (a hash of a word
 *   in 32 bits would have collisions that anybody can make);
 * - ids in numeric order are texts in byte order;
 * - where a token ends follows from the four bytes at its start: any piece of a content is tokenised alone,
 *   which is what lets one opened chunk convict a wrong token.
 *
 * | at the start | the token |
 * | --- | --- |
 * | NUL | it alone: id 0 |
 * | ASCII letter or digit, two-byte character | as many of these, mixed, as fit in four bytes |
 * | three- or four-byte character | it alone |
 * | another ASCII byte | the run of this byte, at most four |
 * | a byte that begins no character | it alone |
 *
 * A token of fewer than four bytes takes one space that follows it, unless it is spaces or NUL. Characters
 * are told by the shape of UTF-8 (lead byte and continuation bytes), not by tables of Unicode, which change.
 * Nothing is folded or normalised. See docs/adr/0023.
 */
import { assert } from '../../../core/errors.ts';

/** What `tokenise` does; part of every commitment to tokens. */
export const TOKENISER_VERSION = 1;

/** Bytes of the longest token, and bytes ahead that decide where a token ends. */
export const TOKEN_BYTES_MAX = 4;

/**
 * Ends each document of a token array. No content has it: a token that begins with NUL is NUL alone.
 */
export const SEPARATOR = 1;

const NUL = 0;
const SPACE = 0x20;

/** Bytes of a character by its lead byte, as UTF-8 has them; 1 for a byte that leads none. */
function characterLength(lead: number): number {
  if (lead >= 0xc2 && lead <= 0xdf) return 2;
  if (lead >= 0xe0 && lead <= 0xef) return 3;
  if (lead >= 0xf0 && lead <= 0xf4) return 4;
  return 1;
}

/** Bytes of the character at `at`, 1 when its continuation bytes are not all there. */
function unitLength(content: Uint8Array, at: number): number {
  const length = characterLength(content[at] ?? NUL);
  for (let i = 1; i < length; i++) if (((content[at + i] ?? NUL) & 0xc0) !== 0x80) return 1;
  return length;
}

function isAlphanumeric(byte: number): boolean {
  return (byte >= 0x61 && byte <= 0x7a) || (byte >= 0x41 && byte <= 0x5a) || (byte >= 0x30 && byte <= 0x39);
}

/** Bytes of the letter, digit or two-byte character at `at`; 0 when there is something else. */
function wordUnit(content: Uint8Array, at: number): number {
  const byte = content[at];
  if (byte === undefined) return 0;
  if (isAlphanumeric(byte)) return 1;
  return unitLength(content, at) === 2 ? 2 : 0;
}

/** Bytes of the token at `at`, without the space that may follow. */
function bareLength(content: Uint8Array, at: number): number {
  let length = wordUnit(content, at);
  if (length > 0) {
    let unit = wordUnit(content, at + length);
    while (unit > 0 && length + unit <= TOKEN_BYTES_MAX) {
      length += unit;
      unit = wordUnit(content, at + length);
    }
    return length;
  }
  const byte = content[at] ?? NUL;
  if (byte >= 0x80) return unitLength(content, at);
  length = 1;
  if (byte === NUL) return length;
  while (length < TOKEN_BYTES_MAX && content[at + length] === byte) length++;
  return length;
}

/** Bytes of the token that begins at `at`: 1 to 4. `at` is inside the content. */
export function tokenLengthAt(content: Uint8Array, at: number): number {
  const length = bareLength(content, at);
  const byte = content[at];
  if (length === TOKEN_BYTES_MAX || byte === SPACE || byte === NUL) return length;
  return content[at + length] === SPACE ? length + 1 : length;
}

/** Id of the token that is these bytes of a content. */
function idOf(content: Uint8Array, at: number, length: number): number {
  let id = 0;
  for (let i = 0; i < TOKEN_BYTES_MAX; i++) id = id * 256 + (i < length ? (content[at + i] ?? 0) : 0);
  return id;
}

/** How many bytes of text a token stands for: 1 to 4; 0 for the separator. */
export function tokenBytes(id: number): number {
  if (id === SEPARATOR) return 0;
  if ((id & 0xff) !== 0) return 4;
  if ((id & 0xffff) !== 0) return 3;
  return (id & 0xffffff) !== 0 ? 2 : 1;
}

/** Bytes of a token that is looked at, by their number: verifiers look at all of a query. */
const scratch: readonly Uint8Array[] = Array.from(
  { length: TOKEN_BYTES_MAX + 1 },
  (_, n) => new Uint8Array(n),
);

/** True for an id that some content has: what a decoder of claims lets in. */
export function isToken(id: number): boolean {
  const length = tokenBytes(id);
  const bytes = scratch[length];
  if (bytes === undefined || length === 0) return false;
  for (let i = 0; i < length; i++) bytes[i] = id >>> (24 - 8 * i);
  return tokenLengthAt(bytes, 0) === length;
}

/** The text of a token: 1 to 4 bytes; none for the separator. */
export function bytesOfToken(id: number): Uint8Array {
  const bytes = Uint8Array.of(id >>> 24, (id >>> 16) & 0xff, (id >>> 8) & 0xff, id & 0xff);
  return bytes.subarray(0, tokenBytes(id));
}

/** Ids of the tokens of a content, in order. Their bytes, one after another, are the content. */
export function tokenise(content: Uint8Array): Uint32Array {
  const ids = new Uint32Array(content.length);
  return ids.slice(0, tokeniseInto(content, ids, 0));
}

/**
 * Writes the tokens of a content to `ids` from index `from`; the index behind the last.
 * @throws AssertionError when `ids` is too short
 */
export function tokeniseInto(content: Uint8Array, ids: Uint32Array, from: number): number {
  let count = from;
  for (let at = 0; at < content.length; ) {
    const length = tokenLengthAt(content, at);
    assert(count < ids.length, 'no room for tokens', { room: ids.length });
    ids[count++] = idOf(content, at, length);
    at += length;
  }
  return count;
}

/** The content whose tokens these are. Separators stand for nothing. */
export function detokenise(ids: Uint32Array): Uint8Array {
  let length = 0;
  for (const id of ids) length += tokenBytes(id);
  const content = new Uint8Array(length);
  let at = 0;
  for (const id of ids) {
    const bytes = bytesOfToken(id);
    content.set(bytes, at);
    at += bytes.length;
  }
  return content;
}
