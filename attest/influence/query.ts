/**
 * Influence of every example on the answer to a query, and the claim about it. Float64 solves H s = g; s is
 * then rounded to integers, and all that follows, with the statement how well s solves, is in integers.
 */
import {
  BOUND_BITS,
  curvatureShift,
  FEATURE_BITS,
  QUERY_BITS,
  SOLUTION_BITS_MAX,
  solutionMax,
  weightShift,
} from '../../modules/attribution/proof/influence/bounds.ts';
import { cardId } from '../../modules/attribution/proof/influence/card.ts';
import {
  type InfluenceClaim,
  type InfluenceQuery,
  type ListedExample,
  type ListedGroup,
  ranksBefore,
} from '../../modules/attribution/proof/influence/claim.ts';
import { solutionResidual } from '../../modules/attribution/proof/influence/claim-fraud.ts';
import {
  curvature,
  logitOf,
  type ModelInput,
  queryResidual,
  weightOfScore,
} from '../../modules/attribution/proof/influence/fixed-point.ts';
import { encodeEffect } from '../../modules/attribution/proof/influence/leaves.ts';
import { groupsOf, rowLeaves } from './certificate.ts';
import { byClass, byFeature } from './hessian.ts';
import { type Factors, largest, solveInPlace, timesInverse } from './linear-algebra.ts';
import { type ServedCard, type ServedClaim, servedTree } from './published.ts';
import { type NodeSums, nodeSums, sumsOfNodes, topOf } from './sums.ts';
import { products } from './training-set.ts';
import type { TrainedHead } from './train.ts';

/** A head that can be asked. */
export interface Influencer {
  readonly head: TrainedHead;
  /** Of its Hessian. */
  readonly factors: Factors;
  /** Of its Hessian too, if there are to be many queries: `inverseOf`. */
  readonly inverse?: Float64Array;
}

/** Integers that say how every example bears on one answer. */
export interface Influence {
  readonly query: InfluenceQuery;
  /** s stands for s / 2^e. */
  readonly solutionBits: number;
  /** Laid out by class. */
  readonly solution: Float64Array;
  /** n · K: solution · features. */
  readonly responses: Float64Array;
  /** n: positive when the example made the answer more likely. */
  readonly scores: Float64Array;
}

/**
 * What the model makes of a query whose answer is `label`.
 * @param input features that end with the constant 255, and the offsets of an adapter
 */
export function queryOf({ set, weights }: TrainedHead, input: ModelInput, label: number): InfluenceQuery {
  const rows = byClass(set.shape, weights);
  const { classes, features: width } = set.shape;
  const logits = Array.from({ length: classes }, (_, k) =>
    logitOf(rows.subarray(k * width, (k + 1) * width), input, k),
  );
  return { features: input.features, offsets: input.offsets, label, logits };
}

/** The class that the head answers with: the first of those with the greatest logit. */
export function answerOf(query: InfluenceQuery): number {
  let best = 0;
  for (let k = 1; k < query.logits.length; k++)
    if ((query.logits[k] ?? 0) > (query.logits[best] ?? 0)) best = k;
  return best;
}

/** What a coordinate of a query's gradient counts. */
const GRADIENT_ONE = 2 ** (QUERY_BITS + FEATURE_BITS);

/** Scores of all examples. */
export function influenceOf({ head, factors, inverse }: Influencer, query: InfluenceQuery): Influence {
  const { set } = head;
  const { classes, features } = set.shape;
  const residual = queryResidual(query.logits, query.label);
  const gradient = new Float64Array(features * classes);
  for (let k = 0; k < classes; k++)
    for (let j = 0; j < features; j++)
      gradient[k * features + j] = ((residual[k] ?? 0) * (query.features[j] ?? 0)) / GRADIENT_ONE;
  const real = solve({ factors, inverse }, gradient);
  const solutionBits = bitsFor(largest(real), solutionMax(set.shape));
  const solution = real.map((value) => Math.round(value * 2 ** solutionBits));
  return influenceBy(head, { query, solutionBits, solution });
}

/** What follows from a solution, whatever it is worth. */
export function influenceBy(
  { set, rows, pass }: TrainedHead,
  { query, solutionBits, solution }: Pick<Influence, 'query' | 'solutionBits' | 'solution'>,
): Influence {
  const { classes, examples } = set.shape;
  const responses = products(rows, byFeature(set.shape, solution), classes);
  const scores = new Float64Array(examples);
  for (let i = 0; i < examples; i++) {
    let score = 0;
    for (let at = i * classes; at < (i + 1) * classes; at++)
      score += (pass.residuals[at] ?? 0) * (responses[at] ?? 0);
    scores[i] = score;
  }
  return { query, solutionBits, solution, responses, scores };
}

function solve(
  { factors, inverse }: { readonly factors: Factors; readonly inverse: Float64Array | undefined },
  gradient: Float64Array,
): Float64Array {
  if (inverse !== undefined) return timesInverse(inverse, gradient);
  solveInPlace(factors, gradient);
  return gradient;
}

/** Most bits with which a value stays within a limit. */
function bitsFor(value: number, limit: number): number {
  let bits = 1;
  while (bits < SOLUTION_BITS_MAX && value * 2 ** (bits + 1) <= limit - 1) bits++;
  return bits;
}

