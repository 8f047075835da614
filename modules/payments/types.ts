import type { Coin } from '../../framework/coins.ts';
import type { Model } from '../../proto/gen/openledger/models/v1/models.ts';
import type { ClaimRecord } from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import type { VerifiedClaim } from '../attribution/types.ts';
import type { SplitParts } from './fee.ts';
import type { Hold } from '../../proto/gen/openledger/payments/v1/payments.ts';

/** A payment that was checked: everything that executing it needs. */
export interface PaymentPlan {
  readonly model: Model;
  readonly fee: Coin;
  readonly parts: SplitParts;
  /** Undefined when the answer draws on nothing. */
  readonly claim: VerifiedClaim | undefined;
  /** The claim, when it was submitted before. */
  readonly submitted: ClaimRecord | undefined;
  readonly answerRoot: Uint8Array;
  readonly answerLength: bigint;
  readonly source: PaymentSource;
}

/** Who stated a payment, and what pays for it. */
export interface PaymentSource {
  /** As text; empty when the payer sent it. */
  readonly payee: string;
  /** Undefined: the payer's account pays. */
  readonly hold: Hold | undefined;
}

/** A payment by the payer's own message. */
export const BY_PAYER: PaymentSource = { payee: '', hold: undefined };
