/**
 * Contents, their roots and proofs: the published prover and verifier of attribution, as a client needs
 * them.
 */
import { concatBytes, uint64BigEndian, utf8 } from '../core/bytes.ts';
import { sha256 } from '../core/hash.ts';
import { Claim } from '../proto/gen/openledger/attribution/v1/attribution.ts';
import { compareSpans, proveSpan, type Quotation } from '../modules/attribution/verify.ts';

export {
  CHUNK_BYTES,
  type ClaimInput,
  type ClaimLimits,
  type ClaimProblem,
  type ContentCommitment,
  chunkCount,
  chunksOf,
  committedAnswer,
  contentRoot,
  openAnswer,
  type ProvableContent,
  problemOfClaim,
  proveRange,
  proveSpan,
  provableContent,
  type Quotation,
} from '../modules/attribution/verify.ts';

/** The claim of these quotations, its spans proved and in the order that the chain wants. */
export function claimOf(quotations: readonly Quotation[]): Claim {
  return Claim.create({ spans: quotations.map(proveSpan).sort(compareSpans) });
}

/**
 * A name for a request: SHA-256 of "openledger/request", the model's id, the nonce and the prompt. With a
 * fresh nonce the same question can be asked and paid again; without one, the chain refuses the second
 * payment as already paid.
 */
export function requestHash(request: {
  readonly modelId: bigint;
  readonly prompt: string;
  readonly nonce: Uint8Array;
}): Uint8Array {
  const { modelId, prompt, nonce } = request;
  return sha256(
    concatBytes(
      utf8('openledger/request'),
      uint64BigEndian(modelId),
      uint64BigEndian(BigInt(nonce.length)),
      nonce,
      utf8(prompt),
    ),
  );
}
