/**
 * Proofs that a shard is wrong: their forms and their bytes. Each opens a constant number of leaves, at most
 * two of a tree; `fraud.ts` says what each shows. The byte table is in `../README.md`.
 */
import { DecodeError } from '../../../../core/errors.ts';
import { HASH_BYTES } from '../../../../core/hash.ts';
import { SHARD_TREES, type ShardTree } from '../kinds.ts';
import type { Opening } from '../tree.ts';
import { ProofReader, ProofWriter } from './bytes.ts';
import { SHARD_SECRET_BYTES } from './salts.ts';

/** First byte of a fraud proof. */
export const FRAUD_VERSION = 0x20;

/** Longest fraud proof: test/soundness and `fraud.test.ts` hold the longest of each kind against it. */
export const FRAUD_BYTES_MAX = 8192;

/** Longest leaf that a fraud proof can show. A longer one can be opened nowhere, so nobody can serve it. */
export const SHOWN_LEAF_BYTES_MAX = 4096;

/** Most leaves of one tree, and most chunks. */
const OPENED_MAX = 2;
/** Most hashes of one opening: two leaves of a tree of 2^32, or chunks of any content. */
const HASHES_MAX = 64;

/** A statement about leaves that is wrong in the shard. */
export type FraudStatement =
  | 'permutation'
  | 'token-order'
  | 'suffix-order'
  | 'prefix'
  | 'entry-document'
  | 'text-link'
  | 'text-token'
  | 'document-end'
  | 'document-range'
  | 'document-record';

/** Trees of which each statement opens leaves, in this order. */
export const OPENS: Readonly<Record<FraudStatement, readonly ShardTree[]>> = {
  permutation: ['inverse', 'suffix'],
  'token-order': ['suffix'],
  'suffix-order': ['suffix', 'inverse'],
  prefix: ['suffix', 'text'],
  'entry-document': ['suffix', 'documents'],
  'text-link': ['text'],
  'text-token': ['text', 'documents'],
  'document-end': ['text', 'documents'],
  'document-range': ['documents'],
  'document-record': ['documents'],
};

/** The ways in which a shard can be wrong. The place in this list is the number in the encoding. */
export const FRAUD_KINDS: readonly ShardFraud['kind'][] = [
  'root',
  'malformed-leaf',
  'permutation',
  'token-order',
  'suffix-order',
  'prefix',
  'entry-document',
  'text-link',
  'text-token',
  'document-end',
  'document-range',
  'document-record',
  'salt',
];

/** What a committed root is the hash of, when that is not a tree of this kind and size. */
export interface RootFraud {
  readonly kind: 'root';
  readonly tree: ShardTree;
  readonly boundKind: number;
  readonly leaves: number;
  /** RFC 6962 root, 32 bytes. */
  readonly root: Uint8Array;
}

/** A leaf that cannot stand at its place. */
export interface LeafFraud {
  readonly kind: 'malformed-leaf';
  readonly tree: ShardTree;
  readonly opened: Opening;
}

/** A well-formed leaf of a salted shard, and the shard's secret: the salt is not made from it. */
export interface SaltFraud {
  readonly kind: 'salt';
  readonly tree: ShardTree;
  /** 32 bytes. */
  readonly secret: Uint8Array;
  readonly opened: Opening;
}

/** Neighbouring chunks of a content. */
export interface ChunkOpening {
  readonly chunks: readonly Uint8Array[];
  readonly hashes: readonly Uint8Array[];
}

/** Well-formed leaves that cannot stand together. */
export interface StatementFraud {
  readonly kind: FraudStatement;
  /** Position, rank, text leaf or document: by kind. */
  readonly at: number;
  /** For each of the kind's trees. */
  readonly opened: readonly Opening[];
  /** text-token: the content where the token stands, when it has any there; else nothing. */
  readonly content: ChunkOpening;
}

/** A proof that a shard is wrong. */
export type ShardFraud = RootFraud | LeafFraud | SaltFraud | StatementFraud;

/** No chunks. */
export const NO_CONTENT: ChunkOpening = { chunks: [], hashes: [] };

