/**
 * Writes leaves straight from the arrays into the memory they are hashed in: the same bytes as
 * modules/attribution/proof/shard/leaves.ts encodes, without an object for each of some million leaves.
 */
import { LEAF_TOKENS, PREFIX_TOKENS, SHARD_TREES } from '../../modules/attribution/proof/kinds.ts';
import { encodeDocumentLeaf } from '../../modules/attribution/proof/shard/leaves.ts';
import { SEPARATOR } from '../../modules/attribution/proof/tokenise.ts';
import type { BatchHasher } from '../wasm/batch-hasher.ts';
import type { LeafSalt } from '../prove/salts.ts';
import type { ShardDocument } from '../shard.ts';
import type { WriteLeaf } from './tree-builder.ts';

/** What leaves are made of. */
export interface LeafSources {
  /** Tokens with their bytes reversed: as they stand in leaves on a machine that is little-endian. */
  readonly reversed: Int32Array;
  readonly sa: Uint32Array;
  /** Document and byte offset of the first of each 64 tokens. */
  readonly marks: Uint32Array;
  readonly documents: readonly ShardDocument[];
  readonly entriesPerLeaf: number;
  readonly salt: LeafSalt;
}

/** A 32-bit integer with its bytes in the other order, as a signed one. */
function reverse32(value: number): number {
  return (value << 24) | ((value & 0xff00) << 8) | ((value >>> 8) & 0xff00) | (value >>> 24);
}

const REVERSED_SEPARATOR = reverse32(SEPARATOR);

/** Writes kind and salt; the index of the word behind them. */
function openLeaf(hasher: BatchHasher, kind: number, salt: Uint8Array, at: number): number {
  hasher.bytes[at] = kind;
  hasher.bytes.set(salt, at + 1);
  return (at + 1 + salt.length) >> 2;
}

/** Bytes of a leaf that began at `at` and ends before a word. */
function bytesTo(word: number, at: number): number {
  return 4 * word - at;
}

/** Leaves of the text tree. */
export function textLeaves(hasher: BatchHasher, { reversed, marks, salt }: LeafSources): WriteLeaf {
  const { words } = hasher;
  return (index, at) => {
    const word = openLeaf(hasher, SHARD_TREES.text, salt('text', index), at);
    words[word] = reverse32(marks[2 * index] ?? 0);
    words[word + 1] = reverse32(marks[2 * index + 1] ?? 0);
    const tokens = reversed.subarray(LEAF_TOKENS * index, LEAF_TOKENS * (index + 1));
    words.set(tokens, word + 2);
    return bytesTo(word + 2 + tokens.length, at);
  };
}

/** Leaves of the inverse tree. */
export function inverseLeaves(hasher: BatchHasher, isa: Uint32Array, salt: LeafSalt): WriteLeaf {
  const { words } = hasher;
  return (index, at) => {
    let word = openLeaf(hasher, SHARD_TREES.inverse, salt('inverse', index), at);
    const end = Math.min(isa.length, LEAF_TOKENS * (index + 1));
    for (let position = LEAF_TOKENS * index; position < end; position++)
      words[word++] = reverse32(isa[position] ?? 0);
    return bytesTo(word, at);
  };
}

/** Leaves of the suffix tree. */
export function suffixLeaves(hasher: BatchHasher, sources: LeafSources): WriteLeaf {
  const { reversed, sa, entriesPerLeaf, salt } = sources;
  const { words } = hasher;
  return (index, at) => {
    let word = openLeaf(hasher, SHARD_TREES.suffix, salt('suffix', index), at);
    const end = Math.min(sa.length, entriesPerLeaf * (index + 1));
    for (let rank = entriesPerLeaf * index; rank < end; rank++) {
      const position = sa[rank] ?? 0;
      words[word++] = reverse32(position);
      words[word++] = reverse32(documentOf(sources, position));
      for (let k = 0; k < PREFIX_TOKENS; k++) {
        const token = reversed[position + k] ?? 0;
        words[word++] = token;
        if (token === REVERSED_SEPARATOR) break;
      }
    }
    return bytesTo(word, at);
  };
}

/** Index of the document that holds a position: that of the mark before it, and the separators between. */
function documentOf({ reversed, marks }: LeafSources, position: number): number {
  const mark = Math.floor(position / LEAF_TOKENS);
  let document = marks[2 * mark] ?? 0;
  if (marks[2 * mark + 2] === document) return document;
  for (let i = LEAF_TOKENS * mark; i < position; i++) if (reversed[i] === REVERSED_SEPARATOR) document++;
  return document;
}

/** Leaves of the document tree. */
export function documentLeaves(hasher: BatchHasher, { documents, salt }: LeafSources): WriteLeaf {
  return (index, at) => {
    const document = documents[index];
    if (document === undefined) return 0;
    const leaf = encodeDocumentLeaf({ ...document, salt: salt('documents', index) });
    hasher.bytes.set(leaf, at);
    return leaf.length;
  };
}
