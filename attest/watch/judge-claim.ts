/** Judges an optimistic claim of token provenance by the recomputed shards that it rests on. */
import { tokenise } from '../../modules/attribution/proof/tokenise.ts';
import type { ShardStatement } from '../../modules/attribution/proof/shard/format.ts';
import type { ProvenanceSpan, ShardHit } from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import { ProvenanceDispute } from '../../proto/gen/openledger/attribution/v1/tx.ts';
import { proveShard } from '../prove/prove.ts';
import { rankRange } from '../query/search.ts';
import type { ShardReader } from '../shard.ts';

/** A shard that a claim rests on, recomputed. */
export interface ClaimShard {
  readonly id: bigint;
  readonly reader: ShardReader;
}

/** What is wrong with a claim, and how it is proved. */
export interface ClaimFault {
  readonly dispute: ProvenanceDispute;
  /** For people. */
  readonly reason: string;
}

/** The first wrong statement of a claim; undefined when all are right. */
export function faultOfClaim(
  spans: readonly ProvenanceSpan[],
  shards: readonly ClaimShard[],
): ClaimFault | undefined {
  for (const [i, span] of spans.entries()) {
    const query = tokenise(span.text);
    for (const shard of shards) {
      const hit = span.hits.find(({ shardId }) => shardId === shard.id);
      const found = faultIn(shard, query, hit);
      if (found === undefined) continue;
      const { statement, reason } = found;
      const proof = proveShard(shard.reader, { query, statements: [statement], documents: false });
      const dispute = ProvenanceDispute.create({ span: i, shardId: shard.id, proof });
      return { dispute, reason: `span ${i}: ${reason}` };
    }
  }
  return undefined;
}

interface Found {
  readonly statement: ShardStatement;
  readonly reason: string;
}

function faultIn(
  { id, reader }: ClaimShard,
  query: Uint32Array,
  hit: ShardHit | undefined,
): Found | undefined {
  const { lo, hi } = rankRange(reader, query);
  const named = hit?.contributionIds ?? [];
  const about = { start: 0, length: query.length };
  if (hi - lo !== named.length || (hi > lo && lo !== hit?.firstRank))
    return {
      statement: { kind: 'count', ...about, lo, hi },
      reason: `shard ${id} holds it ${hi - lo} times, the claim says ${named.length}`,
    };
  for (const [i, contributionId] of named.entries()) {
    const rank = lo + i;
    const holder = reader.document(reader.documentAt(reader.suffix(rank))).contributionId;
    if (holder === contributionId) continue;
    return {
      statement: { kind: 'occurrence', ...about, lo: rank, hi: rank + 1 },
      reason: `rank ${rank} of shard ${id} is of contribution ${holder}, the claim says ${contributionId}`,
    };
  }
  return undefined;
}
