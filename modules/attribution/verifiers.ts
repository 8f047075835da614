import type { ProofVerifiers } from './ports.ts';

/** The published verifiers, as the chain uses them. */
export const proofVerifiers: ProofVerifiers = {
  problemOfFraud: () => 'fraud proofs cannot be checked yet',
};
