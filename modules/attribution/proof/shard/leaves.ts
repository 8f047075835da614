/**
 * The leaves of a shard's trees: docs/adr/0023. All integers are big-endian; every leaf begins with its tree's
 * kind, and with 32 bytes of salt behind it in a salted shard.
 *
 * - text: u32 document and u32 offset of the first token in its content, then the tokens, u32 each;
 * - suffix: for each rank u32 position, u32 document, tokens up to and with the first separator, at most 32;
 * - inverse: ranks, u32 each;
 * - documents: u64 contribution, u8 flags (1: tombstone), u8 length of the address, the address, 32 bytes of
 *   root, u64 byte length, u32 first token, u32 tokens.
 *
 * A decoder takes the leaf of one place of one shard: its length and every value must be possible there. A
 * leaf that it refuses is malformed, and its shard convicted.
 */
import { copyBytes, EMPTY_BYTES } from '../../../../core/bytes.ts';
import { DecodeError } from '../../../../core/errors.ts';
import { HASH_BYTES } from '../../../../core/hash.ts';
import type { ShardCommitment } from '../../../../proto/gen/openledger/attribution/v1/attribution.ts';
import { LEAF_TOKENS, PREFIX_TOKENS, SHARD_TREES, type ShardTree } from '../kinds.ts';
import { SEPARATOR } from '../tokenise.ts';

/** Bytes of the salt of a leaf in a salted shard. */
export const SALT_BYTES = 32;

/** Longest leaf that a shard can have: eight entries, or a document with the longest address. */
export const LEAF_BYTES_MAX: number = 1 + SALT_BYTES + 8 * (8 + 4 * PREFIX_TOKENS);

/** Bytes of the longest leaf that a tree of this shard can have, with a salt and the longest address. */
export function leafBytesMax({ entriesPerLeaf }: ShardShape, tree: ShardTree): number {
  const head = 1 + SALT_BYTES;
  switch (tree) {
    case 'text':
      return head + 8 + 4 * LEAF_TOKENS;
    case 'suffix':
      return head + entriesPerLeaf * (8 + 4 * PREFIX_TOKENS);
    case 'inverse':
      return head + 4 * LEAF_TOKENS;
    case 'documents':
      return head + 10 + 255 + HASH_BYTES + 16;
  }
}

/** What decoding asks of a commitment. */
export type ShardShape = Pick<ShardCommitment, 'documents' | 'tokens' | 'entriesPerLeaf' | 'salted'>;

/** What every leaf has: 32 bytes, or none in a shard without salts. */
interface Salted {
  readonly salt: Uint8Array;
}

/** Sixty-four neighbouring tokens, and where in which document the first one stands. */
export interface TextLeaf extends Salted {
  readonly document: number;
  /** Bytes of the document's content before the first token: of its tokens, so 0 in a tombstone. */
  readonly offset: number;
  readonly tokens: readonly number[];
}

/** The suffix of a rank. */
export interface SuffixEntry {
  readonly position: number;
  /** Index of the document that holds the position. */
  readonly document: number;
  /** Its tokens up to and with the first separator, at most `PREFIX_TOKENS`. */
  readonly tokens: readonly number[];
}

/** The suffixes of neighbouring ranks. */
export interface SuffixLeaf extends Salted {
  readonly entries: readonly SuffixEntry[];
}

/** The ranks of sixty-four neighbouring positions. */
export interface InverseLeaf extends Salted {
  readonly ranks: readonly number[];
}

/** A document: the contribution at its place in the Datanet, and its place in the token array. */
export interface DocumentLeaf extends Salted {
  readonly contributionId: bigint;
  readonly tombstone: boolean;
  /** 1 to 255 bytes. */
  readonly contributor: Uint8Array;
  readonly root: Uint8Array;
  readonly byteLength: number;
  readonly firstToken: number;
  /** With the separator. */
  readonly tokens: number;
}

/** Writes big-endian integers and bytes into an array of known length. */
class Writer {
  readonly bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(tree: ShardTree, salt: Uint8Array, length: number) {
    this.bytes = new Uint8Array(1 + salt.length + length);
    this.#view = new DataView(this.bytes.buffer);
    this.u8(SHARD_TREES[tree]);
    this.raw(salt);
  }

