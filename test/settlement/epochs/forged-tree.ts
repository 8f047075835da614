/**
 * Trees as a liar builds them: any leaves, any sums stated for a node. A second, plain implementation of the
 * format: without a lie it must give what gateway/epochs/sum-tree.ts gives.
 */
import { concatBytes, uint64BigEndian } from '../../../core/bytes.ts';
import { sha256 } from '../../../core/hash.ts';
import type { PublishedTree } from '../../../gateway/epochs/published.ts';
import type { SumTreeKind } from '../../../modules/settlement/proof/kinds.ts';
import { sumsOfLeaf } from '../../../modules/settlement/proof/leaves.ts';
import type { SumNode } from '../../../proto/gen/openledger/settlement/v1/epoch.ts';

/** Sums that are stated for a node in place of the right ones, and perhaps another hash. */
export interface ForgedSums {
  readonly level: number;
  readonly index: number;
  readonly sums: readonly bigint[];
  readonly hash?: Uint8Array;
}

const U64 = 1n << 64n;

function bytesOf({ hash, sums }: SumNode): Uint8Array {
  return concatBytes(hash, ...sums.map((sum) => uint64BigEndian(sum)));
}

export function forgedTree(
  of: SumTreeKind,
  leaves: readonly Uint8Array[],
  forged: readonly ForgedSums[] = [],
): PublishedTree {
  const zeros = new Array<bigint>(of.columns).fill(0n);
  const lied = (nodes: readonly SumNode[], level: number): SumNode[] =>
    nodes.map((node, index) => {
      const lie = forged.find((one) => one.level === level && one.index === index);
      return lie === undefined ? node : { hash: lie.hash ?? node.hash, sums: lie.sums };
    });
  const bottom = leaves.map((leaf) => ({
    hash: sha256(concatBytes(Uint8Array.of(0), leaf)),
    sums: sumsOfLeaf(of, leaf) ?? zeros,
  }));
  const levels = [lied(bottom, 0)];
  for (let below = levels[0] ?? []; below.length > 1; below = levels.at(-1) ?? []) {
    const above: SumNode[] = [];
    for (let i = 0; i < below.length; i += 2) {
      const [left, right] = [below[i], below[i + 1]];
      if (left === undefined) continue;
      above.push(right === undefined ? left : parentOf(of, left, right));
    }
    levels.push(lied(above, levels.length));
  }
  const top = levels.at(-1)?.[0];
  const root = top?.hash ?? new Uint8Array(0);
  return {
    of,
    tree: { root, leaves: leaves.length, sums: top?.sums ?? [] },
    leaf: (index) => leaves[index] ?? new Uint8Array(0),
    node: (level, index) => levels[level]?.[index] ?? { hash: new Uint8Array(32), sums: zeros },
  };
}

function parentOf({ kind }: SumTreeKind, left: SumNode, right: SumNode): SumNode {
  return {
    hash: sha256(concatBytes(Uint8Array.of(1, kind), bytesOf(left), bytesOf(right))),
    sums: left.sums.map((sum, i) => (sum + (right.sums[i] ?? 0n)) % U64),
  };
}

/** All leaves of a tree. */
export function leavesOf(tree: PublishedTree): readonly Uint8Array[] {
  return Array.from({ length: tree.tree.leaves }, (_, i) => tree.leaf(i).slice());
}
