import { timeToNanos } from '../../../consensus/types/time.ts';
import type { Fail, Invariant, Subject } from '../facts.ts';

/** A vote is at least this much later than the block it is for. */
const STEP_NANOS = 1_000_000n;

/** Time rises from block to block, and no further than the clock of some honest validator has been. */
export function blockTime(fail: Fail, honest: () => readonly Subject[]): Invariant {
  const times = new Map<bigint, bigint>();
  let latest = 0n;
  return {
    name: 'time',
    signed() {
      for (const subject of honest()) {
        const now = subject.now();
        if (now > latest) latest = now;
      }
    },
    committed({ subject, committed: { height, block } }) {
      const time = timeToNanos(block.header.time);
      const before = times.get(height - 1n);
      times.set(height, time);
      if (before === undefined) return;
      if (time <= before)
        fail(`the time of block ${height} of ${subject.name} is not after that of the one before`);
      const bound = latest > before + STEP_NANOS ? latest : before + STEP_NANOS;
      if (time > bound) {
        fail(
          `the time of block ${height} is ${(time - bound) / 1_000_000n} ms later than any honest clock was`,
        );
      }
    },
  };
}
