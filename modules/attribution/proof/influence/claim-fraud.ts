/**
 * Conviction of a claim of influence:
 *
 * | rule | index, coordinate | opened | convicts when |
 * | --- | --- | --- | --- |
 * | malformed-… | leaf; of coordinates: node, leaf | it | it is no leaf of its tree |
 * | query-logit | class k | weights k | logit k of the query is not `logitOf` it |
 * | response | example i, class k | example i, effect i, solution k | response k is not solution · features |
 * | curvature | example i | example i, residual i, effect i | it is not that of response and residuals |
 * | score | example i | residual i, effect i | the score is not Σ residual_k response_k |
 * | weights | example i | effects i − 1, i | the running sum does not grow by the weight of i |
 * | sum | node, coordinate | sum-fraud.ts | the coordinate is not the sum over the children |
 * | bound | –, coordinate | top node, coordinate, solution | \|(H s − g)_c\| is above the bound |
 * | listed-example | place in the list | effect | the score is another |
 * | omitted-example | example i | effect i | it belongs into the list |
 * | listed-group | place in the list | group, effects before and at its end | id or weight is another |
 * | omitted-group | group g | group g, effects before and at its end | it belongs into the list |
 * | total | – | the last effect | the running sum ends elsewhere |
 */
import {
  curvatureShift,
  FEATURE_BITS,
  LAMBDA_BITS,
  QUERY_BITS,
  RESIDUAL_BITS,
  BOUND_BITS,
  weightShift,
} from './bounds.ts';
import type { InfluenceCard } from './card.ts';
import { type InfluenceClaim, ranksBefore } from './claim.ts';
import { cardTree, claimTree, classAndFeature, takeCoordinate } from './committed.ts';
import { type ClaimFraud, convictUnless, FraudOpenings, refuse, wellFormed } from './fraud.ts';
import { curvature, dot, logitOf, queryResidual, weightOfScore } from './fixed-point.ts';
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
} from './leaves.ts';
import { coordinatesHolds, nodeHolds, sumHolds } from './sum-fraud.ts';
import { sumNodes } from './sum-tree.ts';

/** A claim with the card that it is on. */
export interface ClaimOnCard {
  readonly card: InfluenceCard;
  readonly claim: InfluenceClaim;
}

/**
 * Checks that a fraud convicts a claim that `checkClaim` found to fit its card.
 * @throws DecodeError when it does not, saying why
 */
export function verifyClaimFraud(on: ClaimOnCard, fraud: ClaimFraud): void {
  const openings = new FraudOpenings(fraud.openings);
  if (!USES_COORDINATE.includes(fraud.rule) && fraud.coordinate !== 0)
    refuse('a coordinate that means nothing');
  if (NO_INDEX.includes(fraud.rule) && fraud.index !== 0) refuse('an index that means nothing');
  convictUnless(statementHolds(on, fraud, openings));
  openings.end();
}

const USES_COORDINATE: readonly ClaimFraud['rule'][] = ['malformed-coordinates', 'response', 'sum', 'bound'];
const NO_INDEX: readonly ClaimFraud['rule'][] = ['bound', 'total'];

function statementHolds(on: ClaimOnCard, fraud: ClaimFraud, openings: FraudOpenings): boolean {
  const { card, claim } = on;
  const { index, coordinate } = fraud;
  const sums = claimTree(card, claim, 'sums');
  switch (fraud.rule) {
    case 'malformed-solution':
      return solutionRow(on, index, openings) !== undefined;
    case 'malformed-effect': {
      const leaf = openings.takeOne(claimTree(card, claim, 'effects'), index);
      return decodeEffect(leaf, card) !== undefined;
    }
    case 'malformed-node':
      return nodeHolds(sums, index, openings);
    case 'malformed-coordinates':
      return coordinatesHolds({ shape: card, sums }, { node: index, leaf: coordinate }, openings);
    case 'query-logit': {
      const leaf = openings.takeOne(cardTree(card, 'weights'), index);
      const row = wellFormed(decodeRow('weights', leaf, card));
      return logitOf(row, claim.query, index) === claim.query.logits[index];
    }
    case 'response':
      return responseHolds(on, { index, k: coordinate }, openings);
    case 'curvature':
      return curvatureHolds(on, index, openings);
    case 'score':
      return scoreHolds(on, index, openings);
    case 'weights':
      return weightsHolds(on, index, openings);
    case 'sum':
      return sumHolds(curvatureSum(on), { node: index, coordinate }, openings);
    case 'bound':
      return boundHolds(on, coordinate, openings);
    case 'listed-example': {
      const listed = claim.examples[index] ?? refuse(`no listed example ${index}`);
      return effectAt(on, listed.index, openings).score === listed.score;
    }
    case 'omitted-example':
      return omittedExampleHolds(on, index, openings);
    case 'listed-group':
      return listedGroupHolds(on, index, openings);
    case 'omitted-group':
      return omittedGroupHolds(on, index, openings);
    case 'total':
      return effectAt(on, card.examples - 1, openings).weights === claim.total;
  }
}