/** Bytes of a fraud proof. */
export function encodeFraud(fraud: ShardFraud): Uint8Array {
  const writer = new ProofWriter();
  writer.uint(FRAUD_VERSION, 1);
  writer.uint(FRAUD_KINDS.indexOf(fraud.kind), 1);
  switch (fraud.kind) {
    case 'root':
      writer.uint(SHARD_TREES[fraud.tree], 1);
      writer.uint(fraud.boundKind, 1);
      writer.uint(fraud.leaves, 6);
      writer.raw(fraud.root);
      break;
    case 'malformed-leaf':
      writer.uint(SHARD_TREES[fraud.tree], 1);
      writeOpening(writer, fraud.opened);
      break;
    case 'salt':
      writer.uint(SHARD_TREES[fraud.tree], 1);
      writer.raw(fraud.secret);
      writeOpening(writer, fraud.opened);
      break;
    default:
      writer.uint(fraud.at, 4);
      for (const opening of fraud.opened) writeOpening(writer, opening);
      if (fraud.kind === 'text-token') writeChunks(writer, fraud.content);
  }
  return writer.done();
}

function writeOpening(writer: ProofWriter, { indices, leaves, hashes }: Opening): void {
  writer.uint(indices.length, 1);
  for (const [i, index] of indices.entries()) {
    writer.uint(index, 4);
    writeBlob(writer, leaves[i] ?? new Uint8Array(0));
  }
  writer.uint(hashes.length / HASH_BYTES, 1);
  writer.raw(hashes);
}

function writeBlob(writer: ProofWriter, bytes: Uint8Array): void {
  writer.uint(bytes.length, 2);
  writer.raw(bytes);
}

function writeChunks(writer: ProofWriter, { chunks, hashes }: ChunkOpening): void {
  writer.uint(chunks.length, 1);
  for (const chunk of chunks) writeBlob(writer, chunk);
  writer.uint(hashes.length, 1);
  for (const hash of hashes) writer.raw(hash);
}

/** @throws DecodeError when the bytes are not the encoding of some fraud proof */
export function decodeFraud(bytes: Uint8Array): ShardFraud {
  if (bytes.length > FRAUD_BYTES_MAX)
    throw new DecodeError('fraud proof is too long', { length: bytes.length });
  const reader = new ProofReader(bytes);
  reader.check(reader.u8() === FRAUD_VERSION, 'has another version');
  const kind = FRAUD_KINDS[reader.u8()];
  if (kind === undefined) throw new DecodeError('proof: shows an unknown fraud');
  const fraud = readFraud(reader, kind);
  reader.end();
  return fraud;
}

function readFraud(reader: ProofReader, kind: ShardFraud['kind']): ShardFraud {
  switch (kind) {
    case 'root': {
      const tree = readTree(reader);
      const boundKind = reader.u8();
      const leaves = reader.uint(6);
      return { kind, tree, boundKind, leaves, root: reader.raw(HASH_BYTES).slice() };
    }
    case 'malformed-leaf': {
      const tree = readTree(reader);
      return { kind, tree, opened: readOpening(reader) };
    }
    case 'salt': {
      const tree = readTree(reader);
      const secret = reader.raw(SHARD_SECRET_BYTES).slice();
      return { kind, tree, secret, opened: readOpening(reader) };
    }
    default: {
      const at = reader.uint(4);
      const opened = OPENS[kind].map(() => readOpening(reader));
      return { kind, at, opened, content: kind === 'text-token' ? readChunks(reader) : NO_CONTENT };
    }
  }
}

function readTree(reader: ProofReader): ShardTree {
  const number = reader.u8();
  for (const tree of ['text', 'suffix', 'inverse', 'documents'] as const)
    if (SHARD_TREES[tree] === number) return tree;
  throw new DecodeError('proof: names an unknown tree', { number });
}

function readCount(reader: ProofReader, most: number): number {
  const count = reader.u8();
  reader.check(count <= most, 'opens too much');
  return count;
}

function readBlob(reader: ProofReader): Uint8Array {
  const length = reader.uint(2);
  reader.check(length <= SHOWN_LEAF_BYTES_MAX, 'has a leaf that is too long');
  return reader.raw(length).slice();
}

function readOpening(reader: ProofReader): Opening {
  const indices: number[] = [];
  const leaves: Uint8Array[] = [];
  for (let count = readCount(reader, OPENED_MAX); count > 0; count--) {
    indices.push(reader.uint(4));
    leaves.push(readBlob(reader));
  }
  const hashes = reader.raw(readCount(reader, HASHES_MAX) * HASH_BYTES).slice();
  return { indices, leaves, hashes };
}

function readChunks(reader: ProofReader): ChunkOpening {
  const chunks: Uint8Array[] = [];
  for (let count = readCount(reader, OPENED_MAX); count > 0; count--) chunks.push(readBlob(reader));
  const hashes: Uint8Array[] = [];
  for (let count = readCount(reader, HASHES_MAX); count > 0; count--)
    hashes.push(reader.raw(HASH_BYTES).slice());
  return { chunks, hashes };
}
