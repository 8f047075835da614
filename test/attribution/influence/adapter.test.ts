/**
 * A linearised adapter is what it is called: on a frozen network its logits are those of the network's
 * linearisation, it learns what the network lacks, and its influence tells what each example did.
 */
import { expect, test } from 'vitest';
import { certify } from '../../../attest/influence/certificate.ts';
import { findCardFraud } from '../../../attest/influence/convict-card.ts';
import { findClaimFraud } from '../../../attest/influence/convict-claim.ts';
import { byClass, hessianOf } from '../../../attest/influence/hessian.ts';
import { claimOf, influenceOf, type Influencer, queryOf } from '../../../attest/influence/query.ts';
import { removeContributions } from '../../../attest/influence/remove.ts';
import { headOf, trainHead, type TrainedHead } from '../../../attest/influence/train.ts';
import {
  type Example,
  inputOf,
  trainingSet,
  type TrainingSet,
} from '../../../attest/influence/training-set.ts';
import { randomFrom, shuffled } from '../fidelity/digits.ts';
import { areaUnderCurve, mean, pearson } from '../fidelity/statistics.ts';
import {
  accuracy,
  freeze,
  hiddenOf,
  inputsOf,
  logitsOf,
  type Network,
  plus,
  product,
  randomMatrix,
  type Sample,
  trainNetwork,
  type Vector,
} from './base-model.ts';
import {
  plainLoss,
  plainMinimum,
  plainScores,
  type PlainExample,
  type PlainProblem,
} from './plain-adapter.ts';
import { certificateOf, chain } from './world.ts';

const CLASSES = 3;
const WIDTH = 6;
const ROWS = 12;
const TRAIN = 240;
const TEST = 400;
const LAMBDA = 2 ** 14;
const FLIPPED = 24;

const random = randomFrom(81);
const means = randomMatrix(random, CLASSES, WIDTH);
/** Half way to the next class, and a little elsewhere. */
const moved = randomMatrix(random, CLASSES, WIDTH).map((elsewhere, k) => {
  const way = plus(means[k] ?? [], means[(k + 1) % CLASSES] ?? [], 1).map((value) => value / 2);
  return plus(way, elsewhere, 1.2);
});

/** Points around the means of their classes. */
function samplesOf(centres: readonly Vector[], count: number): Sample[] {
  return Array.from({ length: count }, (_, i) => {
    const label = i % CLASSES;
    const noise = Array.from({ length: WIDTH }, () => 0.8 * (random() + random() - 1));
    return { x: plus(centres[label] ?? [], noise), label };
  });
}

const network = trainNetwork(samplesOf(means, 300), CLASSES, random);
const shifted = samplesOf(moved, TRAIN);
const unseen = samplesOf(moved, TEST);
const frozen = freeze(network, { rows: ROWS, samples: shifted, random });

function examplesOf(samples: readonly Sample[], label = (_: number, own: number): number => own): Example[] {
  return samples.map((sample, i) => ({
    ...inputsOf(frozen, sample.x),
    label: label(i, sample.label),
    contributionId: BigInt(1 + i),
  }));
}

const trained: TrainedHead = trainHead(trainingSet(examplesOf(shifted), CLASSES), { lambda: LAMBDA });
const asked: TrainingSet = trainingSet(examplesOf(unseen), CLASSES);

/** Logits of a model on an input, as numbers. */
function answer(model: TrainedHead, x: Vector): number[] {
  const { features, offsets } = inputsOf(frozen, x);
  const input = { features: Uint8Array.from([...features, 255]), offsets };
  return Array.from(queryOf(model, input, 0).logits, (z) => z / 2 ** 28);
}

