/** What the system says about a process (Linux: /proc). */
import { readFileSync } from 'node:fs';

/** CPU seconds and memory of a process; undefined where the system does not say. */
export interface ProcessStats {
  readonly cpuSeconds: number;
  readonly rssBytes: number;
  readonly peakRssBytes: number;
  /** Of the resident memory, what is the process's own: heaps, stacks. */
  readonly anonymousBytes: number;
  /** Of the resident memory, pages of files: programs, libraries, mapped files of databases. */
  readonly fileBytes: number;
}

/** Clock ticks a second in /proc; 100 on every Linux that Node.js runs on. */
const TICKS_PER_SECOND = 100;
const UTIME_FIELD = 11;

/** Reads them. */
export function processStats(pid: number): ProcessStats | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const ticks = Number(fields[UTIME_FIELD]) + Number(fields[UTIME_FIELD + 1]);
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return {
      cpuSeconds: ticks / TICKS_PER_SECOND,
      rssBytes: kilobytes(status, 'VmRSS') * 1024,
      peakRssBytes: kilobytes(status, 'VmHWM') * 1024,
      anonymousBytes: kilobytes(status, 'RssAnon') * 1024,
      fileBytes: kilobytes(status, 'RssFile') * 1024,
    };
  } catch {
    return undefined;
  }
}

function kilobytes(status: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0);
}
