/** Where two trees differ first, from the roots down: two nodes are read for each level. */
import { equalBytes } from '../../core/bytes.ts';

/** Hash of the node at a level; level 0 are the leaves. */
type ReadNode = (level: number, index: number) => Uint8Array;

/** A tree that should be another one. */
export interface TreePair {
  /** Leaves of the tree that is looked through. */
  readonly leaves: number;
  /**
   * The first so many leaves may be compared by nodes: all, when both trees have as many. In trees of
   * different sizes a node is the same as long as all leaves below it are in both.
   */
  readonly comparable: number;
  readonly right: ReadNode;
  readonly wrong: ReadNode;
  /** Whether a leaf that is not comparable differs. */
  readonly differs: (index: number) => boolean;
}

/** Index of the first leaf that differs; undefined when none does. */
export function firstDifferingLeaf(pair: TreePair): number | undefined {
  const { leaves, comparable, right, wrong, differs } = pair;
  const all = comparable === leaves;
  const descend = (level: number, index: number): number | undefined => {
    const from = index * 2 ** level;
    if (from >= leaves) return undefined;
    if (all || from + 2 ** level <= comparable) {
      if (equalBytes(right(level, index), wrong(level, index))) return undefined;
      if (level === 0) return index;
    } else if (level === 0) return differs(index) ? index : undefined;
    return descend(level - 1, 2 * index) ?? descend(level - 1, 2 * index + 1);
  };
  let top = 0;
  while (2 ** top < leaves) top++;
  return descend(top, 0);
}
