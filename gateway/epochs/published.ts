/** An epoch with all that its commitment is a commitment to, as a gateway serves it: right or wrong. */
import { LedgerError } from '../../core/errors.ts';
import { leavesOfRun, type Run } from '../../core/leaf-run.ts';
import type { SumTreeKind } from '../../modules/settlement/proof/kinds.ts';
import { leavesBelow, nodeBytes, splitPoint, writeSumNode } from '../../modules/settlement/proof/sum-tree.ts';
import type {
  EpochCommitment,
  EpochOpening,
  SumNode,
  SumTree,
} from '../../proto/gen/openledger/settlement/v1/epoch.ts';

/** A tree with its leaves and nodes. */
export interface PublishedTree {
  readonly of: SumTreeKind;
  readonly tree: SumTree;
  readonly leaf: (index: number) => Uint8Array;
  /** Built from the leaves upwards, a lone last node promoted. Level 0: hashes and sums of leaves. */
  readonly node: (level: number, index: number) => SumNode;
}

/** See the file comment. */
export interface PublishedEpoch {
  readonly commitment: EpochCommitment;
  readonly receipts: PublishedTree;
  readonly allocations: PublishedTree;
  readonly entitlements: PublishedTree;
  /** The attribution with this SHA-256; undefined when it is not served. */
  readonly attribution: (hash: Uint8Array) => Uint8Array | undefined;
}

/** What is served is not what was committed to. It convicts nobody: ask for it on the chain. */
export class NotServedError extends LedgerError {
  constructor(what: string, facts: Readonly<Record<string, unknown>>) {
    super('epochs.not_served', `the gateway does not serve ${what} as it committed to it`, facts);
    this.name = 'NotServedError';
  }
}

/** Level of the node over `count` leaves. */
export function levelOver(count: number): number {
  return count <= 1 ? 0 : 32 - Math.clz32(count - 1);
}

/** A node with the sums that are stated for it: the top one's by the commitment. */
export function statedNode({ tree, node }: PublishedTree, level: number, index: number): SumNode {
  const served = node(level, index);
  return level === levelOver(tree.leaves) ? { ...served, sums: tree.sums } : served;
}

/** Opens leaves, which are in rising order and in the tree. */
export function openLeaves(tree: PublishedTree, indices: readonly number[]): EpochOpening {
  const ranges = indices.map((index) => ({ from: index, to: index + 1 }));
  return { leaves: indices.map((index) => tree.leaf(index).slice()), siblings: siblingsOf(tree, ranges) };
}

/** Opens the neighbouring leaves of a run: what answers for it. */
export function openRun(tree: PublishedTree, { first: from, end: to }: Run): EpochOpening {
  const leaves = leavesOfRun({ first: from, end: to }).map((index) => tree.leaf(index).slice());
  return { leaves, siblings: siblingsOf(tree, [{ from, to }]) };
}

/** What leads from a node to the root. */
export function openNode(tree: PublishedTree, level: number, index: number): EpochOpening {
  const range = leavesBelow(tree.tree.leaves, { level, index });
  return { leaves: [], siblings: siblingsOf(tree, range === undefined ? [] : [range]) };
}

function siblingsOf(
  { of, tree, node }: PublishedTree,
  opened: readonly { readonly from: number; readonly to: number }[],
): Uint8Array {
  const siblings: SumNode[] = [];
  const walk = (from: number, to: number): void => {
    const inside = opened.filter((range) => range.from < to && range.to > from);
    if (inside.length === 0) {
      const level = levelOver(to - from);
      siblings.push(node(level, Math.floor(from / 2 ** level)));
      return;
    }
    if (inside.some((range) => range.from <= from && range.to >= to)) return;
    const middle = from + splitPoint(to - from);
    walk(from, middle);
    walk(middle, to);
  };
  walk(0, tree.leaves);
  const width = nodeBytes(of);
  const bytes = new Uint8Array(siblings.length * width);
  for (const [i, sibling] of siblings.entries()) writeSumNode(sibling, bytes, i * width);
  return bytes;
}
