/**
 * Which blocks a node has to keep. The application answers Commit with the height below which the node may
 * forget blocks; what it keeps to is its operator's `min-retain-blocks`, and never less than others need.
 */

/** What keeps blocks, each as a number of blocks behind the last one; 0n: nothing does. */
export interface BlockRetention {
  /** `min-retain-blocks`: 0n keeps every block. */
  readonly minRetainBlocks: bigint;
  /** As far back as the oldest snapshot that is offered: who restores it needs the blocks behind it. */
  readonly snapshotBlocks: bigint;
}

/** Keeps every block. */
export const KEEP_ALL: BlockRetention = { minRetainBlocks: 0n, snapshotBlocks: 0n };

/**
 * The height below which no block is needed; 0n: all are. The lowest of what the settings, the snapshots and
 * the consensus parameter `evidence.max_age_num_blocks` (which stands for the unbonding time, too) allow.
 * Source: Cosmos SDK v0.50 `baseapp/abci.go` (GetBlockRetentionHeight). The node itself keeps, beyond that,
 * what evidence needs by its duration.
 */
export function blockRetentionHeight(
  height: bigint,
  of: BlockRetention & { readonly evidenceMaxAgeBlocks: bigint },
): bigint {
  if (of.minRetainBlocks === 0n) return 0n;
  const ages = [of.evidenceMaxAgeBlocks, of.snapshotBlocks, of.minRetainBlocks].filter((age) => age > 0n);
  const age = ages.reduce((longest, each) => (each > longest ? each : longest), 0n);
  return height > age ? height - age : 0n;
}
