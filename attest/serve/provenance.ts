/** A trace as a claim of token provenance: docs/adr/0024. */
import { LedgerError } from '../../core/errors.ts';
import {
  problemOfProofs,
  problemOfProvenanceShape,
  provenanceBytes,
} from '../../modules/attribution/proof/provenance.ts';
import {
  committedAnswer,
  openAnswer,
  provableContent,
  proveRange,
} from '../../modules/attribution/verify.ts';
import {
  Claim,
  type Params,
  type TokenProvenance,
} from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import { type NumberedShard, provenanceClaim } from '../claim.ts';
import type { Trace, TracedSpan } from '../trace/trace.ts';
import type { PreparedClaim } from './quotations.ts';

/** What a claim is made of. */
export interface ProvenanceClaimOrder {
  readonly trace: Trace;
  readonly params: Params;
  /** Publish the answer's root and the named passages only. */
  readonly isPrivate: boolean;
  /** Without proofs, for a bond. */
  readonly isOptimistic: boolean;
  /** Ascending. */
  readonly indexIds: readonly bigint[];
  /** All shards of the indexes, by id. */
  readonly shards: readonly NumberedShard[];
}

/**
 * Names the spans of a trace under the chain's rules: what a claim must name (docs/adr/0025). An empty claim
 * when there are none. Of a claim with proofs that are too long together the rarer half is named.
 * @throws LedgerError `attest.claim` when the published verifier would refuse it: a mistake of ours
 */
export function provenanceOf(order: ProvenanceClaimOrder): PreparedClaim {
  const { trace, params, isPrivate } = order;
  const whole = provableContent(trace.output);
  const isCommitted = isPrivate && trace.output.length > 0;
  const answer = isCommitted ? committedAnswer(whole) : openAnswer(trace.output);
  for (let spans = inOrder(trace.spans); spans.length > 0; ) {
    const passages = spans.map(({ byteStart, byteEnd }) => ({
      answerOffset: BigInt(byteStart),
      text: trace.output.slice(byteStart, byteEnd),
      answerProof: isCommitted ? proveRange(whole, byteStart, byteEnd - byteStart) : undefined,
    }));
    const token = provenanceClaim({ ...order, spans: passages, proved: !order.isOptimistic });
    if (token.spans.length === 0) break;
    if (order.isOptimistic || provenanceBytes(token) <= params.proofBytesMax) {
      const prepared = { answer, claim: Claim.create({ token }) };
      check(order, token, prepared);
      return prepared;
    }
    // The rarest half stays.
    const rarest = trace.spans.filter((span) => spans.includes(span)).slice(0, spans.length >> 1);
    spans = inOrder(rarest);
  }
  return { answer, claim: Claim.create() };
}

function inOrder(spans: readonly TracedSpan[]): readonly TracedSpan[] {
  return [...spans].sort((a, b) => a.byteStart - b.byteStart);
}

function check(
  { params, shards, isOptimistic }: ProvenanceClaimOrder,
  token: TokenProvenance,
  { answer }: PreparedClaim,
): void {
  const claimed = shards.map(({ id, reader }) => ({ id, commitment: reader.commitment }));
  const readers = new Map(shards.map(({ id, reader }) => [id, reader]));
  const problem =
    problemOfProvenanceShape(token, answer, params) ??
    (isOptimistic
      ? undefined
      : problemOfProofs(
          token,
          claimed,
          ({ id }, document) => readers.get(id)?.document(document).contributionId,
        ));
  if (problem !== undefined) throw new LedgerError('attest.claim', `the claim is wrong: ${problem.detail}`);
}
