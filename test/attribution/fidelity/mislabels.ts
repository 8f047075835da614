/** How well values tell flipped labels from right ones: area under the ROC curve. */
import { hessianOf } from '../../../attest/influence/hessian.ts';
import { knnShapley } from '../../../attest/influence/knn-shapley.ts';
import type { Factors } from '../../../attest/influence/linear-algebra.ts';
import { type TrainedHead, trainHead } from '../../../attest/influence/train.ts';
import { trainingSet } from '../../../attest/influence/training-set.ts';
import { LAMBDA_BITS } from '../../../modules/attribution/proof/influence/bounds.ts';
import { CLASSES, type Digits, randomFrom, shuffled, splitDigits } from './digits.ts';
import { areaUnderCurve } from './statistics.ts';

export interface MislabelOptions {
  readonly side: number;
  readonly lambda: number;
  readonly seed: number;
  readonly train: number;
  readonly test: number;
  /** Part of the labels that are flipped. */
  readonly flips: number;
}

export interface MislabelRow {
  readonly side: number;
  readonly lambda: number;
  readonly seed: number;
  readonly flips: number;
  readonly knnShapley: number;
  readonly selfInfluence: number;
  /** 1 − probability of the label: what the residual says. */
  readonly residual: number;
  /** Processor time of all KNN-Shapley values. */
  readonly knnMs: number;
}

export function measureMislabels(digits: Digits, options: MislabelOptions): MislabelRow {
  const { side, seed, flips } = options;
  const random = randomFrom(seed);
  const split = splitDigits(digits, { ...options, random });
  const flipped = new Set(shuffled(options.train, random).slice(0, Math.round(flips * options.train)));
  const examples = split.train.map((example, i) =>
    flipped.has(i)
      ? { ...example, label: (example.label + 1 + Math.floor(random() * (CLASSES - 1))) % CLASSES }
      : example,
  );
  const set = trainingSet(examples, CLASSES);
  const head = trainHead(set, { lambda: Math.round(options.lambda * 2 ** LAMBDA_BITS) });
  const start = process.cpuUsage();
  const values = knnShapley(set, trainingSet(split.test, CLASSES));
  const { user, system } = process.cpuUsage(start);
  const marked = (i: number): boolean => flipped.has(i);
  return {
    side,
    lambda: options.lambda,
    seed,
    flips,
    knnShapley: 1 - areaUnderCurve(values, marked),
    selfInfluence: areaUnderCurve(selfInfluence(head, hessianOf(head)), marked),
    residual: areaUnderCurve(
      Array.from(set.labels, (label, i) => -(head.pass.residuals[i * CLASSES + label] ?? 0)),
      marked,
    ),
    knnMs: (user + system) / 1_000,
  };
}

const TOGETHER = 8;

/** gᵀ H⁻¹ g of every example: with H = L D Lᵀ it is Σ u² / D for L u = g. Eight examples at a time. */
function selfInfluence({ set, pass }: TrainedHead, { size, values }: Factors): Float64Array {
  const { classes, features, examples } = set.shape;
  const out = new Float64Array(examples);
  const u = new Float64Array(size * TOGETHER);
  for (let first = 0; first < examples; first += TOGETHER) {
    for (let c = 0; c < size; c++) {
      const k = Math.floor(c / features);
      for (let r = 0; r < TOGETHER; r++) {
        const i = Math.min(examples - 1, first + r);
        const x = set.features[i * features + c - k * features] ?? 0;
        u[c * TOGETHER + r] = (pass.residuals[i * classes + k] ?? 0) * x;
      }
    }
    for (let c = 0; c < size; c++) {
      eliminate(values.subarray(c * size, c * size + c), u, c);
      for (let r = 0; r < TOGETHER && first + r < examples; r++)
        out[first + r] =
          (out[first + r] ?? 0) + (u[c * TOGETHER + r] ?? 0) ** 2 / (values[c * size + c] ?? 1);
    }
  }
  return out;
}

/** u_c −= Σ L_ck u_k, for eight right-hand sides. */
function eliminate(row: Float64Array, u: Float64Array, c: number): void {
  const sums = new Float64Array(TOGETHER);
  for (let k = 0; k < row.length; k++) {
    const l = row[k] ?? 0;
    if (l === 0) continue;
    const at = k * TOGETHER;
    for (let r = 0; r < TOGETHER; r++) sums[r] = (sums[r] ?? 0) + l * (u[at + r] ?? 0);
  }
  for (let r = 0; r < TOGETHER; r++) u[c * TOGETHER + r] = (u[c * TOGETHER + r] ?? 0) - (sums[r] ?? 0);
}
