/**
 * Leaves of a tree, of shards and of epochs, are asked for on the chain in runs: neighbouring leaves, as many
 * as fit 16 KiB at their longest, a power of two from a multiple of it on. So a run is all that lies below
 * one node, and the way from it to the root is that of this node. The last run of a tree may be shorter.
 * docs/adr/0024.
 */

/** Bytes that the longest leaves of a run take at most: those of a section of a content. */
const RUN_BYTES: number = 2 ** 14;

/** Most leaves of a run, however short they are. */
const RUN_LEAVES_MAX: number = 2 ** 8;

/** Neighbouring leaves, from `first` to `end` (exclusive). */
export interface Run {
  readonly first: number;
  readonly end: number;
}

/** Leaves of a run of a tree whose longest leaf has so many bytes: a power of two, at least 1. */
export function runLeaves(leafBytesMax: number): number {
  let leaves = 1;
  while (2 * leaves <= RUN_LEAVES_MAX && 2 * leaves * leafBytesMax <= RUN_BYTES) leaves *= 2;
  return leaves;
}

/** The run that a leaf lies in. `size` is that of `runLeaves`, `leaves` how many the tree has. */
export function runAt(leaf: number, { size, leaves }: Readonly<Record<'size' | 'leaves', number>>): Run {
  const first = leaf - (leaf % size);
  return { first, end: Math.min(leaves, first + size) };
}

/** The leaves of a run, by their places. */
export function leavesOfRun({ first, end }: Run): readonly number[] {
  return Array.from({ length: end - first }, (_, i) => first + i);
}
