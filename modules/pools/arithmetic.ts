/**
 * Reward-per-weight accounting in integers that carries its remainders (ADR 26). All amounts of money inside
 * of a pool are in units of 1/S of the base unit, S = 2^64:
 *
 * | what   | is                                                                 | less than |
 * | ------ | ------------------------------------------------------------------ | --------- |
 * | weight | W of a node: sum of the weights of its slots                       | 2^64      |
 * | rem    | of a node: what its payments left undivided; less than a W it had  | 2^64      |
 * | acc    | of a node: what a unit of weight got there, ever; at most paid · S | 2^384     |
 * | seen   | of a slot: Σ acc along its path when it was settled; at most that  | 2^384     |
 * | owed   | of a slot: settled and not paid out; at most that                  | 2^384     |
 *
 * A payment is less than 2^256 (bank), and no chain makes 2^64 of them: all paid is less than 2^320. Values
 * are stored at the length that they need, so no encoding overflows.
 */

/** Parts that a base unit is counted in. Above every weight, so that a node's `rem` is less than a base unit. */
export const SCALE: bigint = 1n << 64n;

/** Most that a slot may weigh: 2^32 slots of it are less than 2^64. */
export const SLOT_WEIGHT_MAX: bigint = (1n << 32n) - 1n;

/** Money of one denomination that came in at a node. */
export interface NodeBalance {
  readonly acc: bigint;
  readonly rem: bigint;
}

/** What a slot has to get in one denomination. */
export interface Debt {
  readonly seen: bigint;
  readonly owed: bigint;
  /** Id of the chain's last credit when the slot was last paid out. */
  readonly paidCredit: bigint;
}

/** Money of a pool in one denomination; `paid` and `out` in base units. */
export interface PoolTotals {
  readonly paid: bigint;
  readonly out: bigint;
  /** Sum of the nodes' `rem`; in a closed pool what nobody is owed. */
  readonly rem: bigint;
}

/** A node that was never paid. */
export const NO_BALANCE: NodeBalance = { acc: 0n, rem: 0n };

/** A slot that was never settled. */
export const NO_DEBT: Debt = { seen: 0n, owed: 0n, paidCredit: 0n };

/** A pool that was never paid. */
export const NO_TOTALS: PoolTotals = { paid: 0n, out: 0n, rem: 0n };

/**
 * A node after a payment of so many base units: `amount · S + rem = W · (acc' − acc) + rem'`, exactly.
 * @param weight of the node, above 0
 */
export function credited(balance: NodeBalance, weight: bigint, amount: bigint): NodeBalance {
  const due = amount * SCALE + balance.rem;
  return { acc: balance.acc + due / weight, rem: due % weight };
}

/**
 * A slot's debt with everything that was paid along its path up to now.
 * @param sum Σ acc along the path
 */
export function settled(
  debt: Debt,
  { weight, sum }: { readonly weight: bigint; readonly sum: bigint },
): Debt {
  if (sum === debt.seen) return debt;
  return { ...debt, seen: sum, owed: debt.owed + weight * (sum - debt.seen) };
}

/** Base units in so many 1/S. The rest stays where it is. */
export function wholeUnits(owed: bigint): bigint {
  return owed / SCALE;
}
