/**
 * What a shard is on disk: a directory of plain arrays and a header. The integers of arrays are
 * little-endian, as the machines are that build them; those of leaves are not stored but made from the
 * arrays.
 *
 * | file | record |
 * | --- | --- |
 * | `text` | u32 token, by position |
 * | `suffix` | u32 position, by rank |
 * | `inverse` | u32 rank, by position |
 * | `marks` | u32 document and u32 byte offset of token 64·i: the head of a text leaf |
 * | `documents` | 64 bytes: `DOCUMENT_FIELDS` |
 * | `addresses` | u8 length and the bytes of each address that occurs |
 * | `text-tree` … `documents-tree` | nodes from level 3 up, 32 bytes each: tree-layout.ts |
 * | `shard.json` | the header: versions, commitment, bytes and SHA-256 of each file |
 */
import type { ShardTree } from '../../modules/attribution/proof/kinds.ts';
import { indexError } from './errors.ts';

/** Version of the layout; a reader takes no other. */
export const SHARD_FORMAT = 1;

/** Name of the header. */
export const HEADER_FILE = 'shard.json';

/** The trees, in the order of their kinds. */
export const TREES: readonly ShardTree[] = ['text', 'suffix', 'inverse', 'documents'];

/** Arrays that readers page through. */
export type ArrayFile = 'text' | 'suffix' | 'inverse' | 'marks' | 'documents' | 'addresses';

/** A file of a shard. */
export type ShardFile = ArrayFile | `${ShardTree}-tree`;

/** All files but the header. */
export const SHARD_FILES: readonly ShardFile[] = [
  ...(['text', 'suffix', 'inverse', 'marks', 'documents', 'addresses'] as const),
  ...(['text-tree', 'suffix-tree', 'inverse-tree', 'documents-tree'] as const),
];

/** Bytes of a record of `documents`. */
export const DOCUMENT_BYTES = 64;

/** Offsets in a record of `documents`; integers little-endian. */
export const DOCUMENT_FIELDS = {
  /** u64 */
  contributionId: 0,
  /** u64 */
  byteLength: 8,
  /** u32 */
  firstToken: 16,
  /** u32, with the separator */
  tokens: 20,
  /** u32: offset in `addresses` */
  address: 24,
  /** u32: 1 for a tombstone */
  flags: 28,
  /** 32 bytes */
  root: 32,
} as const;

/** Takes what a build writes. */
export interface ShardSink {
  /** Makes a file of so many bytes, before anything is written to it. */
  create(file: ShardFile, bytes: number): void;
  write(file: ShardFile, at: number, bytes: Uint8Array): void;
}

/** Integers of 32 bits, in memory or paged. */
export interface Uint32Source {
  /** 0 behind the end. */
  get(index: number): number;
}

/** Gives what a build wrote. */
export interface ShardStorage {
  uint32(file: ArrayFile): Uint32Source;
  /** @throws LedgerError (`attest.index_damaged`) when the file ends before */
  read(file: ShardFile, at: number, length: number): Uint8Array;
}

/** A shard that is kept in memory. */
export class MemoryStorage implements ShardSink, ShardStorage {
  readonly #files = new Map<ShardFile, Uint8Array<ArrayBuffer>>();

  create(file: ShardFile, bytes: number): void {
    this.#files.set(file, new Uint8Array(bytes));
  }

  write(file: ShardFile, at: number, bytes: Uint8Array): void {
    this.#files.get(file)?.set(bytes, at);
  }

  uint32(file: ArrayFile): Uint32Source {
    const bytes = this.#files.get(file) ?? new Uint8Array(0);
    return wordsOf(bytes);
  }

  read(file: ShardFile, at: number, length: number): Uint8Array {
    const bytes = (this.#files.get(file) ?? new Uint8Array(0)).subarray(at, at + length);
    if (bytes.length < length) throw indexError('damaged', `"${file}" ends before byte ${at + length}`);
    return bytes;
  }
}

/** An array in memory. */
class Words implements Uint32Source {
  readonly #words: Uint32Array;

  constructor(words: Uint32Array) {
    this.#words = words;
  }

  get(index: number): number {
    return this.#words[index] ?? 0;
  }
}

/** The integers of an array that is in memory. */
export function wordsOf(bytes: Uint8Array<ArrayBuffer>): Uint32Source {
  return new Words(new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2));
}
