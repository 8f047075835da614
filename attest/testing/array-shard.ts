/**
 * A shard in memory whose suffixes are sorted by induction: for texts of millions of tokens, without a
 * commitment.
 */
import { SEPARATOR, tokenBytes, tokeniseInto } from '../../modules/attribution/proof/tokenise.ts';
import { inverseOf, suffixArray } from '../index/sais.ts';
import type { ShardArrays, ShardDocument, SourceDocument } from '../shard.ts';

interface Tokenised {
  readonly text: Uint32Array;
  /** Bytes of a token's document before it. */
  readonly offsets: Uint32Array;
  readonly documents: readonly ShardDocument[];
}

function tokeniseAll(sources: readonly SourceDocument[]): Tokenised {
  const room = sources.reduce((sum, { content }) => sum + (content?.length ?? 0) + 1, 0);
  const text = new Uint32Array(room);
  const offsets = new Uint32Array(room);
  const documents: ShardDocument[] = [];
  let end = 0;
  for (const { contributionId, contributor, root, byteLength, content } of sources) {
    const firstToken = end;
    if (content !== undefined) end = tokeniseInto(content, text, end);
    text[end++] = SEPARATOR;
    for (let at = firstToken, offset = 0; at < end; at++) {
      offsets[at] = offset;
      offset += tokenBytes(text[at] ?? 0);
    }
    const tombstone = content === undefined;
    const tokens = end - firstToken;
    documents.push({ contributionId, contributor, root, byteLength, tombstone, firstToken, tokens });
  }
  return { text: text.slice(0, end), offsets: offsets.slice(0, end), documents };
}

/** The arrays of a shard of these documents. */
export function arrayShard(sources: readonly SourceDocument[]): ShardArrays {
  const { text, offsets, documents } = tokeniseAll(sources);
  const suffixes = suffixArray(text);
  const ranks = inverseOf(suffixes);
  const firsts = Uint32Array.from(documents, ({ firstToken }) => firstToken);
  const document = (index: number): ShardDocument => {
    const found = documents[index];
    if (found === undefined) throw new RangeError(`no document ${index} of ${documents.length}`);
    return found;
  };
  return {
    tokens: text.length,
    documents: documents.length,
    token: (position) => text[position] ?? 0,
    suffix: (rank) => suffixes[rank] ?? 0,
    rank: (position) => ranks[position] ?? 0,
    documentAt: (position) => lastNotAbove(firsts, position),
    document,
    byteOffset: (position) => offsets[position] ?? 0,
  };
}

/** Index of the last entry of an ascending array that is not above a value; its first entry is not. */
function lastNotAbove(ascending: Uint32Array, value: number): number {
  let low = 0;
  let high = ascending.length;
  while (high - low > 1) {
    const middle = (low + high) >>> 1;
    if ((ascending[middle] ?? 0) <= value) low = middle;
    else high = middle;
  }
  return low;
}
