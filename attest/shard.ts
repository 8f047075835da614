/** What queries, provers and watchers need of a shard, in memory or on disk: docs/adr/0023. */
import type { ShardTree } from '../modules/attribution/proof/kinds.ts';
import type { DocumentLeaf } from '../modules/attribution/proof/shard/leaves.ts';
import type { ShardCommitment } from '../proto/gen/openledger/attribution/v1/attribution.ts';

/** A document of a shard, as its leaf in the document tree says. */
export type ShardDocument = Omit<DocumentLeaf, 'salt'>;

/** Random access to the arrays of a shard. Positions and ranks go from 0 to `tokens` − 1. */
export interface ShardArrays {
  readonly tokens: number;
  readonly documents: number;
  /** Id of the token at a position. */
  token(position: number): number;
  /** Position of the suffix of a rank. */
  suffix(rank: number): number;
  /** Rank of the suffix that begins at a position. */
  rank(position: number): number;
  /** Index of the document that holds a position. */
  documentAt(position: number): number;
  document(index: number): ShardDocument;
  /**
   * Where a token begins in its document's content: bytes of the tokens before it. At a separator this is the
   * content's length, and 0 in a tombstone.
   */
  byteOffset(position: number): number;
}

/** A shard that proofs can be made from. */
export interface ShardReader extends ShardArrays {
  readonly commitment: ShardCommitment;
  /**
   * Hash of a node of a tree that is built from the leaves upwards, a lone last node promoted, which is the
   * tree of RFC 6962. Level 0 are the hashes of leaves.
   */
  node(tree: ShardTree, level: number, index: number): Uint8Array;
  /** Bytes of a leaf. */
  leaf(tree: ShardTree, index: number): Uint8Array;
}

/** A document to be indexed: what the chain has of it, and its content. */
export interface SourceDocument {
  readonly contributionId: bigint;
  readonly contributor: Uint8Array;
  readonly root: Uint8Array;
  /** Absent: a tombstone. */
  readonly content: Uint8Array | undefined;
  /** Of the content, also of a tombstone's. */
  readonly byteLength: number;
}
