/**
 * What the chain has checked by an answer: the leaves of a run, and all nodes that can be told from them and
 * from the hashes of their opening.
 */
import { innerHash, leafHash } from '../../core/merkle.ts';

/** Leaves of a run with the hashes of its opening. */
export interface OpenedRun {
  readonly first: number;
  readonly leaves: readonly Uint8Array[];
  readonly hashes: readonly Uint8Array[];
}

/** Takes the hash of a node of a tree that is built from the leaves upwards, a lone last one promoted. */
type TakeNode = (level: number, index: number, hash: Uint8Array) => void;

/**
 * Tells the nodes within a run, beside the way from it to the root of a tree of so many leaves, and on it.
 * Hashes of an opening stand from left to right: first those to the left, from the root down, then those to
 * the right, from the run up.
 */
export function nodesOfRun(total: number, { first, leaves, hashes }: OpenedRun, take: TakeNode): void {
  let left = 0;
  for (let at = first; at > 0; at = Math.floor(at / 2)) left += at % 2;
  let right = left;
  let nodes: readonly Uint8Array[] = leaves.map(leafHash);
  let at = first;
  let size = total;
  for (let level = 0; ; level++) {
    for (const [i, hash] of nodes.entries()) take(level, at + i, hash);
    if (size === 1) return;
    const [only] = nodes;
    if (nodes.length === 1 && only !== undefined) {
      const isRight = at % 2 === 1;
      if (isRight || at < size - 1) {
        const sibling = isRight ? hashes[--left] : hashes[right++];
        if (sibling === undefined) return;
        take(level, isRight ? at - 1 : at + 1, sibling);
        nodes = [isRight ? innerHash(sibling, only) : innerHash(only, sibling)];
      }
    } else nodes = parentsOf(nodes);
    at = Math.floor(at / 2);
    size = Math.ceil(size / 2);
  }
}

function parentsOf(nodes: readonly Uint8Array[]): readonly Uint8Array[] {
  return nodes.flatMap((node, i) => {
    const next = nodes[i + 1];
    if (i % 2 === 1) return [];
    return [next === undefined ? node : innerHash(node, next)];
  });
}
