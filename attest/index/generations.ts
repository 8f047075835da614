/**
 * Which shards index a Datanet of some length: neighbouring ones of sizes that are powers of two, largest
 * first, as the binary digits of the length say. One more document makes one new shard, of itself and the
 * smaller ones before it, so a document is indexed again some log2 times in all, and a snapshot has few
 * shards.
 */

/** Neighbouring positions of a Datanet's log. */
export interface PositionRange {
  readonly first: number;
  readonly documents: number;
}

/**
 * The shards of a Datanet of `count` documents, of which none has more than `documentsMax`, a power of two:
 * 13 are 8, 4 and 1.
 */
export function generationsOf(count: number, documentsMax: number): PositionRange[] {
  const ranges: PositionRange[] = [];
  let first = 0;
  for (let size = documentsMax; size >= 1; size /= 2) {
    for (; count - first >= size; first += size) ranges.push({ first, documents: size });
  }
  return ranges;
}

/**
 * A row of the given ranges from `first` to `end`, each as long as can be; undefined when they leave a hole.
 * Ranges lie in each other or beside each other, as generations do.
 */
export function coverOf<T extends PositionRange>(
  ranges: readonly T[],
  first: number,
  end: number,
): T[] | undefined {
  const row: T[] = [];
  for (let at = first; at < end; ) {
    const next = longestFrom(ranges, at, end);
    if (next === undefined) return undefined;
    row.push(next);
    at += next.documents;
  }
  return row;
}

/** The longest range that begins here and does not go beyond the end. */
export function longestFrom<T extends PositionRange>(
  ranges: readonly T[],
  first: number,
  end: number,
): T | undefined {
  let longest: T | undefined;
  for (const range of ranges) {
    if (range.first !== first || first + range.documents > end) continue;
    if (longest === undefined || range.documents > longest.documents) longest = range;
  }
  return longest;
}
