/** Finds what is wrong with a published claim on a card that is right. */
import { curvatureShift, weightShift } from '../../modules/attribution/proof/influence/bounds.ts';
import { ranksBefore } from '../../modules/attribution/proof/influence/claim.ts';
import { withinSolutionBound } from '../../modules/attribution/proof/influence/claim-fraud.ts';
import {
  curvature,
  dot,
  logitOf,
  type Numbers,
  queryResidual,
  weightOfScore,
} from '../../modules/attribution/proof/influence/fixed-point.ts';
import type { ClaimFraud } from '../../modules/attribution/proof/influence/fraud.ts';
import {
  decodeEffect,
  decodeExample,
  decodeGroup,
  decodeResidual,
  decodeRow,
  type EffectLeaf,
  type ExampleLeaf,
  type GroupLeaf,
  type ResidualLeaf,
} from '../../modules/attribution/proof/influence/leaves.ts';
import { defined } from '../../core/errors.ts';
import { decodeAll, decodeKnown } from './convict-card.ts';
import { findSumPlace, topCoordinates } from './convict-sum.ts';
import { type KnownPair, openClaimFraud, type ServedPair } from './open-fraud.ts';
import type { ServedTree } from './published.ts';

/** Leaves of the card, and those of the claim that are known, each in its place. */
interface Leaves {
  readonly weights: readonly Numbers[];
  readonly examples: readonly ExampleLeaf[];
  readonly residuals: readonly ResidualLeaf[];
  readonly groups: readonly GroupLeaf[];
  readonly solution: readonly (Numbers | undefined)[];
  readonly effects: readonly (EffectLeaf | undefined)[];
}

/** What convicts the claim; undefined when it is right. The card's own leaves must be well-formed. */
export function findClaimFraud(pair: ServedPair): ClaimFraud | undefined {
  const { leaves, malformed } = decodedLeaves(pair);
  return malformed ?? findInLeaves(pair, leaves) ?? findSum(pair, leaves) ?? findBound(pair, leaves);
}

/** What convicts the claim by the leaves that are known, whatever the others and the sums are. */
export function findKnownClaimFraud(pair: KnownPair): ClaimFraud | undefined {
  const { leaves, malformed } = decodedLeaves(pair);
  return malformed ?? findInLeaves(pair, leaves);
}

function decodedLeaves(pair: KnownPair): {
  readonly leaves: Leaves;
  readonly malformed: ClaimFraud | undefined;
} {
  const { card } = pair.card;
  const solution = decodeKnown(pair.claim.solution, (leaf) => decodeRow('solution', leaf, card));
  const effects = decodeKnown(pair.claim.effects, (leaf) => decodeEffect(leaf, card));
  const leaves: Leaves = {
    weights: ofCard(pair.card.weights, (leaf) => decodeRow('weights', leaf, card)),
    examples: ofCard(pair.card.examples, (leaf) => decodeExample(leaf, card)),
    residuals: ofCard(pair.card.residuals, (leaf) => decodeResidual(leaf, card)),
    groups: ofCard(pair.card.groups, (leaf) => decodeGroup(leaf, card)),
    solution: solution.decoded,
    effects: effects.decoded,
  };
  if (solution.malformed !== undefined)
    return { leaves, malformed: openClaimFraud(pair, 'malformed-solution', { index: solution.malformed }) };
  if (effects.malformed !== undefined)
    return { leaves, malformed: openClaimFraud(pair, 'malformed-effect', { index: effects.malformed }) };
  return { leaves, malformed: undefined };
}

function findInLeaves(pair: KnownPair, leaves: Leaves): ClaimFraud | undefined {
  return findQueryLogit(pair, leaves) ?? findEffect(pair, leaves) ?? findLists(pair, leaves);
}

function ofCard<T>(tree: ServedTree, decode: (leaf: Uint8Array) => T | undefined): readonly T[] {
  return decodeAll(tree, decode).decoded;
}

function findSum(pair: ServedPair, { examples, effects }: Leaves): ClaimFraud | undefined {
  const place = findSumPlace({
    shape: pair.card.card,
    sums: pair.claim.sums,
    features: examples.map(({ features }) => features),
    vectors: effects.map((effect) => defined(effect, 'effect').curvature),
  });
  return place === undefined ? undefined : openClaimFraud(pair, place.rule, place);
}

function findQueryLogit(pair: KnownPair, { weights }: Leaves): ClaimFraud | undefined {
  const { query } = pair.claim.claim;
  const index = weights.findIndex((row, k) => logitOf(row, query, k) !== query.logits[k]);
  return index < 0 ? undefined : openClaimFraud(pair, 'query-logit', { index });
}

