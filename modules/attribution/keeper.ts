import type { Context, ReadContext } from '../../framework/context.ts';
import { ClaimRecord } from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import { checkClaim, refuse } from './claims.ts';
import type { AttributionCore } from './core.ts';
import { claimVerified } from './events.ts';
import { insertClaim, payableClaim, payClaim } from './open-claims.ts';
import type { AttributionVerifier, ClaimHooks, ClaimPayment, ClaimRequest, VerifiedClaim } from './types.ts';
import { HARD_LIMITS, problemOfShape } from './verify.ts';

/**
 * Checks attribution claims inside the transaction that pays on them, and keeps what a payout follows from.
 */
export class Attribution implements AttributionVerifier {
  readonly #core: AttributionCore;

  constructor(core: AttributionCore) {
    this.#core = core;
  }

  /** They are told of every claim whose window is over. */
  addHooks(hooks: ClaimHooks): void {
    this.#core.hooks.add(hooks);
  }

  claim(context: ReadContext, id: bigint): ClaimRecord | undefined {
    return this.#core.state.claims.get(context, id);
  }

  validate(request: Pick<ClaimRequest, 'answer' | 'claim'>): void {
    refuse(problemOfShape(request, HARD_LIMITS));
  }

  verify(context: ReadContext, request: ClaimRequest): VerifiedClaim {
    return checkClaim(this.#core, context, { ...request, proved: true, byOwner: false });
  }

  record(context: Context, verified: VerifiedClaim, receiptId: bigint): bigint {
    const id = this.#core.state.sequence.next(context) + 1n;
    const claim = ClaimRecord.create({ ...verified, id, height: context.block.height, receiptId });
    insertClaim(this.#core, context, claim);
    context.emit(claimVerified(claim));
    return id;
  }

  payable(context: ReadContext, payment: ClaimPayment): ClaimRecord {
    return payableClaim(this.#core, context, payment);
  }

  pay(context: Context, claim: ClaimRecord, receiptId: bigint): void {
    payClaim(this.#core, context, claim, receiptId);
  }
}
