/** What training, certificates and queries cost: processor time, in ms. */
import { certify } from '../../../attest/influence/certificate.ts';
import { hessianOf } from '../../../attest/influence/hessian.ts';
import { inverseOf } from '../../../attest/influence/linear-algebra.ts';
import {
  claimOf,
  type Influence,
  influenceOf,
  type Influencer,
  queryOf,
} from '../../../attest/influence/query.ts';
import { trainHead } from '../../../attest/influence/train.ts';
import { inputOf, type TrainingSet, trainingSet } from '../../../attest/influence/training-set.ts';
import { encodeClaim } from '../../../modules/attribution/proof/influence/claim.ts';
import { LAMBDA_BITS } from '../../../modules/attribution/proof/influence/bounds.ts';
import { CLASSES, type Digits, randomFrom, splitDigits } from './digits.ts';

export interface CostOptions {
  readonly side: number;
  readonly lambda: number;
  readonly seed: number;
  readonly train: number;
  readonly test: number;
  readonly queries: number;
}

export interface CostRow {
  readonly side: number;
  readonly lambda: number;
  readonly seed: number;
  readonly trainMs: number;
  readonly hessianMs: number;
  readonly inverseMs: number;
  readonly cardMs: number;
  /** A query with the inverse: mean and 99 of 100. */
  readonly queryMs: number;
  readonly queryMs99: number;
  /** With the factors alone. */
  readonly solveMs: number;
  readonly claimMs: number;
  readonly claimBytes: number;
}

const CLAIMS = 5;

export function measureCosts(digits: Digits, options: CostOptions): CostRow {
  const { side, lambda, seed, queries } = options;
  const split = splitDigits(digits, { ...options, random: randomFrom(seed) });
  const set = trainingSet(split.train, CLASSES);
  const test = trainingSet(split.test, CLASSES);
  const [head, trainMs] = timed(() => trainHead(set, { lambda: Math.round(lambda * 2 ** LAMBDA_BITS) }));
  const [factors, hessianMs] = timed(() => hessianOf(head));
  const [inverse, inverseMs] = timed(() => inverseOf(factors));
  const extractor = new Uint8Array(32);
  const [card, cardMs] = timed(() => certify(head, { datanetId: 1n, snapshotCount: 2n ** 20n, extractor }));
  const fast = { head, factors, inverse };
  const times = queryTimes(fast, test, queries);
  const slow = queryTimes({ head, factors }, test, queries);
  const influences = Array.from({ length: CLAIMS }, (_, t) => ask(fast, test, t));
  const [claims, claimMs] = timed(() => influences.map((influence) => claimOf(fast, card, influence)));
  return {
    ...{ side, lambda, seed, trainMs, hessianMs, inverseMs, cardMs },
    queryMs: times.reduce((a, b) => a + b, 0) / queries,
    queryMs99: times.toSorted((a, b) => a - b)[Math.floor(0.99 * queries)] ?? 0,
    solveMs: slow.reduce((a, b) => a + b, 0) / queries,
    claimMs: claimMs / CLAIMS,
    claimBytes: Math.max(...claims.map(({ claim }) => encodeClaim(claim).length)),
  };
}

function ask(influencer: Influencer, test: TrainingSet, t: number): Influence {
  return influenceOf(influencer, queryOf(influencer.head, inputOf(test, t), test.labels[t] ?? 0));
}

function queryTimes(influencer: Influencer, test: TrainingSet, count: number): number[] {
  ask(influencer, test, 0);
  return Array.from({ length: count }, (_, t) => timed(() => ask(influencer, test, t))[1]);
}

function timed<T>(work: () => T): readonly [result: T, ms: number] {
  const start = process.cpuUsage();
  const result = work();
  const { user, system } = process.cpuUsage(start);
  return [result, (user + system) / 1_000];
}
