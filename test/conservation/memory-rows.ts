import {
  type Debt,
  NO_BALANCE,
  NO_DEBT,
  NO_TOTALS,
  type NodeBalance,
  type PoolTotals,
} from '../../modules/pools/arithmetic.ts';
import type { Place, TreeRows } from '../../modules/pools/tree.ts';

/** A pool's rows of one denomination in memory. */
export interface MemoryRows extends TreeRows {
  /** Sum of the nodes' `rem`. */
  sumOfRems(): bigint;
}

/** An empty tree: an array for each level. */
export function memoryRows(): MemoryRows {
  const weights: bigint[][] = [];
  const balances: NodeBalance[][] = [];
  const debts: Debt[] = [];
  let totals: PoolTotals = NO_TOTALS;
  const levelOf = <T>(levels: T[][], level: number): T[] => {
    while (levels.length <= level) levels.push([]);
    return levels[level] ?? [];
  };
  const put = <T>(levels: T[][], { level, index }: Place, value: T): void => {
    levelOf(levels, level)[Number(index)] = value;
  };
  return {
    weight: ({ level, index }) => weights[level]?.[Number(index)] ?? 0n,
    balance: ({ level, index }) => balances[level]?.[Number(index)] ?? NO_BALANCE,
    debt: (slot) => debts[Number(slot)] ?? NO_DEBT,
    totals: () => totals,
    setWeight: (place, weight) => put(weights, place, weight),
    setBalance: (place, _, balance) => put(balances, place, balance),
    setDebt(slot, _, debt) {
      debts[Number(slot)] = debt;
    },
    setTotals(_, next) {
      totals = next;
    },
    sumOfRems() {
      let sum = 0n;
      for (const level of balances) for (const balance of level) sum += balance?.rem ?? 0n;
      return sum;
    },
  };
}
