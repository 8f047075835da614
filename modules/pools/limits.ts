/** Bounds that are not parameters. */

/** Most slots of a pool: their number has 32 bits in rows of epochs, and all weights together are below 2^64. */
export const SLOTS_MAX: bigint = (1n << 32n) - 1n;

/** Most denominations that a pool takes: each is settled when a weight changes. */
export const DENOMS_MAX = 16;

/** Rows that one block reads and writes for changes of weights; one change that is more comes alone. */
export const CHANGE_ROWS_MAX = 10_000;

/** Rows that one block reads and writes for automatic claims; one that is more comes alone. */
export const AUTO_CLAIM_ROWS_MAX = 10_000;

/** Most credits that one block forgets, each with a row of an index for every node that it was paid to. */
export const CREDITS_FORGOTTEN_MAX = 1_000;

/** Rows besides those of the tree: slot, debts, owner, queue, money. */
const OTHER_ROWS = 12;

/**
 * Rows that settling a slot and changing its weight read and write: a balance for each denomination and the
 * weight, twice, on each level.
 */
export function rowsOfSlot({
  height,
  denoms,
}: {
  readonly height: number;
  readonly denoms: readonly string[];
}): number {
  return (height + 1) * (denoms.length + 2) + OTHER_ROWS;
}
