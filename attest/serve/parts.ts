/** The parts of a claim as they come together: what is stated in each, and why one is left out. */
import type { Part } from '../../modules/attribution/proof/policy.ts';
import type { Claim } from '../../proto/gen/openledger/attribution/v1/attribution.ts';

/** A part that was made, with what has to be heeded; or why it is left out, and what to do for it. */
export type MadePart<T> =
  | { readonly stated: T; readonly note?: string }
  | { readonly stated: undefined; readonly note: string };

/** What became of a part. */
export interface PartOutcome {
  readonly part: Part;
  /** Basis points that the model pays for it. */
  readonly basisPoints: number;
  readonly made: boolean;
  readonly note: string | undefined;
}

/** The outcome of a part. */
export function outcomeOf(part: Part, basisPoints: number, { stated, note }: MadePart<unknown>): PartOutcome {
  return { part, basisPoints, made: stated !== undefined, note };
}

/** A part that the model's policy pays nothing for. Of what is asked for all the same something is said. */
export function unpaid(part: Part, isAskedFor: boolean): MadePart<never> {
  const asked = isAskedFor ? '; what the request says of it is not used' : '';
  return { stated: undefined, note: `the model pays nothing for ${part}${asked}` };
}

/**
 * How a claim reaches the chain. `payment`: in the payment itself, or as the next one. `submit`: by
 * `MsgSubmitClaim`, without a bond. `submit_with_bond`: the same with the bond that makes it disputable.
 */
export type Submission = 'payment' | 'submit' | 'submit_with_bond';

/** The way that a claim has to take: docs/adr/0024. */
export function submissionOf({ token, influence, retrieval }: Claim): Submission {
  const isOptimistic = token !== undefined && token.proofs.length === 0;
  if (influence !== undefined || isOptimistic) return 'submit_with_bond';
  // A payment is whoever's: what was retrieved is stated by the owner of the model.
  return retrieval === undefined ? 'payment' : 'submit';
}
