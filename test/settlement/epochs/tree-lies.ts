/** Lies about trees: sums, leaves and numbers of leaves that do not fit each other. */
import { sha256 } from '../../../core/hash.ts';
import type { PublishedEpoch } from '../../../gateway/epochs/published.ts';
import { leavesBelow, sumNodeInput } from '../../../modules/settlement/proof/sum-tree.ts';
import type { DeltaRow, EpochCommitment } from '../../../proto/gen/openledger/settlement/v1/epoch.ts';
import type { Dice } from './dice.ts';
import { forgedTree, type ForgedSums, leavesOf } from './forged-tree.ts';
import type { World } from './world.ts';

type Trees = Pick<PublishedEpoch, 'receipts' | 'allocations' | 'entitlements'>;

/** An epoch with other trees, and the commitment that follows from them. */
export function retold(
  epoch: PublishedEpoch,
  trees: Partial<Trees>,
  rows?: readonly DeltaRow[],
): PublishedEpoch {
  const changed = { ...epoch, ...trees };
  const commitment: EpochCommitment = {
    rows: rows ?? epoch.commitment.rows,
    receipts: changed.receipts.tree,
    allocations: changed.allocations.tree,
    entitlements: changed.entitlements.tree,
  };
  return { ...changed, commitment };
}

/** A tree of an epoch. */
export type TreeName = keyof Trees;

/** Sums moved between two neighbours: the totals stay what they were. */
export function forgedSums(
  world: World,
  dice: Dice,
  name: TreeName,
  lowest: number,
): PublishedEpoch | undefined {
  const tree = world.epoch[name];
  const { leaves } = tree.tree;
  if (leaves < 2) return undefined;
  const levels = 32 - Math.clz32(leaves - 1);
  const level = lowest === 0 ? 0 : dice.between(lowest, Math.max(lowest, levels - 1));
  const index = 2 * dice.below(Math.ceil(leaves / 2 ** level / 2));
  // A lone last node has no sibling, or is written lower only.
  if (level >= levels || leavesBelow(leaves, { level, index: index + 1 }) === undefined) return undefined;
  const [a, b] = [tree.node(level, index), tree.node(level, index + 1)];
  const column = dice.below(tree.of.columns);
  const most = a.sums[column] ?? 0n;
  if (most === 0n) return undefined;
  const by = 1n + BigInt(dice.below(Number(most)));
  const moved = (sums: readonly bigint[], change: bigint): bigint[] =>
    sums.map((sum, i) => (i === column ? sum + change : sum));
  const forged: ForgedSums[] = [
    { level, index, sums: moved(a.sums, -by) },
    { level, index: index + 1, sums: moved(b.sums, by) },
  ];
  return retold(world.epoch, { [name]: forgedTree(tree.of, leavesOf(tree), forged) });
}

/** Other totals than those of the top node: the platform's are the stakers'. */
export function otherTotals({ epoch }: World): PublishedEpoch | undefined {
  const { tree } = epoch.receipts;
  const [platform = 0n, models = 0n, stakers = 0n, contributors = 0n] = tree.sums;
  if (platform === 0n) return undefined;
  const sums = [0n, models, stakers + platform, contributors];
  return retold(epoch, { receipts: { ...epoch.receipts, tree: { ...tree, sums } } });
}

/** A leaf that is none, with the sums that the right one had. */
export function malformedLeaf(world: World, dice: Dice, name: TreeName): PublishedEpoch | undefined {
  const tree = world.epoch[name];
  if (tree.tree.leaves === 0) return undefined;
  const leaves = [...leavesOf(tree)];
  const at = dice.below(leaves.length);
  const leaf = leaves[at] ?? new Uint8Array(0);
  const broken = dice.pick([
    leaf.slice(1),
    Uint8Array.from([...leaf, 0]),
    Uint8Array.from(leaf, (byte, i) => (i === 0 ? byte + 1 : byte)),
    new Uint8Array(0),
    dice.bytes(leaf.length),
  ]);
  leaves[at] = broken;
  const forged = [{ level: 0, index: at, sums: tree.node(0, at).sums }];
  return retold(world.epoch, { [name]: forgedTree(tree.of, leaves, forged) });
}

/** A leaf that stands for two, or what a node is the hash of in the place of a leaf: another number of leaves. */
export function miscounted(world: World, dice: Dice, name: TreeName): PublishedEpoch | undefined {
  const tree = world.epoch[name];
  const { leaves: count } = tree.tree;
  if (count < 2) return undefined;
  const leaves = [...leavesOf(tree)];
  const index = dice.below(Math.floor(count / 2));
  const level = dice.below(2);
  const { sums } = tree.node(level, index);
  const inner = sumNodeInput(tree.of, tree.node(0, 0), tree.node(0, 1));
  if (level === 0) leaves[index] = inner;
  const hash = level === 0 ? sha256(inner) : tree.node(0, 2 * index).hash;
  return retold(world.epoch, { [name]: forgedTree(tree.of, leaves, [{ level, index, sums, hash }]) });
}
