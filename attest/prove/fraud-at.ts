/** Opens the leaves that a statement about a shard rests on: the proof of a fraud if it does not hold there. */
import { DecodeError } from '../../core/errors.ts';
import { LEAF_TOKENS, type ShardTree } from '../../modules/attribution/proof/kinds.ts';
import { leafCount } from '../../modules/attribution/proof/shard/commitment.ts';
import {
  type ChunkOpening,
  type FraudStatement,
  NO_CONTENT,
  OPENS,
  type StatementFraud,
} from '../../modules/attribution/proof/shard/fraud-format.ts';
import {
  type DocumentLeaf,
  decodeDocumentLeaf,
  decodeInverseLeaf,
  decodeSuffixLeaf,
  decodeTextLeaf,
  type InverseLeaf,
  leafProblem,
  type ShardShape,
  type SuffixEntry,
  type SuffixLeaf,
  type TextLeaf,
} from '../../modules/attribution/proof/shard/leaves.ts';
import {
  chunksOfToken,
  indexedLength,
  placeInLeaf,
  type TextPlace,
} from '../../modules/attribution/proof/shard/text-walk.ts';
import { type Opening, openingHashes } from '../../modules/attribution/proof/tree.ts';
import { chunkCount, chunkHashes, chunksOf, rangeHashes } from '../../modules/attribution/verify.ts';
import type { ProvableShard } from './prove.ts';

/** Content of a document of a shard, by its index. */
export type ContentSource = (document: number) => Uint8Array;

/** A statement and its place: see `proof/shard/fraud.ts`. */
export interface StatementPlace {
  readonly kind: FraudStatement;
  readonly at: number;
}

type WantedLeaves = Partial<Readonly<Record<ShardTree, readonly number[]>>>;

/** Opens leaves of a shard; those that are not there are left out. */
export function openLeaves(shard: ProvableShard, tree: ShardTree, wanted: readonly number[]): Opening {
  const leaves = leafCount(shard.commitment, tree);
  const indices = [...new Set(wanted)].filter((i) => i >= 0 && i < leaves).sort((a, b) => a - b);
  if (indices.length === 0) return { indices, leaves: [], hashes: new Uint8Array(0) };
  const hashes = openingHashes(leaves, indices, (level, i) => shard.node(tree, level, i));
  return { indices, leaves: indices.map((i) => shard.leaf(tree, i)), hashes };
}

/** A leaf of a shard that cannot stand at its place: it convicts the shard by itself. */
export class MalformedLeaf extends DecodeError {
  readonly tree: ShardTree;
  readonly index: number;

  constructor(tree: ShardTree, index: number, problem: string) {
    super(problem, { tree, index });
    this.name = 'MalformedLeaf';
    this.tree = tree;
    this.index = index;
  }
}

/**
 * The proof that a statement does not hold at a place of a shard: it convicts exactly when that is so.
 * @throws MalformedLeaf when it opens one; RangeError when the shard has no such place
 */
export function fraudAt(
  shard: ProvableShard,
  { kind, at }: StatementPlace,
  content: ContentSource,
): StatementFraud {
  const leaves = new ShardLeaves(shard);
  const wanted = wantedLeaves(leaves, { kind, at });
  const opened = OPENS[kind].map((tree) => {
    const opening = openLeaves(shard, tree, wanted[tree] ?? []);
    for (const index of opening.indices) leaves.check(tree, index);
    return opening;
  });
  return { kind, at, opened, content: kind === 'text-token' ? chunksAt(shard, at, content) : NO_CONTENT };
}

/** Decoded leaves of a shard that may be wrong. */
export class ShardLeaves {
  readonly #shard: ProvableShard;

  constructor(shard: ProvableShard) {
    this.#shard = shard;
  }