function effectAt({ card, claim }: ClaimOnCard, index: number, openings: FraudOpenings): EffectLeaf {
  return wellFormed(decodeEffect(openings.takeOne(claimTree(card, claim, 'effects'), index), card));
}

function exampleAt({ card }: ClaimOnCard, index: number, openings: FraudOpenings): ExampleLeaf {
  return wellFormed(decodeExample(openings.takeOne(cardTree(card, 'examples'), index), card));
}

function residualAt({ card }: ClaimOnCard, index: number, openings: FraudOpenings): ResidualLeaf {
  return wellFormed(decodeResidual(openings.takeOne(cardTree(card, 'residuals'), index), card));
}

function solutionRow(
  { card, claim }: ClaimOnCard,
  k: number,
  openings: FraudOpenings,
): ReturnType<typeof decodeRow> {
  return decodeRow('solution', openings.takeOne(claimTree(card, claim, 'solution'), k), card);
}

function curvatureSum({ card, claim }: ClaimOnCard): Parameters<typeof sumHolds>[0] {
  return {
    shape: card,
    sums: claimTree(card, claim, 'sums'),
    examples: cardTree(card, 'examples'),
    factors: claimTree(card, claim, 'effects'),
    factor: (leaf) => decodeEffect(leaf, card)?.curvature,
  };
}

function responseHolds(
  on: ClaimOnCard,
  { index, k }: { readonly index: number; readonly k: number },
  openings: FraudOpenings,
): boolean {
  const { features } = exampleAt(on, index, openings);
  const { response } = effectAt(on, index, openings);
  const row = wellFormed(solutionRow(on, k, openings));
  return dot(row, features) === response[k];
}

function curvatureHolds(on: ClaimOnCard, index: number, openings: FraudOpenings): boolean {
  const { label } = exampleAt(on, index, openings);
  const { residual } = residualAt(on, index, openings);
  const { response, curvature: stated } = effectAt(on, index, openings);
  const computed: number[] = [];
  curvature({ residual, label, response }, curvatureShift(on.card), computed);
  return computed.every((value, k) => value === stated[k]);
}

function scoreHolds(on: ClaimOnCard, index: number, openings: FraudOpenings): boolean {
  const { residual } = residualAt(on, index, openings);
  const { response, score } = effectAt(on, index, openings);
  return dot(residual, response) === score;
}

function weightsHolds(on: ClaimOnCard, index: number, openings: FraudOpenings): boolean {
  const { card, claim } = on;
  const leaves = openings.take(claimTree(card, claim, 'effects'), index === 0 ? [0] : [index - 1, index]);
  const effects = leaves.map((leaf) => wellFormed(decodeEffect(leaf, card)));
  const before = index === 0 ? 0 : (effects[0]?.weights ?? 0);
  const at = effects.at(-1) ?? refuse('no effect');
  return at.weights === before + weightOfScore(at.score, weightShift(card));
}

function boundHolds(on: ClaimOnCard, coordinate: number, openings: FraudOpenings): boolean {
  const { card, claim } = on;
  const { k, j } = classAndFeature(card, coordinate);
  const node = openings.takeOne(claimTree(card, claim, 'sums'), sumNodes(card.examples) - 1);
  const sum = takeCoordinate(openings, card, { node, coordinate });
  const solution = wellFormed(solutionRow(on, k, openings))[j] ?? 0;
  const residual = queryResidual(claim.query.logits, claim.query.label);
  const gradient = (residual[k] ?? 0) * (claim.query.features[j] ?? 0);
  return withinSolutionBound(
    card,
    { sum, solution, gradient },
    { bits: claim.solutionBits, bound: claim.bound },
  );
}