  u8(value: number): void {
    this.bytes[this.#at++] = value;
  }

  u32(value: number): void {
    this.#view.setUint32(this.#at, value);
    this.#at += 4;
  }

  u64(value: bigint): void {
    this.#view.setBigUint64(this.#at, value);
    this.#at += 8;
  }

  raw(bytes: Uint8Array): void {
    this.bytes.set(bytes, this.#at);
    this.#at += bytes.length;
  }
}

/** Bytes of a text leaf. */
export function encodeTextLeaf(leaf: TextLeaf): Uint8Array {
  const out = new Writer('text', leaf.salt, 8 + 4 * leaf.tokens.length);
  out.u32(leaf.document);
  out.u32(leaf.offset);
  for (const token of leaf.tokens) out.u32(token);
  return out.bytes;
}

/** Bytes of a leaf of the suffix tree. */
export function encodeSuffixLeaf(leaf: SuffixLeaf): Uint8Array {
  let length = 0;
  for (const entry of leaf.entries) length += 8 + 4 * entry.tokens.length;
  const out = new Writer('suffix', leaf.salt, length);
  for (const entry of leaf.entries) {
    out.u32(entry.position);
    out.u32(entry.document);
    for (const token of entry.tokens) out.u32(token);
  }
  return out.bytes;
}

/** Bytes of a leaf of the inverse tree. */
export function encodeInverseLeaf(leaf: InverseLeaf): Uint8Array {
  const out = new Writer('inverse', leaf.salt, 4 * leaf.ranks.length);
  for (const rank of leaf.ranks) out.u32(rank);
  return out.bytes;
}

/** Bytes of a leaf of the document tree. */
export function encodeDocumentLeaf(leaf: DocumentLeaf): Uint8Array {
  const out = new Writer('documents', leaf.salt, 10 + leaf.contributor.length + HASH_BYTES + 16);
  out.u64(leaf.contributionId);
  out.u8(leaf.tombstone ? 1 : 0);
  out.u8(leaf.contributor.length);
  out.raw(leaf.contributor);
  out.raw(leaf.root);
  out.u64(BigInt(leaf.byteLength));
  out.u32(leaf.firstToken);
  out.u32(leaf.tokens);
  return out.bytes;
}

/** Reads a leaf from its first byte to its last; `where` is for the message of the error. */
class Reader {
  readonly salt: Uint8Array;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #where: string;
  #at = 0;

  constructor(shape: ShardShape, { tree, index, bytes }: PlacedLeaf) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#where = `leaf ${index} of the ${tree} tree`;
    this.check(this.u8() === SHARD_TREES[tree], 'begins with another kind');
    this.salt = shape.salted ? this.raw(SALT_BYTES) : EMPTY_BYTES;
  }

  check(condition: boolean, problem: string): void {
    if (!condition) throw new DecodeError(`${this.#where} ${problem}`, { offset: this.#at });
  }

  #take(length: number): number {
    const from = this.#at;
    this.check(from + length <= this.#bytes.length, 'is cut short');
    this.#at = from + length;
    return from;
  }

  u8(): number {
    return this.#view.getUint8(this.#take(1));
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4));
  }

  u64(): bigint {
    return this.#view.getBigUint64(this.#take(8));
  }

  raw(length: number): Uint8Array {
    const from = this.#take(length);
    return copyBytes(this.#bytes, from, from + length);
  }

  end(): void {
    this.check(this.#at === this.#bytes.length, 'goes on behind its end');
  }
}

/** A leaf at its place. */
export interface PlacedLeaf {
  readonly tree: ShardTree;
  readonly index: number;
  readonly bytes: Uint8Array;
}

/** How many of `total` things a leaf holds that takes `size` of them. */
function inLeaf(total: number, size: number, index: number): number {
  return Math.min(size, total - index * size);
}

/** @throws DecodeError when the bytes cannot be this leaf of the shard's text tree */
export function decodeTextLeaf(shape: ShardShape, index: number, bytes: Uint8Array): TextLeaf {
  const reader = new Reader(shape, { tree: 'text', index, bytes });
  const document = reader.u32();
  const offset = reader.u32();
  const tokens: number[] = [];
  let holder = document;
  for (let left = inLeaf(shape.tokens, LEAF_TOKENS, index); left > 0; left--) {
    reader.check(holder < shape.documents, 'has tokens behind the last document');
    const token = reader.u32();
    tokens.push(token);
    if (token === SEPARATOR) holder++;
  }
  reader.end();
  return { document, offset, tokens, salt: reader.salt };
}

/** @throws DecodeError when the bytes cannot be this leaf of the shard's suffix tree */
export function decodeSuffixLeaf(shape: ShardShape, index: number, bytes: Uint8Array): SuffixLeaf {
  const reader = new Reader(shape, { tree: 'suffix', index, bytes });
  const entries: SuffixEntry[] = [];
  for (let left = inLeaf(shape.tokens, shape.entriesPerLeaf, index); left > 0; left--)
    entries.push(readEntry(shape, reader));
  reader.end();
  return { entries, salt: reader.salt };
}

function readEntry(shape: ShardShape, reader: Reader): SuffixEntry {
  const position = reader.u32();
  reader.check(position < shape.tokens, 'has a position behind the last token');
  const document = reader.u32();
  reader.check(document < shape.documents, 'has a document behind the last one');
  const tokens: number[] = [];
  let token = reader.u32();
  tokens.push(token);
  while (token !== SEPARATOR && tokens.length < PREFIX_TOKENS) {
    token = reader.u32();
    tokens.push(token);
  }
  reader.check(position + tokens.length <= shape.tokens, 'has tokens behind the last one');
  return { position, document, tokens };
}

/** @throws DecodeError when the bytes cannot be this leaf of the shard's inverse tree */
export function decodeInverseLeaf(shape: ShardShape, index: number, bytes: Uint8Array): InverseLeaf {
  const reader = new Reader(shape, { tree: 'inverse', index, bytes });
  const ranks: number[] = [];
  for (let left = inLeaf(shape.tokens, LEAF_TOKENS, index); left > 0; left--) {
    const rank = reader.u32();
    reader.check(rank < shape.tokens, 'has a rank behind the last one');
    ranks.push(rank);
  }
  reader.end();
  return { ranks, salt: reader.salt };
}

/** @throws DecodeError when the bytes cannot be this leaf of the shard's document tree */
export function decodeDocumentLeaf(shape: ShardShape, index: number, bytes: Uint8Array): DocumentLeaf {
  const reader = new Reader(shape, { tree: 'documents', index, bytes });
  const contributionId = reader.u64();
  const flags = reader.u8();
  reader.check(flags <= 1, 'has unknown flags');
  const tombstone = flags === 1;
  const addressLength = reader.u8();
  reader.check(addressLength > 0, 'has no contributor');
  const contributor = reader.raw(addressLength);
  const root = reader.raw(HASH_BYTES);
  const byteLength = Number(reader.u64());
  reader.check(Number.isSafeInteger(byteLength), 'has a length that no content has');
  const firstToken = reader.u32();
  const tokens = reader.u32();
  reader.end();
  reader.check(tokens >= 1 && firstToken + tokens <= shape.tokens, 'has a range outside of the tokens');
  reader.check(!tombstone || tokens === 1, 'has tokens although it is a tombstone');
  return { contributionId, tombstone, contributor, root, byteLength, firstToken, tokens, salt: reader.salt };
}

/** What is wrong with the bytes as this leaf of this shard, for a person; undefined when they are well-formed. */
export function leafProblem(shape: ShardShape, { tree, index, bytes }: PlacedLeaf): string | undefined {
  try {
    decodeLeaf(shape, { tree, index, bytes });
    return undefined;
  } catch (error) {
    if (error instanceof DecodeError) return error.message;
    throw error;
  }
}

function decodeLeaf(shape: ShardShape, { tree, index, bytes }: PlacedLeaf): Salted {
  switch (tree) {
    case 'text':
      return decodeTextLeaf(shape, index, bytes);
    case 'suffix':
      return decodeSuffixLeaf(shape, index, bytes);
    case 'inverse':
      return decodeInverseLeaf(shape, index, bytes);
    case 'documents':
      return decodeDocumentLeaf(shape, index, bytes);
  }
}