  /** Index of the leaf of the suffix tree that holds a rank. */
  suffixLeaf(rank: number): number {
    return Math.floor(rank / this.#shard.commitment.entriesPerLeaf);
  }

  /** Indices of leaves are those of the shard's trees. Each throws MalformedLeaf. */
  suffix(index: number): SuffixLeaf {
    return this.#read('suffix', index, decodeSuffixLeaf);
  }

  inverse(index: number): InverseLeaf {
    return this.#read('inverse', index, decodeInverseLeaf);
  }

  text(index: number): TextLeaf {
    return this.#read('text', index, decodeTextLeaf);
  }

  document(index: number): DocumentLeaf {
    return this.#read('documents', index, decodeDocumentLeaf);
  }

  check(tree: ShardTree, index: number): void {
    const bytes = this.#shard.leaf(tree, index);
    const problem = leafProblem(this.#shard.commitment, { tree, index, bytes });
    if (problem !== undefined) throw new MalformedLeaf(tree, index, problem);
  }

  #read<T>(tree: ShardTree, index: number, decode: Decode<T>): T {
    const bytes = this.#shard.leaf(tree, index);
    try {
      return decode(this.#shard.commitment, index, bytes);
    } catch (error) {
      throw error instanceof DecodeError ? new MalformedLeaf(tree, index, error.message) : error;
    }
  }

  entry(rank: number): SuffixEntry {
    const index = this.suffixLeaf(rank);
    return there(this.suffix(index).entries[rank - index * this.#shard.commitment.entriesPerLeaf]);
  }

  /** Rank of the suffix at a position; −1 at the end of the text. */
  rankAt(position: number): number {
    const { commitment } = this.#shard;
    if (position === commitment.tokens) return -1;
    const index = Math.floor(position / LEAF_TOKENS);
    return there(this.inverse(index).ranks[position - index * LEAF_TOKENS]);
  }

  /** Where the token at a position stands, by its leaf. */
  placeAt(position: number): TextPlace {
    const index = Math.floor(position / LEAF_TOKENS);
    return placeInLeaf(this.text(index), position - index * LEAF_TOKENS);
  }

  /** The first position at which the text is not as an entry says; its own when there is none. */
  differenceAt({ position, tokens }: SuffixEntry): number {
    for (const [i, token] of tokens.entries()) {
      const index = Math.floor((position + i) / LEAF_TOKENS);
      if (this.text(index).tokens[position + i - index * LEAF_TOKENS] !== token) return position + i;
    }
    return position;
  }
}

type Decode<T> = (shape: ShardShape, index: number, bytes: Uint8Array) => T;

function wantedLeaves(leaves: ShardLeaves, { kind, at }: StatementPlace): WantedLeaves {
  const leafOf = (position: number): number => Math.floor(position / LEAF_TOKENS);
  switch (kind) {
    case 'permutation':
      return { inverse: [leafOf(at)], suffix: [leaves.suffixLeaf(leaves.rankAt(at))] };
    case 'token-order':
      return { suffix: [leaves.suffixLeaf(at), leaves.suffixLeaf(at + 1)] };
    case 'suffix-order': {
      const inverse = [at, at + 1].map((rank) => leaves.entry(rank).position + 1);
      const inside = inverse.filter((position) => leaves.rankAt(position) >= 0);
      return { suffix: [leaves.suffixLeaf(at), leaves.suffixLeaf(at + 1)], inverse: inside.map(leafOf) };
    }
    case 'prefix':
      return { suffix: [leaves.suffixLeaf(at)], text: [leafOf(leaves.differenceAt(leaves.entry(at)))] };
    case 'entry-document':
      return { suffix: [leaves.suffixLeaf(at)], documents: [leaves.entry(at).document] };
    case 'text-link':
      return { text: [at - 1, at] };
    case 'text-token':
    case 'document-end':
      return { text: [leafOf(at)], documents: [leaves.placeAt(at).document] };
    case 'document-range':
      return { documents: [at - 1, at] };
    case 'document-record':
      return { documents: [at] };
  }
}

/** The chunks that decide which token stands at a position. */
function chunksAt(shard: ProvableShard, position: number, content: ContentSource): ChunkOpening {
  const leaves = new ShardLeaves(shard);
  const { document, offset } = leaves.placeAt(position);
  const leaf = leaves.document(document);
  const length = indexedLength(leaf);
  if (offset >= length) return NO_CONTENT;
  const bytes = content(document);
  const { first, end } = chunksOfToken(offset, length);
  // A leaf that is not of the shard may say any length: such a proof convicts nobody.
  if (end > chunkCount(bytes.length)) return NO_CONTENT;
  return { chunks: chunksOf(bytes).slice(first, end), hashes: rangeHashes(chunkHashes(bytes), first, end) };
}

function there<T>(value: T | undefined): T {
  if (value === undefined) throw new RangeError('a place that is not in the shard');
  return value;
}