/** One coordinate of H s = g: the sum of curvatures, s itself, and g. */
export interface SolutionCoordinate {
  readonly sum: number;
  readonly solution: number;
  readonly gradient: number;
}

/** True when |(H s − g)_c| ≤ bound / 2^32. */
export function withinSolutionBound(
  card: Pick<InfluenceCard, 'examples' | 'lambda'>,
  at: SolutionCoordinate,
  { bits, bound }: { readonly bits: number; readonly bound: number },
): boolean {
  const value = solutionResidual(card, at, bits);
  const most = BigInt(bound) * BigInt(card.examples) * 2n ** BigInt(SCALE_BITS - BOUND_BITS + bits);
  return (value < 0n ? -value : value) <= most;
}

/** Σ curvature · feature is in units of 2^(r − e − 46), which is r bits above 2^-(46 + e). */
const SCALE_BITS = 2 * RESIDUAL_BITS + 2 * FEATURE_BITS;

/**
 * n · (H s − g)_c in units of 2^-(46 + e), for a solution s / 2^e. Its parts are in units of 2^(r − 31 − e),
 * 2^-(24 + e) and 2^-32.
 */
export function solutionResidual(
  card: Pick<InfluenceCard, 'examples' | 'lambda'>,
  { sum, solution, gradient }: SolutionCoordinate,
  bits: number,
): bigint {
  const n = BigInt(card.examples);
  const hessian = BigInt(sum) * 2n ** BigInt(curvatureShiftOf(card) + SCALE_BITS - SUM_BITS);
  const ridge = n * BigInt(card.lambda) * BigInt(solution) * 2n ** BigInt(SCALE_BITS - LAMBDA_BITS);
  const target = n * BigInt(gradient) * 2n ** BigInt(SCALE_BITS + bits - QUERY_BITS - FEATURE_BITS);
  return hessian + ridge - target;
}

/** Probability, response (solution times feature) and feature: 2^-(15 + 8 + 8), besides e and r. */
const SUM_BITS = RESIDUAL_BITS + 2 * FEATURE_BITS;

function curvatureShiftOf({ examples }: Pick<InfluenceCard, 'examples'>): number {
  return curvatureShift({ examples });
}

function omittedExampleHolds(on: ClaimOnCard, index: number, openings: FraudOpenings): boolean {
  const { card, claim } = on;
  const { score } = effectAt(on, index, openings);
  const listed = claim.examples.some((example) => example.index === index);
  const last = claim.examples.at(-1);
  const room = claim.examples.length < card.topExamples;
  const ranks =
    last !== undefined && ranksBefore({ amount: score, index }, { amount: last.score, index: last.index });
  return listed || score <= 0 || !(room || ranks);
}

/** Takes the openings of a group and of the running sums at its ends. */
function takeGroup(
  on: ClaimOnCard,
  index: number,
  openings: FraudOpenings,
): { readonly group: GroupLeaf; readonly weight: number } {
  const { card, claim } = on;
  const group = wellFormed(decodeGroup(openings.takeOne(cardTree(card, 'groups'), index), card));
  const last = group.first + group.count - 1;
  const ends = group.first === 0 ? [last] : [group.first - 1, last];
  const effects = openings
    .take(claimTree(card, claim, 'effects'), ends)
    .map((leaf) => wellFormed(decodeEffect(leaf, card)).weights);
  const before = group.first === 0 ? 0 : (effects[0] ?? 0);
  return { group, weight: (effects.at(-1) ?? 0) - before };
}

function listedGroupHolds(on: ClaimOnCard, place: number, openings: FraudOpenings): boolean {
  const listed = on.claim.groups[place] ?? refuse(`no listed group ${place}`);
  const { group, weight } = takeGroup(on, listed.group, openings);
  return group.contributionId === listed.contributionId && weight === listed.weight;
}

function omittedGroupHolds(on: ClaimOnCard, index: number, openings: FraudOpenings): boolean {
  const { card, claim } = on;
  const { weight } = takeGroup(on, index, openings);
  const listed = claim.groups.some(({ group }) => group === index);
  const last = claim.groups.at(-1);
  const room = claim.groups.length < card.topGroups;
  const ranks =
    last !== undefined && ranksBefore({ amount: weight, index }, { amount: last.weight, index: last.group });
  return listed || weight <= 0 || !(room || ranks);
}
