/** Runs of leaves of a shard, as requests on the chain ask for them. */
import type { ShardTree } from '../../modules/attribution/proof/kinds.ts';
import { leavesOfRun } from '../../core/leaf-run.ts';
import { leafCount, runOfShard } from '../../modules/attribution/proof/shard/commitment.ts';
import { openingHashes, splitHashes } from '../../modules/attribution/proof/tree.ts';
import type { ProvableShard } from './prove.ts';

/** Leaves with the hashes that lead from them to the root, 32 bytes each. */
export interface OpenedLeaves {
  readonly leaves: readonly Uint8Array[];
  readonly hashes: readonly Uint8Array[];
}

/** The run that a leaf lies in. @throws RangeError when there is no such leaf */
export function openRun(shard: ProvableShard, tree: ShardTree, leaf: number): OpenedLeaves {
  return openPlaces(shard, tree, leavesOfRun(runOfShard(shard.commitment, tree, leaf)));
}

/** Leaves at rising places. @throws RangeError when there is none */
export function openPlaces(shard: ProvableShard, tree: ShardTree, places: readonly number[]): OpenedLeaves {
  if (places.length === 0) throw new RangeError(`there is no such leaf of the ${tree} tree`);
  const joined = openingHashes(leafCount(shard.commitment, tree), places, (level, i) =>
    shard.node(tree, level, i),
  );
  return { leaves: places.map((place) => shard.leaf(tree, place)), hashes: splitHashes(joined) };
}
