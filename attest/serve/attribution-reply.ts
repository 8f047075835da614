/** An attribution as it is answered over HTTP. */
import { toBase64, toHex } from '../../core/bytes.ts';
import type { InfluenceClaim } from '../../modules/attribution/proof/influence/claim.ts';
import { Answer, Claim } from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import type { Trace } from '../trace/trace.ts';
import type { Attribution } from './attribute.ts';
import { json, type Reply } from '../../serve/reply.ts';

/** Answer and claim for a transaction, how they get there, what became of each part, and what was found. */
export function attributionReply(made: Attribution): Reply {
  const { scope, answer, claim, parts, submission, trace, influence } = made;
  const { model, params } = scope;
  const claimBytes = Claim.encode(claim);
  return json({
    model_id: model.id,
    answer: toBase64(Answer.encode(answer)),
    claim: toBase64(claimBytes),
    claim_bytes: claimBytes.length,
    submission,
    bond: submission === 'submit_with_bond' ? { denom: params.bondDenom, amount: params.claimBond } : null,
    parts: parts.map(({ part, basisPoints, made, note = null }) => ({
      part,
      basis_points: basisPoints,
      made,
      note,
    })),
    ...foundBy(trace),
    influence: influence === undefined ? null : saidBy(influence),
  });
}

function foundBy(trace: Trace | undefined): Readonly<Record<string, unknown>> {
  return {
    spans: (trace?.spans ?? []).map(({ byteStart, byteEnd, count, surprisal }) => ({
      offset: byteStart,
      length: byteEnd - byteStart,
      count,
      surprisal_q16: surprisal,
    })),
    contributions: (trace?.contributions ?? []).map(({ contributionId, weight }) => ({
      id: contributionId,
      weight,
    })),
    contributors: (trace?.contributors ?? []).map(({ contributor, weight }) => ({
      address_hex: toHex(contributor),
      weight,
    })),
  };
}

function saidBy({ query, total, groups }: InfluenceClaim): Readonly<Record<string, unknown>> {
  return {
    label: query.label,
    total_weight: total,
    contributions: groups.map(({ contributionId, weight }) => ({ id: contributionId, weight })),
  };
}
