/**
 * Content commitments. A content is cut into chunks of 256 bytes, the last one shorter; its root is the RFC
 * 6962 merkle root over the chunks (`core/merkle.ts`). A run of neighbouring chunks is opened by one proof:
 * the tree is walked from its root, left to right, and a subtree without an opened chunk is the next of the
 * proof's hashes.
 *
 * ```
 *           root            opened: chunks 2 and 3 of 5
 *          /    \           hashes: [h01, c4]
 *      h0-3      c4
 *      /   \
 *   h01    [2 3]
 * ```
 */
import { HASH_BYTES, sha256 } from '../../core/hash.ts';
import { innerHash, leafHash } from '../../core/merkle.ts';
import { EMPTY_BYTES } from '../../core/bytes.ts';

/** Bytes of every chunk but the last. */
export const CHUNK_BYTES = 256;

/**
 * Neighbouring chunks of a content that are asked for and shown as one piece, a section of 16 KiB; the last
 * one of a content is shorter. A chunk alone would be far less than what a transaction may carry, and each
 * piece costs its asker a bond.
 */
export const SECTION_CHUNKS = 64;

const SECTION_BYTES = SECTION_CHUNKS * CHUNK_BYTES;

/** What a content is known by: its chunk root (32 bytes) and its length in bytes. */
export interface ContentCommitment {
  readonly root: Uint8Array;
  readonly byteLength: number;
}

/** Neighbouring chunks of a content, from index `first`, and what the path to the root needs. */
export interface ChunkRange {
  /** Chunks that the whole content has. */
  readonly total: number;
  readonly first: number;
  readonly chunks: readonly Uint8Array[];
  /** 32 bytes each, in the order in which the walk from the root needs them. */
  readonly hashes: readonly Uint8Array[];
}

/** Indexes of the chunks that hold a run of bytes: `first` to `end` (exclusive). `length` is positive. */
export function chunksOfRange(
  offset: number,
  length: number,
): { readonly first: number; readonly end: number } {
  return {
    first: Math.floor(offset / CHUNK_BYTES),
    end: Math.floor((offset + length - 1) / CHUNK_BYTES) + 1,
  };
}

/** How many chunks a content of this length has. */
export function chunkCount(byteLength: number): number {
  return Math.ceil(byteLength / CHUNK_BYTES);
}

/** Bytes of the chunk with this index in a content of this length; 0 when there is none. */
export function chunkLength(index: number, byteLength: number): number {
  return Math.max(0, Math.min(CHUNK_BYTES, byteLength - index * CHUNK_BYTES));
}

/** How many sections a content of this length has. */
export function sectionCount(byteLength: number): number {
  return Math.ceil(byteLength / SECTION_BYTES);
}

/** Bytes of the section with this index in a content of this length; 0 when there is none. */
export function sectionLength(index: number, byteLength: number): number {
  return Math.max(0, Math.min(SECTION_BYTES, byteLength - index * SECTION_BYTES));
}

/** A section of a content, and the hashes that lead from it to the root. Undefined when there is none. */
export function openSection(
  content: Uint8Array,
  index: number,
): { readonly content: Uint8Array; readonly hashes: readonly Uint8Array[] } | undefined {
  const length = sectionLength(index, content.length);
  if (length === 0) return undefined;
  const first = index * SECTION_CHUNKS;
  const hashes = rangeHashes(chunkHashes(content), first, first + chunkCount(length));
  return { content: content.subarray(first * CHUNK_BYTES, first * CHUNK_BYTES + length), hashes };
}

/** The root that a section leads to, as `rootOfRange`. Undefined when it has not the length it must have. */
export function rootOfSection(
  { index, byteLength }: { readonly index: number; readonly byteLength: number },
  { content, hashes }: { readonly content: Uint8Array; readonly hashes: readonly Uint8Array[] },
): Uint8Array | undefined {
  if (content.length === 0 || content.length !== sectionLength(index, byteLength)) return undefined;
  const first = index * SECTION_CHUNKS;
  return rootOfRange({ total: chunkCount(byteLength), first, chunks: chunksOf(content), hashes });
}

/** The chunks of a content, as views of it. */
export function chunksOf(content: Uint8Array): readonly Uint8Array[] {
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < content.length; at += CHUNK_BYTES)
    chunks.push(content.subarray(at, at + CHUNK_BYTES));
  return chunks;
}

/** Leaf hashes of a content's chunks: what its root and its proofs are made of. */
export function chunkHashes(content: Uint8Array): readonly Uint8Array[] {
  return chunksOf(content).map(leafHash);
}

/** Root over the chunks of a content: 32 bytes; that of the empty content is the hash of nothing. */
export function contentRoot(content: Uint8Array): Uint8Array {
  return rootOfChunkHashes(chunkHashes(content));
}

/** Root over leaf hashes. */
export function rootOfChunkHashes(leaves: readonly Uint8Array[]): Uint8Array {
  return leaves.length === 0 ? sha256(EMPTY_BYTES) : rootOf(leaves, 0, leaves.length);
}

function rootOf(hashes: readonly Uint8Array[], from: number, to: number): Uint8Array {
  if (to - from === 1) return hashes[from] ?? EMPTY_BYTES;
  const middle = from + splitPoint(to - from);
  return innerHash(rootOf(hashes, from, middle), rootOf(hashes, middle, to));
}

/**
 * The root that opened chunks lead to. Undefined when the proof has too few or too many hashes, or one that
 * is not 32 bytes. Lengths of the chunks are the caller's to check: see `chunkLength`.
 */
export function rootOfRange(range: ChunkRange): Uint8Array | undefined {
  const { total, first, chunks, hashes } = range;
  const end = first + chunks.length;
  if (chunks.length === 0 || first < 0 || end > total) return undefined;
  if (hashes.some((hash) => hash.length !== HASH_BYTES)) return undefined;
  let used = 0;
  const walk = (from: number, to: number): Uint8Array | undefined => {
    if (to <= first || from >= end) return hashes[used++];
    if (to - from === 1) return leafHash(chunks[from - first] ?? EMPTY_BYTES);
    const middle = from + splitPoint(to - from);
    const left = walk(from, middle);
    const right = left === undefined ? undefined : walk(middle, to);
    return left === undefined || right === undefined ? undefined : innerHash(left, right);
  };
  const root = walk(0, total);
  return used === hashes.length ? root : undefined;
}

/** The hashes that open chunks `first` to `end` (exclusive) of a content with these leaf hashes. */
export function rangeHashes(
  leaves: readonly Uint8Array[],
  first: number,
  end: number,
): readonly Uint8Array[] {
  const hashes: Uint8Array[] = [];
  const walk = (from: number, to: number): void => {
    if (to <= first || from >= end) {
      hashes.push(rootOf(leaves, from, to));
      return;
    }
    if (to - from === 1) return;
    const middle = from + splitPoint(to - from);
    walk(from, middle);
    walk(middle, to);
  };
  if (leaves.length > 0) walk(0, leaves.length);
  return hashes;
}

/** Largest power of two below `count`, which is at least 2: where RFC 6962 splits. */
function splitPoint(count: number): number {
  let split = 1;
  while (split * 2 < count) split *= 2;
  return split;
}