/** B and what is added to d: the adapter as a change of the network's last layer. */
function changeOf({ set, weights }: TrainedHead): { readonly v: Vector[]; readonly d: number[] } {
  const rows = byClass(set.shape, weights);
  const w = (k: number): number[] =>
    Array.from(rows.subarray(k * (ROWS + 1), (k + 1) * (ROWS + 1)), (value) => value / 2 ** 28);
  const b = Array.from({ length: CLASSES }, (_, k) =>
    w(k)
      .slice(0, ROWS)
      .map((value) => value * frozen.scale),
  );
  const a = Array.from({ length: frozen.a[0]?.length ?? 0 }, (_, h) => frozen.a.map((row) => row[h] ?? 0));
  return {
    v: b.map((row) => product(a, row)),
    d: Array.from({ length: CLASSES }, (_, k) =>
      w(k).reduce((sum, value, j) => sum + value * (j === ROWS ? 255 : 128), 0),
    ),
  };
}

/** The network whose last layer is changed by t times this. */
function changed(by: ReturnType<typeof changeOf>, t: number): Network {
  return {
    ...network,
    v: network.v.map((row, k) => plus(row, by.v[k] ?? [], t)),
    d: plus(network.d, by.d, t),
  };
}

test('its logits are those of the linearised network, but for the rounding of features to bytes', () => {
  const by = changeOf(trained);
  const rows = byClass(trained.set.shape, trained.weights);
  for (const { x } of unseen.slice(0, 100)) {
    const [before, near] = [logitsOf(network, x), logitsOf(changed(by, 1e-4), x)];
    const slope = plus(near, before, -1).map((value) => value * 1e4);
    const linearised = plus(before, slope);
    const merged = logitsOf(changed(by, 1), x);
    const clipped = product(frozen.a, hiddenOf(network, x)).some(
      (value) => Math.abs(frozen.scale * value) > 127,
    );
    if (clipped) continue;
    for (const [k, z] of answer(trained, x).entries()) {
      const own = rows.subarray(k * (ROWS + 1), k * (ROWS + 1) + ROWS);
      const rounding = own.reduce((sum, value) => sum + Math.abs(value), 0) / 2 ** 29 + 2 ** -23;
      expect(Math.abs(z - (linearised[k] ?? 0))).toBeLessThan(rounding + 1e-6);
      expect(Math.abs(z - (merged[k] ?? 0))).toBeLessThan(rounding);
      expect(Math.abs(z - (before[k] ?? 0))).toBeGreaterThan(0);
    }
  }
});

test('an adapter without weights answers as its base, to the rounding of offsets', () => {
  const { set, rows } = trained;
  const untrained = headOf(set, rows, { lambda: LAMBDA, weights: trained.weights.map(() => 0) });
  for (const { x } of unseen.slice(0, 20))
    for (const [k, z] of answer(untrained, x).entries())
      expect(Math.abs(z - (logitsOf(network, x)[k] ?? 0))).toBeLessThanOrEqual(2 ** -25);
});

test('it learns what the frozen network lacks on data that moved', () => {
  const before = accuracy(unseen, (x) => logitsOf(network, x));
  const after = accuracy(unseen, (x) => answer(trained, x));
  expect(before).toBeLessThan(0.8);
  expect(after).toBeGreaterThan(before + 0.1);
});

/** The same problem for plain float64. */
function plainProblem(set: TrainingSet): PlainProblem {
  const examples = Array.from({ length: set.shape.examples }, (_, i) => plainExample(set, i));
  return { examples, classes: CLASSES, lambda: LAMBDA / 2 ** 24 };
}

function plainExample(set: TrainingSet, i: number): PlainExample {
  const { features, offsets } = inputOf(set, i);
  return {
    x: Array.from(features, (value) => value / 2 ** 8),
    offsets: Array.from(offsets, (value) => value / 2 ** 24),
    label: set.labels[i] ?? 0,
  };
}

const influencer: Influencer = { head: trained, factors: hessianOf(trained) };

