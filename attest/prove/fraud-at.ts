/** Opens the leaves that a statement about a shard rests on: the proof of a fraud if it does not hold there. */
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
  decodeDocumentLeaf,
  decodeInverseLeaf,
  decodeSuffixLeaf,
  decodeTextLeaf,
  type SuffixEntry,
  type TextLeaf,
} from '../../modules/attribution/proof/shard/leaves.ts';
import {
  chunksOfToken,
  indexedLength,
  placeInLeaf,
  type TextPlace,
} from '../../modules/attribution/proof/shard/text-walk.ts';
import { type Opening, openingHashes } from '../../modules/attribution/proof/tree.ts';
import { chunkHashes, chunksOf, rangeHashes } from '../../modules/attribution/verify.ts';
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

/**
 * The proof that a statement does not hold at a place of a shard: it convicts exactly when that is so.
 * @throws DecodeError when it rests on a malformed leaf; RangeError when the shard has no such place
 */
export function fraudAt(
  shard: ProvableShard,
  { kind, at }: StatementPlace,
  content: ContentSource,
): StatementFraud {
  const wanted = wantedLeaves(new ShardLeaves(shard), { kind, at });
  const opened = OPENS[kind].map((tree) => openLeaves(shard, tree, wanted[tree] ?? []));
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

  entry(rank: number): SuffixEntry {
    const { commitment } = this.#shard;
    const index = this.suffixLeaf(rank);
    const { entries } = decodeSuffixLeaf(commitment, index, this.#shard.leaf('suffix', index));
    return there(entries[rank - index * commitment.entriesPerLeaf]);
  }

  /** Rank of the suffix at a position; −1 at the end of the text. */
  rankAt(position: number): number {
    const { commitment } = this.#shard;
    if (position === commitment.tokens) return -1;
    const index = Math.floor(position / LEAF_TOKENS);
    const { ranks } = decodeInverseLeaf(commitment, index, this.#shard.leaf('inverse', index));
    return there(ranks[position - index * LEAF_TOKENS]);
  }

  text(index: number): TextLeaf {
    return decodeTextLeaf(this.#shard.commitment, index, this.#shard.leaf('text', index));
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
  const { document, offset } = new ShardLeaves(shard).placeAt(position);
  const leaf = decodeDocumentLeaf(shard.commitment, document, shard.leaf('documents', document));
  const length = indexedLength(leaf);
  if (offset >= length) return NO_CONTENT;
  const bytes = content(document);
  const { first, end } = chunksOfToken(offset, length);
  return { chunks: chunksOf(bytes).slice(first, end), hashes: rangeHashes(chunkHashes(bytes), first, end) };
}

function there<T>(value: T | undefined): T {
  if (value === undefined) throw new RangeError('a place that is not in the shard');
  return value;
}
