/** Counts the rounds that heights take: what progress is bounded by, whatever a round takes in time. */

/** The highest round of each height in which somebody honest has signed. */
export class Rounds {
  readonly #highest = new Map<bigint, number>();

  signed({ height, round }: { readonly height: bigint; readonly round: number }): void {
    this.#highest.set(height, Math.max(round, this.#highest.get(height) ?? 0));
  }

  /** Begins to count: rounds of heights up to the goal that nobody honest has signed in yet. */
  countUpTo(goal: bigint): () => number {
    const before = new Map(this.#highest);
    return () => {
      let count = 0;
      for (const [height, round] of this.#highest) {
        if (height <= goal) count += round - (before.get(height) ?? -1);
      }
      return count;
    };
  }
}
