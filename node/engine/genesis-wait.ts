import { timeToNanos } from '../../consensus/types/time.ts';
import type { ChainHead } from './ports.ts';

/** Longest single wait: timers cannot wait longer than 24 days. */
const WAIT_MS_MAX = 86_400_000;

/** How long a chain that has no block yet must wait for its genesis time, in milliseconds; 0 when it is over. */
export function genesisWaitMs(head: ChainHead, nowNanos: bigint): number {
  const waitNanos = timeToNanos(head.lastBlockTime) - nowNanos;
  if (head.lastBlockHeight > 0n || waitNanos <= 0n) return 0;
  return Math.min(Number(waitNanos / 1_000_000n) + 1, WAIT_MS_MAX);
}