/** Commits to an influence. */
export function claimOf(
  { head }: Pick<Influencer, 'head'>,
  { card }: Pick<ServedCard, 'card'>,
  influence: Influence,
): ServedClaim {
  const { set, rows } = head;
  const { shape } = set;
  const curvatures = curvaturesOf(head, influence);
  const nodes = nodeSums(set, rows, curvatures);
  const weights = runningWeights(influence.scores, weightShift(shape));
  const solution = servedTree('solution', rowLeaves('solution', shape.features, influence.solution));
  const effects = servedTree(
    'effects',
    effectLeaves(influence, { curvatures, weights, classes: shape.classes }),
  );
  const sums = sumsOfNodes(shape, nodes);
  const claim: InfluenceClaim = {
    card: cardId(card),
    query: influence.query,
    solutionBits: influence.solutionBits,
    bound: leastBound(head, nodes, influence),
    roots: { solution: solution.tree.root, effects: effects.tree.root, sums: sums.tree.root },
    total: weights.at(-1) ?? 0,
    examples: bestExamples(influence.scores, card.topExamples),
    groups: bestGroups(groupWeights(head, weights), card.topGroups),
  };
  return { claim, solution, effects, sums };
}

/** (diag(p) − p pᵀ) v for every example: n · K integers. */
export function curvaturesOf({ set, pass }: TrainedHead, { responses }: Influence): Float64Array {
  const { classes, examples } = set.shape;
  const shift = curvatureShift(set.shape);
  const out = new Float64Array(examples * classes);
  const part: number[] = [];
  for (let i = 0; i < examples; i++) {
    const at = i * classes;
    const residual = pass.residuals.subarray(at, at + classes);
    const response = responses.subarray(at, at + classes);
    curvature({ residual, label: set.labels[i] ?? 0, response }, shift, part);
    out.set(part, at);
  }
  return out;
}

function runningWeights(scores: Float64Array, shift: number): number[] {
  let sum = 0;
  return Array.from(scores, (score) => (sum += weightOfScore(score, shift)));
}

function effectLeaves(
  { responses, scores }: Influence,
  {
    curvatures,
    weights,
    classes,
  }: { readonly curvatures: Float64Array; readonly weights: readonly number[]; readonly classes: number },
): Uint8Array[] {
  return weights.map((sum, i) =>
    encodeEffect({
      response: responses.subarray(i * classes, (i + 1) * classes),
      curvature: curvatures.subarray(i * classes, (i + 1) * classes),
      score: scores[i] ?? 0,
      weights: sum,
    }),
  );
}

/** Least bound that holds for every coordinate of H s − g, units of 2^-32. */
function leastBound(head: TrainedHead, nodes: NodeSums, influence: Influence): number {
  const { solution, solutionBits, query } = influence;
  const { examples, features } = head.set.shape;
  const sum = topOf(nodes);
  const residual = queryResidual(query.logits, query.label);
  let most = 0n;
  for (let c = 0; c < solution.length; c++) {
    const k = Math.floor(c / features);
    const gradient = (residual[k] ?? 0) * (query.features[c - k * features] ?? 0);
    const at = { sum: sum[c] ?? 0, solution: solution[c] ?? 0, gradient };
    const value = solutionResidual({ examples, lambda: head.lambda }, at, solutionBits);
    const size = value < 0n ? -value : value;
    if (size > most) most = size;
  }
  const unit = BigInt(examples) * 2n ** BigInt(46 - BOUND_BITS + solutionBits);
  return Number((most + unit - 1n) / unit);
}

/** The examples with the highest positive scores. */
export function bestExamples(scores: Float64Array, count: number): ListedExample[] {
  return best(
    Array.from(scores, (amount, index) => ({ amount, index })),
    count,
  ).map(({ amount, index }) => ({ index, score: amount }));
}

/** Weight of each contribution's examples together, in the order of groups. */
export function groupWeights(
  { set }: TrainedHead,
  running: readonly number[],
): (ListedGroup & { readonly first: number })[] {
  return groupsOf(set).map(({ contributionId, first, count }, group) => ({
    group,
    contributionId,
    first,
    weight: (running[first + count - 1] ?? 0) - (running[first - 1] ?? 0),
  }));
}

function bestGroups(groups: readonly ListedGroup[], count: number): ListedGroup[] {
  return best(
    groups.map(({ weight, group }) => ({ amount: weight, index: group })),
    count,
  ).map(({ amount, index }) => ({
    group: index,
    contributionId: groups[index]?.contributionId ?? 0n,
    weight: amount,
  }));
}

interface Ranked {
  readonly amount: number;
  readonly index: number;
}

/** The first `count` positive ones in the order of lists, without sorting the others. */
function best(all: readonly Ranked[], count: number): Ranked[] {
  const kept: Ranked[] = [];
  for (const entry of all) {
    const last = kept[count - 1];
    if (entry.amount <= 0 || (last !== undefined && !ranksBefore(entry, last))) continue;
    let place = kept.length;
    while (place > 0 && ranksBefore(entry, kept[place - 1] ?? entry)) place--;
    kept.splice(place, 0, entry);
    if (kept.length > count) kept.pop();
  }
  return kept;
}
