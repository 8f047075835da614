/** Other processes, as the system tells of them: whose children they are, whether they run, and their end. */
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

const POLL_MS = 20;
const WAIT_MS = 60_000;

/** Kills a process of ours at once; one that is gone already is fine. */
export function killProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // gone already
  }
}

/**
 * Kills processes and resolves when they have ended: a signal is sent at once, but a large process takes its
 * time to die, and holds what it held until then.
 */
export async function killToTheEnd(pids: readonly number[]): Promise<void> {
  for (const pid of pids) killProcess(pid);
  await Promise.all(pids.map(processEnd));
}

/**
 * Resolves when a process that is not our child has ended (one that nobody has buried yet counts as ended):
 * the system gives no event for that.
 */
export async function processEnd(pid: number): Promise<void> {
  await until(`process ${pid} has ended`, () => !isRunning(pid));
}

/** Stops a process so that it starts no others; they are returned, where the system tells. */
export async function stopAndListChildren(pid: number): Promise<readonly number[]> {
  process.kill(pid, 'SIGSTOP');
  // The signal takes effect a moment later: until then it may start one more.
  await until(`process ${pid} stands still`, () => !['R', 'S', 'D'].includes(statOf(pid)?.state ?? ''));
  return childrenOf(pid);
}

/** The processes that a process has started, where the system tells: nodes end without their devnet too. */
function childrenOf(parent: number): readonly number[] {
  let pids: readonly string[];
  try {
    pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  } catch {
    return [];
  }
  return pids.map(Number).filter((pid) => statOf(pid)?.parent === parent);
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  return statOf(pid)?.state !== 'Z';
}

/**
 * Of /proc/<pid>/stat, from behind the command name; undefined of a process that has ended, or without /proc.
 */
function statOf(pid: number): { readonly state: string; readonly parent: number } | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const [state = '', parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return { state, parent: Number(parent) };
  } catch {
    return undefined;
  }
}

async function until(what: string, holds: () => boolean): Promise<void> {
  const end = performance.now() + WAIT_MS;
  while (!holds()) {
    if (performance.now() > end) throw new Error(`${what}: not in ${WAIT_MS} ms`);
    await delay(POLL_MS);
  }
}
