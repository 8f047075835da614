import type { Context, ReadContext } from '../../framework/context.ts';
import type { Answer, Claim, ClaimRecord } from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import type { Model } from '../../proto/gen/openledger/models/v1/models.ts';

/** A claim to be checked: what an answer of a model draws on. */
export interface ClaimRequest {
  readonly answer: Answer;
  readonly claim: Claim;
  readonly model: Model;
  /** Whose payment follows it, as text. */
  readonly payer: string;
  /** What the payment names the request by. */
  readonly requestHash: Uint8Array;
}

/** A claim that holds, before it has a number. Its shares are by contribution, none when it is empty. */
export type VerifiedClaim = Omit<ClaimRecord, 'id' | 'height'>;

/** A payment by a claim that was submitted before. */
export interface ClaimPayment extends Omit<ClaimRequest, 'claim'> {
  readonly claimId: bigint;
}

/** Checks claims and keeps them: what payments needs. */
export interface AttributionVerifier {
  /** Checks what needs no state. @throws StateError (attribution 2 … 13) */
  validate(request: Pick<ClaimRequest, 'answer' | 'claim'>): void;
  /**
   * Charges gas by the work and checks every part. @throws StateError (attribution 2 …) saying what, where,
   * what to do
   */
  verify(context: ReadContext, request: ClaimRequest): VerifiedClaim;
  /** Keeps a verified claim that a payment carries; its id. */
  record(context: Context, claim: VerifiedClaim, receiptId: bigint): bigint;
  /** A submitted claim that this payment may follow. @throws StateError (attribution 31, 32, 33) */
  payable(context: ReadContext, payment: ClaimPayment): ClaimRecord;
  /** A payment follows it: one that waits for nothing is closed. */
  pay(context: Context, claim: ClaimRecord, receiptId: bigint): void;
  claim(context: ReadContext, id: bigint): ClaimRecord | undefined;
}

/** Who is told that the window of a claim is over. */
export interface ClaimHooks {
  /** A paid claim is final, refuted or voided, as its state says. */
  claimDecided(context: Context, claim: ClaimRecord): void;
}

/** Tells everybody, in the order in which they were added. */
export class ClaimHookList implements ClaimHooks {
  readonly #hooks: ClaimHooks[] = [];

  add(hooks: ClaimHooks): void {
    this.#hooks.push(hooks);
  }

  claimDecided(context: Context, claim: ClaimRecord): void {
    for (const hooks of this.#hooks) hooks.claimDecided(context, claim);
  }
}