function findEffect(pair: KnownPair, leaves: Leaves): ClaimFraud | undefined {
  const { card } = pair.card;
  const computed: number[] = [];
  for (const [index, { features, label }] of leaves.examples.entries()) {
    const effect = leaves.effects[index];
    const residual = leaves.residuals[index]?.residual ?? [];
    if (effect === undefined) continue;
    const { response, score, weights } = effect;
    const k = leaves.solution.findIndex((row, at) => row && dot(row, features) !== response[at]);
    if (k >= 0) return openClaimFraud(pair, 'response', { index, coordinate: k });
    curvature({ residual, label, response }, curvatureShift(card), computed);
    if (computed.some((value, at) => value !== effect.curvature[at]))
      return openClaimFraud(pair, 'curvature', { index });
    if (dot(residual, response) !== score) return openClaimFraud(pair, 'score', { index });
    const before = weightsUpTo(leaves, index - 1);
    if (before !== undefined && weights !== before + weightOfScore(score, weightShift(card)))
      return openClaimFraud(pair, 'weights', { index });
  }
  return undefined;
}

/** Sum of the weights of the first examples up to one, as the claim states it; undefined when that is not known. */
function weightsUpTo({ effects }: Leaves, index: number): number | undefined {
  return index < 0 ? 0 : effects[index]?.weights;
}

function findLists(pair: KnownPair, leaves: Leaves): ClaimFraud | undefined {
  const { claim } = pair.claim;
  const total = weightsUpTo(leaves, pair.card.card.examples - 1);
  if (total !== undefined && total !== claim.total) return openClaimFraud(pair, 'total', {});
  return findExamples(pair, leaves) ?? findGroups(pair, leaves);
}

function findExamples(pair: KnownPair, { effects }: Leaves): ClaimFraud | undefined {
  const { examples } = pair.claim.claim;
  const wrong = examples.findIndex(({ index, score }) => (effects[index]?.score ?? score) !== score);
  if (wrong >= 0) return openClaimFraud(pair, 'listed-example', { index: wrong });
  const last = examples.at(-1);
  const full = examples.length >= pair.card.card.topExamples;
  const index = effects.findIndex((effect, i) => {
    const score = effect?.score ?? 0;
    if (score <= 0 || examples.some((example) => example.index === i)) return false;
    if (!full) return true;
    return (
      last !== undefined &&
      ranksBefore({ amount: score, index: i }, { amount: last.score, index: last.index })
    );
  });
  return index < 0 ? undefined : openClaimFraud(pair, 'omitted-example', { index });
}

function findGroups(pair: KnownPair, leaves: Leaves): ClaimFraud | undefined {
  const { groups } = pair.claim.claim;
  const weights = leaves.groups.map(({ first, count }) => {
    const before = weightsUpTo(leaves, first - 1);
    const end = weightsUpTo(leaves, first + count - 1);
    return before === undefined || end === undefined ? undefined : end - before;
  });
  const wrong = groups.findIndex(({ group, contributionId, weight }) => {
    const stated = weights[group];
    if (stated === undefined) return false;
    return stated !== weight || leaves.groups[group]?.contributionId !== contributionId;
  });
  if (wrong >= 0) return openClaimFraud(pair, 'listed-group', { index: wrong });
  const last = groups.at(-1);
  const full = groups.length >= pair.card.card.topGroups;
  const index = weights.findIndex((weight = 0, i) => {
    if (weight <= 0 || groups.some(({ group }) => group === i)) return false;
    if (!full) return true;
    return (
      last !== undefined &&
      ranksBefore({ amount: weight, index: i }, { amount: last.weight, index: last.group })
    );
  });
  return index < 0 ? undefined : openClaimFraud(pair, 'omitted-group', { index });
}

function findBound(pair: ServedPair, { solution }: Leaves): ClaimFraud | undefined {
  const { card } = pair.card;
  const { query, solutionBits, bound } = pair.claim.claim;
  const residual = queryResidual(query.logits, query.label);
  const coordinate = topCoordinates(card, pair.claim.sums).findIndex((sum, c) => {
    const k = Math.floor(c / card.features);
    const j = c - k * card.features;
    const gradient = (residual[k] ?? 0) * (query.features[j] ?? 0);
    const at = { sum, solution: solution[k]?.[j] ?? 0, gradient };
    return !withinSolutionBound(card, at, { bits: solutionBits, bound });
  });
  return coordinate < 0 ? undefined : openClaimFraud(pair, 'bound', { coordinate });
}
