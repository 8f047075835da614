/** What examples or contributions are worth, by contribution, contributor and Datanet, as exact integers. */

/** Who a contribution is of. */
export interface ContributionSource {
  readonly contributor: string;
  readonly datanetId: bigint;
}

/** A sum of values. */
export interface ValueSum {
  readonly name: string;
  /** In the units of the values. */
  readonly value: bigint;
}

/** Sums by contribution; by contributor and Datanet where it is known who they are. */
export interface ValueSums {
  readonly contributions: readonly ValueSum[];
  readonly contributors: readonly ValueSum[];
  readonly datanets: readonly ValueSum[];
}

/**
 * Adds values up. Each list is by falling value, then by name as it first came. The sum of each is the sum of
 * all values, but for contributions whose source is not known.
 * @param values whole numbers: KNN-Shapley values of examples, weights of contributions
 * @param contributions whose each is
 */
export function valueSums(
  values: ArrayLike<number>,
  contributions: readonly bigint[],
  sourceOf: (contributionId: bigint) => ContributionSource | undefined,
): ValueSums {
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
