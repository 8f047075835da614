/**
 * Removing contributions from a head: one Newton step on the examples that are left, from the weights there
 * were. What the step is worth is not promised but certified: the new card states the gradient over the
 * examples that are left, which bounds the distance to the head that training without them would have given;
 * and for each removed contribution there is a proof that the card has no example of it.
 */
import { WEIGHT_BITS } from '../../modules/attribution/proof/influence/bounds.ts';
import { type GroupAbsence, groupsAround } from '../../modules/attribution/proof/influence/absence.ts';
import { decodeGroup } from '../../modules/attribution/proof/influence/leaves.ts';
import { byClass, byFeature, hessianOf } from './hessian.ts';
import { realGradient } from './head.ts';
import { solveInPlace } from './linear-algebra.ts';
import { openLeaves, type ServedCard } from './published.ts';
import { sparseRows, subsetOf } from './training-set.ts';
import { headOf, type TrainedHead } from './train.ts';

/** The head after one Newton step without these contributions. */
export function removeContributions(head: TrainedHead, removed: ReadonlySet<bigint>): TrainedHead {
  const { set, lambda, weights } = head;
  const { shape } = set;
  const kept = set.contributions.flatMap((id, i) => (removed.has(id) ? [] : [i]));
  const rest = subsetOf(set, kept);
  const rows = sparseRows(rest);
  const before = headOf(rest, rows, { lambda, weights });
  const gradient = realGradient({ sum: before.sum, weights, examples: kept.length }, lambda);
  const step = byClass(shape, gradient);
  solveInPlace(hessianOf(before), step);
  const laid = byFeature(shape, step);
  const moved = weights.map((weight, c) => Math.round(weight - (laid[c] ?? 0) * 2 ** WEIGHT_BITS));
  return headOf(rest, rows, { lambda, weights: moved });
}

/** Opens the groups around an id that is not there. */
export function proveAbsence(served: ServedCard, contributionId: bigint): GroupAbsence {
  const { card, groups } = served;
  const found = groups.leaves.findIndex(
    (leaf) => (decodeGroup(leaf, card)?.contributionId ?? 0n) > contributionId,
  );
  const place = found < 0 ? card.groups : found;
  return { place, ...openLeaves(groups, groupsAround(place, card.groups)) };
}