function scoresFor(model: Influencer, t: number): number[] {
  const query = queryOf(model.head, inputOf(asked, t), asked.labels[t] ?? 0);
  const { scores, solutionBits } = influenceOf(model, query);
  return Array.from(scores, (score) => score / 2 ** (23 + solutionBits));
}

test('integers say what plain float64 says, of the optimum and of influence', () => {
  const problem = plainProblem(trained.set);
  const weights = plainMinimum(problem);
  const own = byClass(trained.set.shape, trained.weights);
  for (const [c, weight] of weights.entries())
    expect(Math.abs(weight - (own[c] ?? 0) / 2 ** 20)).toBeLessThan(2e-3);
  for (let t = 0; t < 10; t++) {
    const float = plainScores(problem, weights, plainExample(asked, t));
    const integer = scoresFor(influencer, t);
    expect(pearson(integer, float)).toBeGreaterThan(0.999999);
    const [i = 0] = float
      .map((_, at) => at)
      .sort((a, b) => Math.abs(float[b] ?? 0) - Math.abs(float[a] ?? 0));
    expect((integer[i] ?? 0) / (float[i] ?? 1)).toBeCloseTo(1, 1.7);
  }
});

test('a score tells what training without the example does to the loss of an answer', () => {
  const problem = plainProblem(trained.set);
  const weights = plainMinimum(problem);
  const queries = Array.from({ length: 10 }, (_, t) => plainExample(asked, t));
  const left = shuffled(TRAIN, randomFrom(5)).slice(0, 30);
  const changes = left.map((out) => {
    const others = { ...problem, examples: problem.examples.filter((_, i) => i !== out) };
    const without = plainMinimum(others, weights);
    return queries.map((query) => plainLoss(without, query) - plainLoss(weights, query));
  });
  const correlations = queries.map((_, t) => {
    const scores = scoresFor(influencer, t);
    return pearson(
      left.map((i) => scores[i] ?? 0),
      changes.map((change) => change[t] ?? 0),
    );
  });
  expect(mean(correlations)).toBeGreaterThan(0.99);
});

test('influence finds examples whose labels were planted wrong', () => {
  const flipped = new Set(shuffled(TRAIN, randomFrom(6)).slice(0, FLIPPED));
  const planted = examplesOf(shifted, (i, own) => (flipped.has(i) ? (own + 1 + (i % 2)) % CLASSES : own));
  const head = trainHead(trainingSet(planted, CLASSES), { lambda: LAMBDA });
  const misled = { head, factors: hessianOf(head) };
  const worth = Array.from({ length: TRAIN }, () => 0);
  for (let t = 0; t < 300; t++)
    for (const [i, score] of scoresFor(misled, t).entries()) worth[i] = (worth[i] ?? 0) + score;
  expect(1 - areaUnderCurve(worth, (i) => flipped.has(i))).toBeGreaterThan(0.9);
});

test('its card and claims are right, also after a Newton step without a contribution', () => {
  const served = certify(trained, certificateOf('adapter'));
  expect(findCardFraud(served, chain)).toBeUndefined();
  expect(served.card).toMatchObject({ kind: 'adapter', features: ROWS + 1, classes: CLASSES });
  const query = queryOf(trained, inputOf(asked, 3), 1);
  const claim = claimOf(influencer, served, influenceOf(influencer, query));
  expect(findClaimFraud({ card: served, claim })).toBeUndefined();
  const removed = new Set([3n, 40n, 100n]);
  const after = removeContributions(trained, removed);
  const again = trainHead(after.set, { lambda: LAMBDA, tolerance: 1e-8 });
  const distance = (a: Float64Array, b: Float64Array): number =>
    Math.sqrt(a.reduce((sum, value, c) => sum + (value - (b[c] ?? 0)) ** 2, 0));
  expect(distance(after.weights, again.weights)).toBeLessThan(0.1 * distance(trained.weights, again.weights));
  expect(findCardFraud(certify(after, certificateOf('adapter')), chain)).toBeUndefined();
});
