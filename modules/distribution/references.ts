/** Who needs which period: what the reference counts of past periods must say. */
import { type Address, latin1 } from '../../framework/address.ts';
import type { CurrentRewards, SlashEvent, StartingInfo } from './types.ts';

/** Records that refer to periods, each with the operator of its validator. */
export interface Referring {
  readonly current: Iterable<readonly [Address, CurrentRewards]>;
  readonly starting: Iterable<readonly [Address, StartingInfo]>;
  readonly slashes: Iterable<readonly [Address, SlashEvent]>;
}

/** How many records refer to each period. */
export interface ReferenceCounts {
  /** How many refer to a period that is kept; asked once for each. */
  take(operator: Address, period: bigint): number;
  /** Periods that something refers to and nobody asked for. */
  readonly rest: number;
}

/** Counts: one for the period before the current one, one for each delegation, one for each slash. */
export function countReferences({ current, starting, slashes }: Referring): ReferenceCounts {
  const counts = new Map<string, number>();
  const keyOf = (operator: Address, period: bigint): string => `${latin1(operator)} ${period}`;
  const count = (operator: Address, period: bigint): void => {
    const key = keyOf(operator, period);
    counts.set(key, (counts.get(key) ?? 0) + 1);
  };
  for (const [operator, { period }] of current) count(operator, period - 1n);
  for (const [operator, { previousPeriod }] of starting) count(operator, previousPeriod);
  for (const [operator, { period }] of slashes) count(operator, period);
  return {
    take(operator, period) {
      const key = keyOf(operator, period);
      const counted = counts.get(key) ?? 0;
      counts.delete(key);
      return counted;
    },
    get rest() {
      return counts.size;
    },
  };
}
