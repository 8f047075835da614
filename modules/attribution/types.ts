import type { Context, ReadContext } from '../../framework/context.ts';
import type {
  Answer,
  Claim,
  ClaimRecord,
  Share,
  SpanRecord,
} from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import type { Model } from '../../proto/gen/openledger/models/v1/models.ts';

/** A claim to be checked: what an answer of a model draws on. */
export interface ClaimRequest {
  readonly answer: Answer;
  readonly claim: Claim;
  readonly model: Model;
}

/** A claim that holds. */
export interface VerifiedClaim {
  readonly modelId: bigint;
  /** SHA-256 of the encoded claim. */
  readonly claimHash: Uint8Array;
  readonly answerRoot: Uint8Array;
  readonly answerLength: bigint;
  readonly spans: readonly SpanRecord[];
  /** By contribution id, ascending; none when the claim has no spans. */
  readonly shares: readonly Share[];
  readonly totalWeight: bigint;
}

/** Checks claims and keeps them: what payments needs. */
export interface AttributionVerifier {
  /** Checks what needs no state. @throws StateError (attribution 2 … 13) */
  validate(request: Pick<ClaimRequest, 'answer' | 'claim'>): void;
  /**
   * Charges gas by the work and checks every span. @throws StateError (attribution 2 …) saying what, where,
   * what to do
   */
  verify(context: ReadContext, request: ClaimRequest): VerifiedClaim;
  /** Keeps a verified claim; its id. */
  record(context: Context, claim: VerifiedClaim): bigint;
  claim(context: ReadContext, id: bigint): ClaimRecord | undefined;
}
