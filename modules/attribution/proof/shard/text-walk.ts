/** Where the tokens of a text leaf stand: what its header and its tokens say, before anybody believes them. */
import { equalBytes } from '../../../../core/bytes.ts';
import { CHUNK_BYTES, chunkCount, chunkLength, rootOfRange } from '../../range-proof.ts';
import { SEPARATOR, TOKEN_BYTES_MAX, tokenBytes, tokenLengthAt } from '../tokenise.ts';
import type { ChunkOpening } from './fraud-format.ts';
import type { DocumentLeaf, TextLeaf } from './leaves.ts';

/** A document and an offset in its content. */
export interface TextPlace {
  readonly document: number;
  readonly offset: number;
}

/** Place of the token `index` of a leaf; with as many as it has tokens, the place behind it. */
export function placeInLeaf(leaf: TextLeaf, index: number): TextPlace {
  let { document, offset } = leaf;
  for (const token of leaf.tokens.slice(0, index)) {
    if (token === SEPARATOR) {
      document++;
      offset = 0;
    } else offset += tokenBytes(token);
  }
  return { document, offset };
}

/** Bytes of a document's content that are tokens: none in a tombstone. */
export function indexedLength({ tombstone, byteLength }: DocumentLeaf): number {
  return tombstone ? 0 : byteLength;
}

/** Chunks of a content that decide which token begins at an offset below its length: one or two. */
export function chunksOfToken(
  offset: number,
  byteLength: number,
): { readonly first: number; readonly end: number } {
  const last = Math.min(offset + TOKEN_BYTES_MAX, byteLength) - 1;
  return { first: Math.floor(offset / CHUNK_BYTES), end: Math.floor(last / CHUNK_BYTES) + 1 };
}

/**
 * The token that begins at an offset of a document's content, from the chunks around it. Undefined when these
 * are not the chunks of `chunksOfToken`, opened against the document's root.
 */
export function tokenOfContent(
  document: DocumentLeaf,
  offset: number,
  { chunks, hashes }: ChunkOpening,
): number | undefined {
  const { root, byteLength } = document;
  const { first, end } = chunksOfToken(offset, byteLength);
  if (chunks.length !== end - first) return undefined;
  if (chunks.some((chunk, i) => chunk.length !== chunkLength(first + i, byteLength))) return undefined;
  const opened = rootOfRange({ total: chunkCount(byteLength), first, chunks, hashes });
  if (opened === undefined || !equalBytes(opened, root)) return undefined;
  const window = new Uint8Array(chunks.reduce((length, chunk) => length + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    window.set(chunk, at);
    at += chunk.length;
  }
  const from = offset - first * CHUNK_BYTES;
  return idAt(window, from);
}

function idAt(window: Uint8Array, from: number): number {
  const length = tokenLengthAt(window, from);
  let id = 0;
  for (let i = 0; i < TOKEN_BYTES_MAX; i++) id = id * 256 + (i < length ? (window[from + i] ?? 0) : 0);
  return id;
}
