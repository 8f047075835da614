/** Telling a proof that does not hold from everything else that can go wrong while it is checked. */
import { DecodeError, LedgerError } from '../../../core/errors.ts';

/** Codes of what verifiers throw, besides DecodeError. */
const REFUSALS: ReadonlySet<string> = new Set([
  'attribution.no_fraud',
  'attribution.shard_commitment',
  'attribution.shard_proof',
]);

/**
 * What comes out of a verifier, or why it refuses. What is not about the proof is thrown on: gas that runs
 * out while the chain's records are read, a broken invariant.
 */
export function refusalOr<T>(verify: () => T): { readonly value: T } | { readonly refusal: string } {
  try {
    return { value: verify() };
  } catch (error) {
    if (error instanceof DecodeError) return { refusal: error.message };
    if (error instanceof LedgerError && REFUSALS.has(error.code)) return { refusal: error.message };
    throw error;
  }
}
