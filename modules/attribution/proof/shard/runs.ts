/** Runs of leaves of a shard, as requests on the chain are answered with them. */
import type { ShardCommitment } from '../../../../proto/gen/openledger/attribution/v1/attribution.ts';
import { type OpenedPiece, opensRun } from '../influence/pieces.ts';
import type { ShardTree } from '../kinds.ts';
import type { Run } from '../../../../core/leaf-run.ts';
import { treeOfShard } from './commitment.ts';
import { LEAF_BYTES_MAX, leafProblem } from './leaves.ts';

/**
 * True when these are the leaves of the run, all of them, and such that a fraud can be shown with: what can
 * be opened in no fraud proof is no leaf, so whoever committed to it loses the shard.
 */
export function isShardRun(
  commitment: ShardCommitment,
  { tree, run }: { readonly tree: ShardTree; readonly run: Run },
  { content, leaves, hashes }: Pick<OpenedPiece, 'content' | 'leaves' | 'hashes'>,
): boolean {
  const isLeaf = (bytes: Uint8Array, i: number): boolean =>
    bytes.length <= LEAF_BYTES_MAX &&
    leafProblem(commitment, { tree, index: run.first + i, bytes }) === undefined;
  if (content.length > 0 || leaves.length !== run.end - run.first || !leaves.every(isLeaf)) return false;
  return opensRun(treeOfShard(commitment, tree), run, { leaves, hashes });
}
