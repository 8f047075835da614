/** KNN-Shapley values by contribution, contributor and Datanet, as exact integers. */
import { SHAPLEY_ONE } from './knn-shapley.ts';

/** Who a contribution is of. */
export interface ContributionSource {
  readonly contributor: string;
  readonly datanetId: bigint;
}

/** A sum of values. */
export interface ValueSum {
  readonly name: string;
  /** Units of 2^-40, over all test examples. */
  readonly value: bigint;
}

/** Sums by contribution; by contributor and Datanet where it is known who they are. */
export interface ShapleyReport {
  readonly contributions: readonly ValueSum[];
  readonly contributors: readonly ValueSum[];
  readonly datanets: readonly ValueSum[];
}

/**
 * Adds values up. Each list is by falling value, then by name as it first came. The sum of each is the sum of
 * all values, but for contributions whose source is not known.
 * @param values of the examples, units of 2^-40: whole numbers
 * @param contributions whose example each is
 */
export function shapleyReport(
  values: Float64Array,
  contributions: readonly bigint[],
  sourceOf: (contributionId: bigint) => ContributionSource | undefined,
): ShapleyReport {
  const sums = { contributions: new Sums(), contributors: new Sums(), datanets: new Sums() };
  for (const [i, id] of contributions.entries()) {
    const value = BigInt(values[i] ?? 0);
    sums.contributions.add(`${id}`, value);
    const source = sourceOf(id);
    if (source === undefined) continue;
    sums.contributors.add(source.contributor, value);
    sums.datanets.add(`${source.datanetId}`, value);
  }
  return {
    contributions: sums.contributions.list(),
    contributors: sums.contributors.list(),
    datanets: sums.datanets.list(),
  };
}

class Sums {
  readonly #sums = new Map<string, bigint>();

  add(name: string, value: bigint): void {
    this.#sums.set(name, (this.#sums.get(name) ?? 0n) + value);
  }

  list(): readonly ValueSum[] {
    return [...this.#sums]
      .map(([name, value]) => ({ name, value }))
      .sort((a, b) => (a.value > b.value ? -1 : a.value < b.value ? 1 : 0));
  }
}

/** What a value adds to the accuracy on so many test examples: for people. */
export function accuracyOf(value: bigint, tests: number): number {
  return Number(value) / SHAPLEY_ONE / tests;
}
