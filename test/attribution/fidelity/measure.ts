/**
 * One row of the table: a head trained in integers, its scores against retraining in float64.
 *
 * - LDS (linear datamodelling score, Park et al. 2023): for each test example Spearman's correlation, over
 *   random
 *   halves of the training set, between the sum of scores of the half and the loss after training on it; the
 *   mean.
 * - LOO: for each test example Pearson's correlation, over removed examples, between score and change of
 *   loss; the mean.
 */
import { certify } from '../../../attest/influence/certificate.ts';
import { hessianAt, hessianOf } from '../../../attest/influence/hessian.ts';
import type { Factors } from '../../../attest/influence/linear-algebra.ts';
import { claimOf, influenceOf, type Influencer, queryOf } from '../../../attest/influence/query.ts';
import { trainHead } from '../../../attest/influence/train.ts';
import { inputOf, type TrainingSet, trainingSet } from '../../../attest/influence/training-set.ts';
import { BOUND_BITS, LAMBDA_BITS, WEIGHT_BITS } from '../../../modules/attribution/proof/influence/bounds.ts';
import { CLASSES, type Digits, randomFrom, shuffled, splitDigits } from './digits.ts';
import {
  type FloatProblem,
  floatScores,
  lossesOn,
  probabilitiesAt,
  probabilitiesOf,
  retrain,
} from './float-head.ts';
import { mean, pearson, spearman } from './statistics.ts';

/** What is measured. */
export interface FidelityOptions {
  readonly side: number;
  readonly lambda: number;
  readonly seed: number;
  readonly train: number;
  readonly test: number;
  /** Test examples that LDS and LOO are over. */
  readonly queries: number;
  readonly subsets: number;
  readonly removals: number;
}

/** One row. */
export interface FidelityRow {
  readonly side: number;
  readonly lambda: number;
  readonly seed: number;
  readonly accuracy: number;
  readonly lds: number;
  readonly ldsFloat: number;
  readonly loo: number;
  readonly looFloat: number;
  readonly pearson: number;
  readonly spearman: number;
  /** Gradient bound of the card. */
  readonly gradient: number;
  /** Bound of a claim's solution: the largest of three. */
  readonly solution: number;
  /** Largest distance of a weight from that of float64. */
  readonly weight: number;
  readonly examples: number;
  readonly subsets: number;
  readonly removals: number;
  readonly queries: number;
}

const CLAIMS = 3;

interface Bench {
  readonly options: FidelityOptions;
  readonly test: TrainingSet;
  readonly problem: FloatProblem;
  readonly weights: Float64Array;
  readonly factors: Factors;
  readonly random: () => number;
}

/** Measures one row. */
export function measure(digits: Digits, options: FidelityOptions): FidelityRow {
  const random = randomFrom(options.seed);
  const split = splitDigits(digits, { ...options, random });
  const set = trainingSet(split.train, CLASSES);
  const test = trainingSet(split.test, CLASSES);
  const lambda = Math.max(1, Math.round(options.lambda * 2 ** LAMBDA_BITS));
  const head = trainHead(set, { lambda });
  const factors = hessianOf(head);
  const problem = { set, rows: head.rows, lambda: lambda / 2 ** LAMBDA_BITS };
  const start = head.weights.map((weight) => weight / 2 ** WEIGHT_BITS);
  const everything = Array.from({ length: options.train }, (_, i) => i);
  const weights = retrain(problem, everything, { weights: start, factors, tolerance: 1e-10 });
  const bench = { options, test, problem, weights, factors, random };
  const influencer = { head, factors };
  const integer = integerScores(influencer, test, options.queries);
  const float = allFloatScores(bench);
  const halves = Array.from({ length: options.subsets }, () =>
    shuffled(options.train, random).slice(0, options.train / 2),
  );
  const losses = halves.map((half) => lossesAfter(bench, half, 1e-6));
  const loo = leaveOneOut(bench, everything);
  return {
    side: options.side,
    lambda: options.lambda,
    seed: options.seed,
    accuracy: accuracyOf(influencer, test),
    lds: ldsOf(integer, halves, losses),
    ldsFloat: ldsOf(float, halves, losses),
    loo: looOf(integer, loo),
    looFloat: looOf(float, loo),
    pearson: mean(integer.map((scores, t) => pearson(scores, float[t] ?? []))),
    spearman: mean(integer.map((scores, t) => spearman(scores, float[t] ?? []))),
    weight: weights.reduce((most, value, c) => Math.max(most, Math.abs(value - (start[c] ?? 0))), 0),
    ...claims(influencer, test),
    examples: options.train,
    subsets: options.subsets,
    removals: options.removals,
    queries: options.queries,
  };
}

