import type { Coin } from '../../framework/coins.ts';
import type { ReadContext } from '../../framework/context.ts';
import type { Model, Price, SplitPolicy } from '../../proto/gen/openledger/models/v1/models.ts';
import type { ClaimRecord } from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import type { VerifiedClaim } from '../attribution/types.ts';
import type { SplitParts, Usage } from './fee.ts';
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

/** The first positions of a Datanet's log, which a snapshot is made of. */
export interface SnapshotWeight {
  readonly datanetId: bigint;
  /** At least 1. */
  readonly positions: bigint;
  /** Bytes of the snapshots of so many positions. */
  readonly weight: bigint;
}

/** What inferences of a model cost, and who gets it. Models are immutable, so it is the same at every height. */
export interface ModelTerms {
  readonly denom: string;
  /** What `quote` computes with, for whoever asks from afar. */
  readonly price: Price;
  readonly split: SplitPolicy;
  quote(usage: Usage): { readonly fee: bigint; readonly parts: SplitParts };
  /** Get what is nobody's, by weight, in rising order; none for a model without snapshots. */
  readonly datanets: readonly SnapshotWeight[];
  /** Most that a gateway may state of an attribution without a claim, in basis points of the weight. */
  readonly statedBps: number;
}

/** Prices and splits: what settlement needs. */
export interface ModelMoney {
  /** Undefined when there is no such model. @param of.gateway whose statements of attribution are looked at */
  terms(
    context: ReadContext,
    of: { readonly modelId: bigint; readonly gateway: string },
  ): ModelTerms | undefined;
}
