/** How busy the machine is: what a slow recovery on a saturated machine has to be held against. */
import { cpus } from 'node:os';

/** Begins to measure; the returned function gives the busy share of all cores since, 0 to 1. */
export function measureCpu(): () => number {
  const before = totals();
  return () => {
    const now = totals();
    return 1 - (now.idle - before.idle) / Math.max(1, now.all - before.all);
  };
}

function totals(): { readonly idle: number; readonly all: number } {
  let idle = 0;
  let all = 0;
  for (const { times } of cpus()) {
    idle += times.idle;
    all += times.idle + times.user + times.sys + times.nice + times.irq;
  }
  return { idle, all };
}
