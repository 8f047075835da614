/**
 * A file that says which process uses a directory. It names the process by number and start time, so that a
 * lock left behind by a process that was killed, or by the machine's last life, never counts.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { LedgerError } from '../core/errors.ts';
import { systemCode } from './failure.ts';
import { makeFolder } from './home/folder.ts';

const POLL_MS = 50;
const ATTEMPTS_MAX = 5;
/**
 * In /proc/<pid>/stat, counted from the end of the command name: the state is first, the start time is the
 * 20th.
 */
const STATE_FIELD = 0;
const START_TIME_FIELD = 19;

interface Holder {
  readonly pid: number;
  readonly started: string;
}

/** Takes the lock; the returned function gives it back. Undefined when another living process has it. */
export function tryLock(path: string): (() => void) | undefined {
  makeFolder(dirname(path));
  const own = JSON.stringify({ pid: process.pid, started: startTime(process.pid) ?? '' });
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    try {
      writeFileSync(path, own, { flag: 'wx' });
      return () => {
        if (readText(path) === own) rmSync(path, { force: true });
      };
    } catch (error) {
      if (systemCode(error) !== 'EEXIST') throw error;
    }
    if (lockHolder(path) !== undefined) return undefined;
    rmSync(path, { force: true });
  }
  return undefined;
}

/** The living process that holds the lock. */
export function lockHolder(path: string): number | undefined {
  const holder = readHolder(path);
  if (holder === undefined || !isAlive(holder)) return undefined;
  return holder.pid;
}

/** Waits until nobody holds the lock; false when somebody still does after that time. */
export async function waitUnlocked(path: string, timeoutMs: number): Promise<boolean> {
  const end = performance.now() + timeoutMs;
  while (lockHolder(path) !== undefined) {
    if (performance.now() > end) return false;
    await delay(POLL_MS);
  }
  return true;
}

/**
 * Takes the lock or says who has it.
 * @throws LedgerError `cli.locked`
 */
export function lockOrRefuse(path: string, what: string): () => void {
  const unlock = tryLock(path);
  if (unlock !== undefined) return unlock;
  const pid = lockHolder(path);
  throw new LedgerError(
    'cli.locked',
    `${what} is running already (process ${pid ?? 'unknown'}); stop it first`,
    {
      pid,
    },
  );
}

function readHolder(path: string): Holder | undefined {
  try {
    const value: unknown = JSON.parse(readText(path) ?? '');
    if (typeof value !== 'object' || value === null) return undefined;
    if (!('pid' in value) || typeof value.pid !== 'number') return undefined;
    const started = 'started' in value && typeof value.started === 'string' ? value.started : '';
    return { pid: value.pid, started };
  } catch {
    return undefined; // half-written by a process that died: nobody holds it
  }
}

function isAlive(holder: Holder): boolean {
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    return systemCode(error) === 'EPERM';
  }
  const started = startTime(holder.pid);
  return started === undefined || (started !== 'dead' && started === holder.started);
}

/**
 * When a process started, in clock ticks since boot; `dead` for a zombie; undefined where the system does
 * not say.
 */
function startTime(pid: number): string | undefined {
  const stat = readText(`/proc/${pid}/stat`);
  if (stat === undefined) return undefined;
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[STATE_FIELD] === 'Z' ? 'dead' : fields[START_TIME_FIELD];
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
