/** The arrays of a shard by their definitions: what faster builders are held against. */
import { SEPARATOR, tokenBytes, tokenise } from '../../modules/attribution/proof/tokenise.ts';
import { contentRoot } from '../../modules/attribution/verify.ts';
import type { ShardArrays, ShardDocument, SourceDocument } from '../shard.ts';

/** A document of this text, under an id and a contributor that are made up. */
export function textDocument(id: number, text: string | Uint8Array): SourceDocument {
  const content = typeof text === 'string' ? new TextEncoder().encode(text) : text;
  return {
    contributionId: BigInt(id),
    contributor: new Uint8Array(20).fill(id % 256),
    root: contentRoot(content),
    content,
    byteLength: content.length,
  };
}

/** A document that was withdrawn. */
export function tombstoneDocument(id: number, text: string): SourceDocument {
  return { ...textDocument(id, text), content: undefined };
}

/** Positions of a text in the order of their suffixes. */
type SortSuffixes = (tokens: readonly number[]) => ArrayLike<number>;

/** A shard's arrays, suffixes sorted by comparing them: for texts of a few thousand tokens. */
export function naiveShard(sources: readonly SourceDocument[]): ShardArrays {
  return sortedShard(sources, sortByComparing);
}

/** A shard's arrays, sorted by something faster. */
export function sortedShard(sources: readonly SourceDocument[], sort: SortSuffixes): ShardArrays {
  const tokens: number[] = [];
  const offsets: number[] = [];
  const owners: number[] = [];
  const documents: ShardDocument[] = [];
  for (const source of sources) {
    const firstToken = tokens.length;
    let offset = 0;
    for (const id of [...tokenise(source.content ?? new Uint8Array(0)), SEPARATOR]) {
      offsets.push(offset);
      owners.push(documents.length);
      tokens.push(id);
      offset += tokenBytes(id);
    }
    const { contributionId, contributor, root, byteLength, content } = source;
    const tombstone = content === undefined;
    const length = tokens.length - firstToken;
    documents.push({ contributionId, contributor, root, byteLength, tombstone, firstToken, tokens: length });
  }
  const order = sort(tokens);
  const ranks = new Array<number>(tokens.length);
  for (let rank = 0; rank < order.length; rank++) ranks[at(order, rank)] = rank;
  return {
    tokens: tokens.length,
    documents: documents.length,
    token: (position) => at(tokens, position),
    suffix: (rank) => at(order, rank),
    rank: (position) => at(ranks, position),
    documentAt: (position) => at(owners, position),
    document: (index) => at(documents, index),
    byteOffset: (position) => at(offsets, position),
  };
}

function sortByComparing(tokens: readonly number[]): readonly number[] {
  return tokens.map((_, position) => position).sort((a, b) => compareSuffixes(tokens, a, b));
}

/** Order of two suffixes; the one that ends first is smaller. */
function compareSuffixes(tokens: readonly number[], a: number, b: number): number {
  for (let i = 0; ; i++) {
    const left = tokens[a + i];
    const right = tokens[b + i];
    if (left === undefined || right === undefined) return b - a;
    if (left !== right) return left - right;
  }
}

function at<T>(values: ArrayLike<T>, index: number): T {
  const value = values[index];
  if (value === undefined) throw new RangeError(`no entry ${index} of ${values.length}`);
  return value;
}