function integerScores(influencer: Influencer, test: TrainingSet, count: number): Float64Array[] {
  return Array.from({ length: count }, (_, t) => {
    const query = queryOf(influencer.head, inputOf(test, t), test.labels[t] ?? 0);
    return influenceOf(influencer, query).scores;
  });
}

function allFloatScores({ options, test, problem, weights }: Bench): Float64Array[] {
  const probabilities = probabilitiesOf(problem, weights);
  const { set, rows, lambda } = problem;
  const factors = hessianAt({ shape: set.shape, rows, probabilities }, lambda);
  return Array.from({ length: options.queries }, (_, t) => {
    const input = inputOf(test, t);
    const query = {
      features: input.features,
      label: test.labels[t] ?? 0,
      probabilities: probabilitiesAt(set.shape, weights, input),
    };
    return floatScores(problem, { probabilities, factors }, query);
  });
}

function lossesAfter(bench: Bench, examples: readonly number[], tolerance: number): Float64Array {
  const { problem, weights, factors, test, options } = bench;
  return lossesOn(test, retrain(problem, examples, { weights, factors, tolerance }), options.queries);
}

interface Removal {
  readonly example: number;
  readonly change: Float64Array;
}

function leaveOneOut(bench: Bench, everything: readonly number[]): Removal[] {
  const { options, random, test, weights } = bench;
  const before = lossesOn(test, weights, options.queries);
  return shuffled(options.train, random)
    .slice(0, options.removals)
    .map((example) => {
      const after = lossesAfter(
        bench,
        everything.filter((i) => i !== example),
        1e-10,
      );
      return { example, change: after.map((loss, t) => loss - (before[t] ?? 0)) };
    });
}

function ldsOf(
  scores: readonly Float64Array[],
  halves: readonly (readonly number[])[],
  losses: readonly Float64Array[],
): number {
  return mean(
    scores.map((own, t) => {
      const told = halves.map((half) => -half.reduce((sum, i) => sum + (own[i] ?? 0), 0));
      return spearman(
        told,
        losses.map((loss) => loss[t] ?? 0),
      );
    }),
  );
}

function looOf(scores: readonly Float64Array[], removals: readonly Removal[]): number {
  return mean(
    scores.map((own, t) =>
      pearson(
        removals.map(({ example }) => own[example] ?? 0),
        removals.map(({ change }) => change[t] ?? 0),
      ),
    ),
  );
}

function accuracyOf({ head }: Influencer, test: TrainingSet): number {
  let right = 0;
  for (let t = 0; t < test.shape.examples; t++) {
    const { logits } = queryOf(head, inputOf(test, t), 0);
    const best = Math.max(...Array.from(logits));
    if (logits[test.labels[t] ?? 0] === best) right++;
  }
  return right / test.shape.examples;
}

/** What a card and a few claims state. */
function claims(influencer: Influencer, test: TrainingSet): Pick<FidelityRow, 'gradient' | 'solution'> {
  const extractor = new Uint8Array(32);
  const served = certify(influencer.head, { datanetId: 1n, snapshotCount: 2n ** 20n, extractor });
  let solution = 0;
  for (let t = 0; t < CLAIMS; t++) {
    const query = queryOf(influencer.head, inputOf(test, t), test.labels[t] ?? 0);
    const { claim } = claimOf(influencer, served, influenceOf(influencer, query));
    solution = Math.max(solution, claim.bound / 2 ** BOUND_BITS);
  }
  return { gradient: served.card.gradientBound / 2 ** BOUND_BITS, solution };
}
