/**
 * Claims of token provenance, as `modules/attribution` takes them: from passages and the shards of some
 * indexes.
 */
import { tokensOfSpans } from '../modules/attribution/proof/provenance.ts';
import {
  type ProvenanceSpan,
  type ShardHit,
  TokenProvenance,
} from '../proto/gen/openledger/attribution/v1/attribution.ts';
import type { ShardStatement } from '../modules/attribution/proof/shard/format.ts';
import { tokenise } from '../modules/attribution/proof/tokenise.ts';
import { proveShard } from './prove/prove.ts';
import { rankRange } from './query/search.ts';
import type { ShardReader } from './shard.ts';

/** A shard under its number on chain. */
export interface NumberedShard {
  readonly id: bigint;
  readonly reader: ShardReader;
}

/** What a claim of provenance is made from. */
export interface ProvenanceOrder {
  /** Ascending. */
  readonly indexIds: readonly bigint[];
  /** All shards of the indexes, by id. */
  readonly shards: readonly NumberedShard[];
  /**
   * Passages of the answer: disjoint and in order. With `answerProof` where the answer is given by its root.
   */
  readonly spans: readonly Pick<ProvenanceSpan, 'answerOffset' | 'text' | 'answerProof'>[];
  /** False: an optimistic claim. */
  readonly proved: boolean;
}

/**
 * Where the passages occur, with proofs when they are asked for. A passage that occurs nowhere is left out:
 * the chain refuses it.
 */
export function provenanceClaim({ indexIds, shards, spans, proved }: ProvenanceOrder): TokenProvenance {
  const found = spans
    .map((span) => ({ ...span, hits: hitsOf(span.text, shards) }))
    .filter(({ hits }) => hits.length > 0);
  const proofs = proved ? shards.map((shard) => proofOf(shard, found)) : [];
  return TokenProvenance.create({ indexIds, spans: found, proofs });
}

function hitsOf(text: Uint8Array, shards: readonly NumberedShard[]): readonly ShardHit[] {
  const pattern = tokenise(text);
  return shards.flatMap(({ id: shardId, reader }): readonly ShardHit[] => {
    const { lo, hi } = rankRange(reader, pattern);
    if (lo === hi) return [];
    const contributionIds = Array.from({ length: hi - lo }, (_, i) => holderOf(reader, lo + i));
    return [{ shardId, firstRank: lo, contributionIds }];
  });
}

function holderOf(reader: ShardReader, rank: number): bigint {
  return reader.document(reader.documentAt(reader.suffix(rank))).contributionId;
}

function proofOf({ id, reader }: NumberedShard, spans: readonly ProvenanceSpan[]): Uint8Array {
  const { query, starts } = tokensOfSpans(spans);
  const statements = spans.map(({ hits }, i): ShardStatement => {
    const start = starts[i] ?? 0;
    const length = (starts[i + 1] ?? 0) - start;
    const hit = hits.find(({ shardId }) => shardId === id);
    if (hit === undefined) {
      const { lo } = rankRange(reader, query.subarray(start, start + length));
      return { kind: 'count', start, length, lo, hi: lo };
    }
    return {
      kind: 'holders',
      start,
      length,
      lo: hit.firstRank,
      hi: hit.firstRank + hit.contributionIds.length,
    };
  });
  return proveShard(reader, { query, statements, documents: false });
}
