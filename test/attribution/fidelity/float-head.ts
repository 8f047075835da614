/** The same model in float64 with the platform's exponential: the truth that integers are held against. */
import { byClass, byFeature } from '../../../attest/influence/hessian.ts';
import { type Factors, solveInPlace } from '../../../attest/influence/linear-algebra.ts';
import { minimise } from '../../../attest/influence/minimise.ts';
import type { SparseRows, TrainingSet } from '../../../attest/influence/training-set.ts';
import { inputOf } from '../../../attest/influence/training-set.ts';
import type { Shape } from '../../../modules/attribution/proof/influence/bounds.ts';
import type { ModelInput, Numbers } from '../../../modules/attribution/proof/influence/fixed-point.ts';

const FEATURE_ONE = 256;
const OFFSET_ONE = 2 ** 24;

/** Examples that are trained on: their places in the whole set. */
export interface FloatProblem {
  readonly set: TrainingSet;
  readonly rows: SparseRows;
  readonly lambda: number;
}

/** Probabilities of one example, and the loss of its label. Weights are laid out by feature. */
function predict(
  { rows, set }: FloatProblem,
  weights: Float64Array,
  { example, out }: { readonly example: number; readonly out: Float64Array },
): void {
  const classes = set.shape.classes;
  begin(out, inputOf(set, example).offsets);
  const end = rows.starts[example + 1] ?? 0;
  for (let at = rows.starts[example] ?? 0; at < end; at++) {
    const value = (rows.values[at] ?? 0) / FEATURE_ONE;
    const from = (rows.columns[at] ?? 0) * classes;
    for (let k = 0; k < classes; k++) out[k] = (out[k] ?? 0) + value * (weights[from + k] ?? 0);
  }
  toProbabilities(out);
}

/** Logits of the base model; 0 for a head. */
function begin(out: Float64Array, offsets: Numbers): void {
  for (let k = 0; k < out.length; k++) out[k] = (offsets[k] ?? 0) / OFFSET_ONE;
}

function toProbabilities(logits: Float64Array): void {
  let most = logits[0] ?? 0;
  for (const value of logits) most = Math.max(most, value);
  let sum = 0;
  for (let k = 0; k < logits.length; k++) sum += logits[k] = Math.exp((logits[k] ?? 0) - most);
  for (let k = 0; k < logits.length; k++) logits[k] = (logits[k] ?? 0) / sum;
}

/** Gradient of the mean loss over some examples, with the ridge. */
function gradientOf(problem: FloatProblem, weights: Float64Array, examples: ArrayLike<number>): Float64Array {
  const { rows, set, lambda } = problem;
  const classes = set.shape.classes;
  const gradient = new Float64Array(weights.length);
  const out = new Float64Array(classes);
  for (let i = 0; i < examples.length; i++) {
    const example = examples[i] ?? 0;
    predict(problem, weights, { example, out });
    const label = set.labels[example] ?? 0;
    out[label] = (out[label] ?? 0) - 1;
    const end = rows.starts[example + 1] ?? 0;
    for (let at = rows.starts[example] ?? 0; at < end; at++) {
      const value = (rows.values[at] ?? 0) / FEATURE_ONE;
      const to = (rows.columns[at] ?? 0) * classes;
      for (let k = 0; k < classes; k++) gradient[to + k] = (gradient[to + k] ?? 0) + value * (out[k] ?? 0);
    }
  }
  for (let c = 0; c < gradient.length; c++)
    gradient[c] = (gradient[c] ?? 0) / examples.length + lambda * (weights[c] ?? 0);
  return gradient;
}

/** Trains on some examples, from weights near by, with the Hessian of a head near by. */
export function retrain(
  problem: FloatProblem,
  examples: ArrayLike<number>,
  near: { readonly weights: Float64Array; readonly factors: Factors; readonly tolerance: number },
): Float64Array {
  const { shape } = problem.set;
  return minimise(
    {
      gradient: (weights) => gradientOf(problem, weights, examples),
      precondition: (vector) => {
        const byClasses = byClass(shape, vector);
        solveInPlace(near.factors, byClasses);
        vector.set(byFeature(shape, byClasses));
      },
      tolerance: near.tolerance,
      iterationsMax: 400,
    },
    near.weights,
  ).at;
}

/** n · K probabilities. */
export function probabilitiesOf(problem: FloatProblem, weights: Float64Array): Float64Array {
  const { classes, examples } = problem.set.shape;
  const all = new Float64Array(examples * classes);
  for (let example = 0; example < examples; example++)
    predict(problem, weights, { example, out: all.subarray(example * classes, (example + 1) * classes) });
  return all;
}

/** Probabilities of any example of a set. Weights are laid out by feature. */
export function probabilitiesAt(
  shape: Shape,
  weights: Float64Array,
  { features, offsets }: ModelInput,
): Float64Array {
  const out = new Float64Array(shape.classes);
  begin(out, offsets);
  for (let j = 0; j < shape.features; j++) {
    const value = (features[j] ?? 0) / FEATURE_ONE;
    if (value === 0) continue;
    for (let k = 0; k < shape.classes; k++)
      out[k] = (out[k] ?? 0) + value * (weights[j * shape.classes + k] ?? 0);
  }
  toProbabilities(out);
  return out;
}

/** −log of the label's probability, for each example of a set. */
export function lossesOn(test: TrainingSet, weights: Float64Array, count: number): Float64Array {
  return Float64Array.from({ length: count }, (_, t) => {
    const p = probabilitiesAt(test.shape, weights, inputOf(test, t));
    return -Math.log(Math.max(1e-300, p[test.labels[t] ?? 0] ?? 0));
  });
}

/** Scores s · g_i of all examples, for the loss of one test example: H s = g, all in float64. */
export function floatScores(
  problem: FloatProblem,
  at: { readonly probabilities: Float64Array; readonly factors: Factors },
  query: { readonly probabilities: Float64Array; readonly features: Uint8Array; readonly label: number },
): Float64Array {
  const { rows, set } = problem;
  const { classes, features, examples } = set.shape;
  const s = new Float64Array(classes * features);
  for (let k = 0; k < classes; k++) {
    const delta = (query.probabilities[k] ?? 0) - (k === query.label ? 1 : 0);
    for (let j = 0; j < features; j++) s[k * features + j] = (delta * (query.features[j] ?? 0)) / FEATURE_ONE;
  }
  solveInPlace(at.factors, s);
  const laid = byFeature(set.shape, s);
  const scores = new Float64Array(examples);
  for (let i = 0; i < examples; i++) {
    const end = rows.starts[i + 1] ?? 0;
    let score = 0;
    for (let k = 0; k < classes; k++) {
      const delta = (at.probabilities[i * classes + k] ?? 0) - (k === set.labels[i] ? 1 : 0);
      if (delta === 0) continue;
      let response = 0;
      for (let place = rows.starts[i] ?? 0; place < end; place++)
        response += (rows.values[place] ?? 0) * (laid[(rows.columns[place] ?? 0) * classes + k] ?? 0);
      score += (delta * response) / FEATURE_ONE;
    }
    scores[i] = score;
  }
  return scores;
}
