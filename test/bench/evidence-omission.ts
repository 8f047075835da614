/** A dispute of what a claim leaves out: a long passage of many different tokens, between two long named ones. */
import { shardInMemory } from '../../attest/prove/memory.ts';
import { proveShard } from '../../attest/prove/prove.ts';
import { rankRange } from '../../attest/query/search.ts';
import { naiveShard, textDocument } from '../../attest/testing/naive-shard.ts';
import { omittedPassage, problemOfOmission } from '../../modules/attribution/proof/omission.ts';
import { refusalOr } from '../../modules/attribution/proof/refusal.ts';
import type { ShardStatement } from '../../modules/attribution/proof/shard/format.ts';
import { workOfShardProof } from '../../modules/attribution/proof/shard/work.ts';
import { MARGIN_BYTES } from '../../modules/attribution/proof/trace/passage.ts';
import { TRACE_RULES } from '../../modules/attribution/proof/trace/rules.ts';
import {
  committedAnswer,
  proofLength,
  provableContent,
  proveRange,
} from '../../modules/attribution/verify.ts';
import { ProvenanceSpan } from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import { Random } from '../fuzz/random.ts';
import type { EvidenceCase } from './evidence-cases.ts';

const BYTES = 12_288;
const PASSAGE = { from: 4_094, length: 4_000 };
const LETTERS = 'abcdefghijklmnopqrstuvwxyz';
const SIGNS = ',;:()[]{}<>=+*/&%$#@^_|~';

/** Letters and signs in turn: each byte a token. */
function content(): Uint8Array {
  const random = new Random(7);
  return new Uint8Array(BYTES).map((_, i) => {
    const of = i % 2 === 0 ? LETTERS : SIGNS;
    return of.charCodeAt(random.below(of.length));
  });
}

/** The case with so many shards, of each of which a proof is given. */
export function omissionEvidence(shardCount: number): EvidenceCase {
  const bytes = content();
  const shard = shardInMemory(naiveShard([textDocument(1, bytes)]), { datanetId: 1n });
  const { commitment } = shard;
  const whole = provableContent(bytes);
  const { from, length } = PASSAGE;
  const span = (at: number): ProvenanceSpan =>
    ProvenanceSpan.create({
      ...{ answerOffset: BigInt(at), text: bytes.slice(at, at + TRACE_RULES.spanBytesMax) },
      hits: [{ shardId: 1n, firstRank: 0, contributionIds: [1n] }],
    });
  const token = { spans: [span(0), span(BYTES - TRACE_RULES.spanBytesMax)] };
  const answerProof = proveRange(whole, from - MARGIN_BYTES, length + 2 * MARGIN_BYTES);
  const shown = { answerOffset: BigInt(from), length, answerProof, span: 0 };
  const about = { token, answer: committedAnswer(whole), rules: TRACE_RULES };
  const opened = () => omittedPassage(about, shown);
  const omitted = opened();
  if (typeof omitted === 'string') throw new RangeError(omitted);
  const { query, tokens } = omitted;
  const starts = [...new Set(query)].map((id) => query.indexOf(id));
  const runs = starts
    .map((start) => ({ start, length: 1 }))
    .toSpliced(1, 0, { start: 0, length: tokens.length });
  const statements = runs.map(
    (run): ShardStatement => ({
      ...{ kind: 'count', ...run },
      ...rankRange(shard, query.subarray(run.start, run.start + run.length)),
    }),
  );
  const proof = proveShard(shard, { query, statements, documents: false });
  const shards = Array.from({ length: shardCount }, (_, i) => ({ id: BigInt(i + 1), commitment }));
  const proofs = shards.map(() => proof);
  const work = workOfShardProof({ commitment, query, proof });
  const check = (): unknown => {
    const found = opened();
    if (typeof found === 'string') throw new RangeError(found);
    for (const _ of shards) refusalOr(() => workOfShardProof({ commitment, query: found.query, proof }));
    return problemOfOmission(found, shards, proofs);
  };
  return {
    name: `omission of ${tokens.length} tokens, ${shardCount} shards`,
    bytes: shardCount * proof.length + proofLength(answerProof),
    work: {
      hashes: shardCount * work.hashes + 2 * answerProof.chunks.length + answerProof.hashes.length,
      bytes: shardCount * work.bytes,
    },
    check,
  };
}
