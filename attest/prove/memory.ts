/** A shard in memory, with its trees: from arrays, for tests and for shards that are small. */
import {
  LEAF_TOKENS,
  PREFIX_TOKENS,
  SHARD_TREES,
  type ShardTree,
} from '../../modules/attribution/proof/kinds.ts';
import { leafCount } from '../../modules/attribution/proof/shard/commitment.ts';
import {
  encodeDocumentLeaf,
  encodeInverseLeaf,
  encodeSuffixLeaf,
  encodeTextLeaf,
  type SuffixEntry,
} from '../../modules/attribution/proof/shard/leaves.ts';
import { type ShardPlace, saltCommitment } from '../../modules/attribution/proof/shard/salts.ts';
import { SEPARATOR, TOKENISER_VERSION } from '../../modules/attribution/proof/tokenise.ts';
import { type TreeInMemory, treeOf } from '../../modules/attribution/proof/tree.ts';
import { ShardCommitment } from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import type { ShardArrays, ShardReader } from '../shard.ts';
import { saltBy, secretOfShard } from './salts.ts';

/** How a shard is committed to. */
export interface CommitOptions {
  readonly datanetId: bigint;
  /** Default 0. */
  readonly firstPosition?: bigint;
  /** 1 or 8. Default 1. */
  readonly entriesPerLeaf?: number;
  /** Of the index. With it, leaves are salted; who knows it can make the leaves from the texts. */
  readonly saltSecret?: Uint8Array;
}

/** Which leaf of which tree, and how leaves are laid out. */
export interface LeafPlace {
  readonly tree: ShardTree;
  readonly index: number;
  readonly entriesPerLeaf: number;
  /** 32 bytes, or none. */
  readonly salt: Uint8Array;
}

/** Bytes of a leaf, from the arrays of its shard. */
export function leafOfArrays(
  arrays: ShardArrays,
  { tree, index, entriesPerLeaf, salt }: LeafPlace,
): Uint8Array {
  switch (tree) {
    case 'text': {
      const first = index * LEAF_TOKENS;
      const tokens = list(first, Math.min(arrays.tokens, first + LEAF_TOKENS), (at) => arrays.token(at));
      return encodeTextLeaf({
        document: arrays.documentAt(first),
        offset: arrays.byteOffset(first),
        tokens,
        salt,
      });
    }
    case 'suffix': {
      const first = index * entriesPerLeaf;
      const end = Math.min(arrays.tokens, first + entriesPerLeaf);
      return encodeSuffixLeaf({ entries: list(first, end, (rank) => entryOf(arrays, rank)), salt });
    }
    case 'inverse': {
      const first = index * LEAF_TOKENS;
      const end = Math.min(arrays.tokens, first + LEAF_TOKENS);
      return encodeInverseLeaf({ ranks: list(first, end, (at) => arrays.rank(at)), salt });
    }
    case 'documents':
      return encodeDocumentLeaf({ ...arrays.document(index), salt });
  }
}

function list<T>(from: number, to: number, make: (at: number) => T): T[] {
  return Array.from({ length: to - from }, (_, i) => make(from + i));
}

/** The entry of a rank. */
export function entryOf(arrays: ShardArrays, rank: number): SuffixEntry {
  const position = arrays.suffix(rank);
  const tokens: number[] = [];
  for (let at = position; tokens.length < PREFIX_TOKENS && tokens.at(-1) !== SEPARATOR; at++)
    tokens.push(arrays.token(at));
  return { position, document: arrays.documentAt(position), tokens };
}

function placeOf({ datanetId, firstPosition = 0n }: CommitOptions, documents: number): ShardPlace {
  return { datanetId, firstPosition, documents };
}

/** The leaves of all trees of a shard. */
export type ShardLeaves = Readonly<Record<ShardTree, readonly Uint8Array[]>>;

/** All leaves of a shard. */
export function leavesOfArrays(arrays: ShardArrays, options: CommitOptions): ShardLeaves {
  const { tokens, documents } = arrays;
  const entriesPerLeaf = options.entriesPerLeaf ?? 1;
  const shape = ShardCommitment.create({ tokens, documents, entriesPerLeaf });
  const salt = saltBy(options.saltSecret, placeOf(options, documents));
  const leaves = (tree: ShardTree): Uint8Array[] =>
    list(0, leafCount(shape, tree), (index) =>
      leafOfArrays(arrays, { tree, index, entriesPerLeaf, salt: salt(tree, index) }),
    );
  return {
    text: leaves('text'),
    suffix: leaves('suffix'),
    inverse: leaves('inverse'),
    documents: leaves('documents'),
  };
}

/** Trees over leaves, and the commitment to them. */
export function commitLeaves(
  leaves: ShardLeaves,
  shape: Pick<ShardArrays, 'tokens' | 'documents'>,
  options: CommitOptions,
): Pick<ShardReader, 'commitment' | 'node' | 'leaf'> {
  const tree = (name: ShardTree): TreeInMemory => treeOf(SHARD_TREES[name], leaves[name]);
  const trees: Readonly<Record<ShardTree, TreeInMemory>> = {
    text: tree('text'),
    suffix: tree('suffix'),
    inverse: tree('inverse'),
    documents: tree('documents'),
  };
  const place = placeOf(options, shape.documents);
  const { saltSecret } = options;
  return {
    commitment: ShardCommitment.create({
      ...place,
      ...(saltSecret && { saltCommitment: saltCommitment(place, secretOfShard(saltSecret, place)) }),
      tokens: shape.tokens,
      tokeniser: TOKENISER_VERSION,
      entriesPerLeaf: options.entriesPerLeaf ?? 1,
      salted: saltSecret !== undefined,
      textRoot: trees.text.root,
      suffixRoot: trees.suffix.root,
      inverseRoot: trees.inverse.root,
      documentRoot: trees.documents.root,
    }),
    node: (name, level, index) => trees[name].node(level, index),
    leaf: (tree, index) => {
      const leaf = leaves[tree][index];
      if (leaf === undefined) throw new RangeError(`the ${tree} tree has no leaf ${index}`);
      return leaf;
    },
  };
}

/** Commits to a shard. All leaves and nodes are kept: about 500 bytes a token. */
export function shardInMemory(arrays: ShardArrays, options: CommitOptions): ShardReader {
  return { ...arrays, ...commitLeaves(leavesOfArrays(arrays, options), arrays, options) };
}
