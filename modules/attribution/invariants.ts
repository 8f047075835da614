import type { ReadContext } from '../../framework/context.ts';
import type { Invariant } from '../../framework/module.ts';
import type { AttributionState } from './state.ts';
import { BYTE_WEIGHT } from './verify.ts';

/**
 * What must hold of claims after every block. It walks over everything: for tests, simulation and
 * `inspect`.
 */
export function attributionInvariants(state: AttributionState): readonly Invariant[] {
  return [{ name: 'weights', check: (context) => checkWeights(state, context) }];
}

/** Shares add up to their total, and that is the number of distinct answer bytes that the spans cover. */
function checkWeights(state: AttributionState, context: ReadContext): string | undefined {
  for (const [id, claim] of state.claims.iterate(context)) {
    const sum = claim.shares.reduce((total, { weight }) => total + weight, 0n);
    let covered = 0n;
    let reached = 0n;
    for (const { answerOffset, length } of claim.spans) {
      const end = answerOffset + BigInt(length);
      const start = answerOffset > reached ? answerOffset : reached;
      if (end > start) covered += end - start;
      if (end > reached) reached = end;
    }
    if (sum !== claim.totalWeight || sum !== covered * BYTE_WEIGHT)
      return `shares of claim ${id} add up to ${sum}, its spans cover ${covered} bytes`;
  }
  return undefined;
}
