/**
 * A small network with one hidden layer, as anybody would write it: plain float64, trained by gradient
 * descent, then frozen. What an adapter of it is given: its logits, and its hidden features through a frozen
 * random matrix A (LoRA with frozen A, Zhang et al. 2023). An adapter of weights W is then the network whose
 * last layer V is V + B A, to first order in B and, since the last layer is linear, to every order.
 */
import { OFFSET_BITS } from '../../../modules/attribution/proof/influence/bounds.ts';

export type Vector = readonly number[];
export type Matrix = readonly Vector[];

/** Inputs with their classes. */
export interface Sample {
  readonly x: Vector;
  readonly label: number;
}

/** Logits are V relu(U x + c) + d. */
export interface Network {
  readonly u: Matrix;
  readonly c: Vector;
  readonly v: Matrix;
  readonly d: Vector;
}

export function product(matrix: Matrix, vector: Vector): number[] {
  return matrix.map((row) => row.reduce((sum, value, j) => sum + value * (vector[j] ?? 0), 0));
}

export function plus(a: Vector, b: Vector, scale = 1): number[] {
  return a.map((value, i) => value + scale * (b[i] ?? 0));
}

export function softmax(logits: Vector): number[] {
  const most = Math.max(...logits);
  const powers = logits.map((z) => Math.exp(z - most));
  const sum = powers.reduce((all, value) => all + value, 0);
  return powers.map((value) => value / sum);
}

export function hiddenOf({ u, c }: Network, x: Vector): number[] {
  return plus(product(u, x), c).map((value) => Math.max(0, value));
}

export function logitsOf(network: Network, x: Vector): number[] {
  return plus(product(network.v, hiddenOf(network, x)), network.d);
}

/** A matrix of numbers from −scale to scale. */
export function randomMatrix(random: () => number, rows: number, columns: number): number[][] {
  return Array.from({ length: rows }, () => Array.from({ length: columns }, () => 2 * random() - 1));
}

/** Part of the samples whose class has the greatest logit. */
export function accuracy(samples: readonly Sample[], logits: (x: Vector) => Vector): number {
  const right = samples.filter(({ x, label }) => {
    const z = logits(x);
    return Math.max(...z) === z[label];
  });
  return right.length / samples.length;
}

const HIDDEN = 16;
const ROUNDS = 60;
const RATE = 0.3;

/** Trains a network by full gradient descent on the mean log loss. */
export function trainNetwork(samples: readonly Sample[], classes: number, random: () => number): Network {
  const width = samples[0]?.x.length ?? 0;
  let network: Network = {
    u: randomMatrix(random, HIDDEN, width),
    c: Array.from({ length: HIDDEN }, () => 0.1),
    v: randomMatrix(random, classes, HIDDEN).map((row) => row.map((value) => value / 4)),
    d: Array.from({ length: classes }, () => 0),
  };
  for (let round = 0; round < ROUNDS; round++) network = descend(network, samples);
  return network;
}

function descend(network: Network, samples: readonly Sample[]): Network {
  const [u, v] = [network.u.map((row) => [...row]), network.v.map((row) => [...row])];
  const [c, d] = [[...network.c], [...network.d]];
  const add = (to: number[] | undefined, from: Vector, scale: number): void => {
    if (to !== undefined) for (let j = 0; j < to.length; j++) to[j] = (to[j] ?? 0) + scale * (from[j] ?? 0);
  };
  const rate = -RATE / samples.length;
  for (const { x, label } of samples) {
    const hidden = hiddenOf(network, x);
    const residual = softmax(plus(product(network.v, hidden), network.d));
    residual[label] = (residual[label] ?? 0) - 1;
    const back = hidden.map((value, h) =>
      value > 0 ? residual.reduce((sum, r, k) => sum + r * (network.v[k]?.[h] ?? 0), 0) : 0,
    );
    for (const [k, r] of residual.entries()) add(v[k], hidden, rate * r);
    for (const [h, b] of back.entries()) add(u[h], x, rate * b);
    add(d, residual, rate);
    add(c, back, rate);
  }
  return { u, c, v, d };
}

/** What makes inputs of an adapter: the frozen network, A, and how A h becomes bytes. */
export interface Frozen {
  readonly network: Network;
  readonly a: Matrix;
  /** A byte is 128 + scale · (A h), rounded. */
  readonly scale: number;
}

/** Freezes a network with a random A of so many rows; the samples say how large A h gets. */
export function freeze(
  network: Network,
  {
    rows,
    samples,
    random,
  }: { readonly rows: number; readonly samples: readonly Sample[]; readonly random: () => number },
): Frozen {
  const a = randomMatrix(random, rows, HIDDEN);
  const sizes = samples.flatMap(({ x }) => product(a, hiddenOf(network, x)).map(Math.abs));
  return { network, a, scale: 120 / Math.max(...sizes) };
}

/** Features without the constant one, and offsets in units of 2^-24. */
export function inputsOf(
  { network, a, scale }: Frozen,
  x: Vector,
): {
  readonly features: Vector;
  readonly offsets: Vector;
} {
  const hidden = hiddenOf(network, x);
  const byte = (value: number): number => Math.min(255, Math.max(0, Math.round(128 + scale * value)));
  const logits = plus(product(network.v, hidden), network.d);
  return {
    features: product(a, hidden).map(byte),
    offsets: logits.map((z) => Math.round(z * 2 ** OFFSET_BITS)),
  };
}
