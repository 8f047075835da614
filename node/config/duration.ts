/** Durations as CometBFT's configuration writes them: `300ms`, `1.5s`, `1m30s`. */
import { DecodeError } from '../../core/errors.ts';

const UNIT_MS: ReadonlyMap<string, number> = new Map([
  ['ms', 1],
  ['s', 1_000],
  ['m', 60_000],
  ['h', 3_600_000],
]);
const PART = /(\d+(?:\.\d+)?)(ms|s|m|h)/y;
/** Longest duration that a timer takes: 2^31 − 1 ms, about 24 days. */
const DURATION_MS_MAX = 2_147_483_647;

/**
 * Milliseconds of a duration; `0` needs no unit.
 * @throws DecodeError when the text is none, is not a whole number of milliseconds or is too long for a timer
 */
export function parseDuration(text: string): number {
  if (text === '0') return 0;
  let totalMs = 0;
  PART.lastIndex = 0;
  do {
    const part = PART.exec(text);
    const unitMs = UNIT_MS.get(part?.[2] ?? '');
    if (part === null || unitMs === undefined) {
      throw new DecodeError(`"${text}" is not a duration such as "500ms", "1s" or "1m30s"`);
    }
    totalMs += Number(part[1]) * unitMs;
  } while (PART.lastIndex < text.length);
  if (!Number.isInteger(totalMs)) throw new DecodeError(`"${text}" is not a whole number of milliseconds`);
  if (totalMs > DURATION_MS_MAX) throw new DecodeError(`"${text}" is longer than 24 days`);
  return totalMs;
}

/** The shortest single-unit text of a duration: 1000 is `1s`, 1500 is `1500ms`. */
export function formatDuration(ms: number): string {
  for (const [unit, unitMs] of [...UNIT_MS].reverse()) {
    if (ms !== 0 && ms % unitMs === 0) return `${ms / unitMs}${unit}`;
  }
  return '0s';
}
