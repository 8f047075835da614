/**
 * A softmax over offsets + W x with a ridge, in plain float64 and by Newton's method: a second opinion that
 * shares no code with what trains, asks and certifies models.
 */
import { plus, product, softmax, type Vector } from './base-model.ts';

/** One example; features with the constant one. */
export interface PlainExample {
  readonly x: Vector;
  readonly offsets: Vector;
  readonly label: number;
}

export interface PlainProblem {
  readonly examples: readonly PlainExample[];
  readonly classes: number;
  readonly lambda: number;
}

/** Weights are K · F numbers, class by class. */
export type PlainWeights = Vector;

const STEPS_MAX = 60;

function probabilities(weights: PlainWeights, { x, offsets }: PlainExample): number[] {
  return softmax(
    offsets.map((b, k) => b + x.reduce((sum, value, j) => sum + value * (weights[k * x.length + j] ?? 0), 0)),
  );
}

/** −log of the label's probability. */
export function plainLoss(weights: PlainWeights, example: PlainExample): number {
  return -Math.log(probabilities(weights, example)[example.label] ?? 0);
}

/** (p − onehot) ⊗ x. */
export function plainGradient(weights: PlainWeights, example: PlainExample): number[] {
  return probabilities(weights, example).flatMap((p, k) =>
    example.x.map((value) => (p - (k === example.label ? 1 : 0)) * value),
  );
}

function meanGradient({ examples, lambda }: PlainProblem, weights: PlainWeights): number[] {
  const sum = examples.reduce<number[]>(
    (all, example) => plus(all, plainGradient(weights, example)),
    weights.map(() => 0),
  );
  return sum.map((value, c) => value / examples.length + lambda * (weights[c] ?? 0));
}

/** The Hessian of the mean loss. */
export function plainHessian({ examples, classes, lambda }: PlainProblem, weights: PlainWeights): number[][] {
  const hessian = weights.map((_, c) => weights.map((__, e) => (c === e ? lambda : 0)));
  for (const example of examples) {
    const { x } = example;
    const p = probabilities(weights, example);
    for (let k = 0; k < classes; k++)
      for (let l = 0; l < classes; l++) {
        const curve = ((p[k] ?? 0) * ((k === l ? 1 : 0) - (p[l] ?? 0))) / examples.length;
        addOuter(hessian, { x, curve, row: k * x.length, column: l * x.length });
      }
  }
  return hessian;
}

/** Adds curve · x xᵀ to the block that begins here. */
function addOuter(
  matrix: readonly number[][],
  at: { readonly x: Vector; readonly curve: number; readonly row: number; readonly column: number },
): void {
  const { x, curve, row, column } = at;
  for (let j = 0; j < x.length; j++) {
    const values = matrix[row + j] ?? [];
    const scaled = curve * (x[j] ?? 0);
    for (let m = 0; m < x.length; m++) values[column + m] = (values[column + m] ?? 0) + scaled * (x[m] ?? 0);
  }
}

/** Gaussian elimination with pivots. */
export function plainSolve(matrix: readonly Vector[], right: Vector): number[] {
  const rows = matrix.map((row, i) => [...row, right[i] ?? 0]);
  for (let c = 0; c < rows.length; c++) {
    const at = (i: number): number => Math.abs(rows[i]?.[c] ?? 0);
    let pivot = c;
    for (let i = c + 1; i < rows.length; i++) if (at(i) > at(pivot)) pivot = i;
    const held = rows[c] ?? [];
    const row = rows[pivot] ?? [];
    rows[pivot] = held;
    rows[c] = row;
    for (const [i, other] of rows.entries()) {
      if (i === c) continue;
      const factor = (other[c] ?? 0) / (row[c] ?? 1);
      for (let e = c; e < other.length; e++) other[e] = (other[e] ?? 0) - factor * (row[e] ?? 0);
    }
  }
  return rows.map((row, i) => (row.at(-1) ?? 0) / (row[i] ?? 1));
}

/** The mean loss with its ridge. */
function meanLoss({ examples, lambda }: PlainProblem, weights: PlainWeights): number {
  const ridge = weights.reduce((sum, weight) => sum + weight * weight, 0) * (lambda / 2);
  return examples.reduce((sum, example) => sum + plainLoss(weights, example), 0) / examples.length + ridge;
}

/** The weights of the least mean loss: Newton's steps, halved while the loss would rise. */
export function plainMinimum(problem: PlainProblem, start?: PlainWeights): PlainWeights {
  const width = problem.examples[0]?.x.length ?? 0;
  let weights = start ?? Array.from({ length: problem.classes * width }, () => 0);
  for (let step = 0; step < STEPS_MAX; step++) {
    const gradient = meanGradient(problem, weights);
    if (Math.max(...gradient.map(Math.abs)) < 1e-10) return weights;
    const direction = plainSolve(plainHessian(problem, weights), gradient);
    const before = meanLoss(problem, weights);
    let length = 1;
    while (length > 1e-6 && meanLoss(problem, plus(weights, direction, -length)) > before + 1e-14)
      length /= 2;
    weights = plus(weights, direction, -length);
  }
  throw new Error(`no minimum after ${STEPS_MAX} steps`);
}

/** What each example did to the loss of a query: gᵀ H⁻¹ g_i. */
export function plainScores(problem: PlainProblem, weights: PlainWeights, query: PlainExample): number[] {
  const solution = plainSolve(plainHessian(problem, weights), plainGradient(weights, query));
  return problem.examples.map((example) => product([plainGradient(weights, example)], solution)[0] ?? 0);
}
