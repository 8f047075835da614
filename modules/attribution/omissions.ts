/** Disputes of what a claim leaves out: docs/adr/0025. */
import { EMPTY_BYTES } from '../../core/bytes.ts';
import type { ReadContext } from '../../framework/context.ts';
import {
  Answer,
  type ClaimRecord,
  type TokenProvenance,
} from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import type { OmissionDispute } from '../../proto/gen/openledger/attribution/v1/tx.ts';
import type { AttributionCore } from './core.ts';
import { chargeEvidence, chargeWork } from './evidence.ts';
import { shardsOf } from './indexes.ts';
import { omittedPassage, problemOfOmission } from './proof/omission.ts';
import type { ClaimedShard } from './proof/provenance.ts';
import { refusalOr } from './proof/refusal.ts';
import { workOfShardProof } from './proof/shard/work.ts';
import { rulesUnder } from './proof/trace/rules.ts';
import { proofLength } from './verify.ts';
import { currentParams, paramsOf } from './versions.ts';

/** A claim that was given again, and what it is said to leave out. */
export interface DisputedOmission {
  readonly record: ClaimRecord;
  readonly token: TokenProvenance | undefined;
  readonly omission: OmissionDispute;
}

/**
 * Why a dispute does not show that a claim leaves out what it had to name. Charges by what is opened: of the
 * answer and of each shard, before it is looked at.
 * @throws StateError (attribution 25)
 */
export function problemOfOmissionDispute(
  k: AttributionCore,
  context: ReadContext,
  { record, token, omission }: DisputedOmission,
): string | undefined {
  if (token === undefined) return 'it has no token provenance';
  const { gasPerByte, gasPerHash } = currentParams(k.state, context);
  const { chunks, hashes } = omission.answerProof;
  const opened = proofLength(omission.answerProof);
  context.gas.consume((2 * chunks.length + hashes.length) * gasPerHash, 'attribution hashes');
  context.gas.consume(opened * gasPerByte, 'attribution bytes');
  const answer = Answer.create({ root: record.answerRoot, byteLength: record.answerLength });
  const rules = rulesUnder(paramsOf(k.state, context, record));
  const omitted = omittedPassage({ token, answer, rules }, omission);
  if (typeof omitted === 'string') return omitted;
  const { query } = omitted;
  const shards = shardsOfClaim(k, context, record);
  if (omission.proofs.length !== shards.length)
    return `${omission.proofs.length} proofs for ${shards.length} shards; give one for each`;
  for (const [i, { id, commitment }] of shards.entries()) {
    const proof = omission.proofs[i] ?? EMPTY_BYTES;
    chargeEvidence(k, context, { proof, against: record });
    const work = refusalOr(() => workOfShardProof({ commitment, query, proof }));
    if ('refusal' in work) return `shard ${id}: ${work.refusal}`;
    chargeWork(k, context, work.value);
  }
  return problemOfOmission(omitted, shards, omission.proofs);
}

/** The shards of a claim's indexes, by id. */
function shardsOfClaim(
  k: AttributionCore,
  context: ReadContext,
  { indexIds }: ClaimRecord,
): readonly ClaimedShard[] {
  const shards = new Map<bigint, ClaimedShard>();
  for (const id of indexIds) {
    const index = k.state.indexes.get(context, id);
    if (index !== undefined) for (const shard of shardsOf(k, context, index)) shards.set(shard.id, shard);
  }
  return [...shards.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
}
