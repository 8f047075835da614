/** What is done again and again until it is settled; after a failure a while later, each time longer. */
import { AssertionError, messageOf } from '../core/errors.ts';
import type { FailureMetrics, WatchLogger } from './ports.ts';

/** Most rounds that something is left alone after it failed again and again. */
export const PAUSE_ROUNDS_MAX = 64;

/** Rounds that something is left alone when it has failed so many times, one after another. */
export function pauseRounds(times: number): number {
  return Math.min(2 ** times, PAUSE_ROUNDS_MAX);
}

/** Times that something is tried at which the watcher itself fails. */
const BUG_TRIES_MAX = 3;

/** Where failures are told. */
export interface AttemptsParts {
  readonly logger: WatchLogger;
  readonly metrics: FailureMetrics;
}

/** What failed, and when it is tried again. */
interface Failure {
  readonly times: number;
  /** How many of them were bugs of ours. */
  readonly bugs: number;
  readonly nextRound: number;
}

/** Knows what is settled and what failed, by names like "shard 7". */
export class Attempts {
  readonly #parts: AttemptsParts;
  readonly #failures = new Map<string, Failure>();
  readonly #settled = new Set<string>();
  #round = 0;

  constructor(parts: AttemptsParts) {
    this.#parts = parts;
  }

  /** Begins a round. */
  begin(): void {
    this.#round++;
  }

  /** Does something unless it is settled, or failed a short time ago. The task tells whether it is settled now. */
  async guard(what: string, task: () => Promise<boolean>): Promise<void> {
    const failure = this.#failures.get(what);
    if (this.#settled.has(what) || (failure !== undefined && failure.nextRound > this.#round)) return;
    const { metrics, logger } = this.#parts;
    try {
      if (await task()) this.#settled.add(what);
      this.#failures.delete(what);
    } catch (error) {
      const times = (failure?.times ?? 0) + 1;
      const bugs = (failure?.bugs ?? 0) + (isBug(error) ? 1 : 0);
      const pause = bugs < BUG_TRIES_MAX ? pauseRounds(times) : Number.POSITIVE_INFINITY;
      this.#failures.set(what, { times, bugs, nextRound: this.#round + pause });
      const next = bugs < BUG_TRIES_MAX ? `tried again in ${pause} rounds` : 'given up until a new start';
      const where = what.split(' ')[0] ?? '';
      if (isBug(error)) {
        metrics.bug(where);
        logger.error({ error: error.stack }, `${what}: the watcher has a bug here, ${next}`);
      } else {
        metrics.failure(where);
        logger.warn({ error: messageOf(error) }, `${what}: failed, ${next}`);
      }
    }
  }

  /** What is not listed any more needs no memory. */
  forget(listed: ReadonlySet<string>): void {
    for (const memory of [this.#settled, this.#failures])
      for (const what of memory.keys()) if (!listed.has(what)) memory.delete(what);
  }
}

/** Whether an error is our own; a request that fails is a TypeError too, with the reason as its cause. */
function isBug(error: unknown): error is Error {
  if (error instanceof AssertionError) return true;
  const isPlain =
    error instanceof TypeError || error instanceof RangeError || error instanceof ReferenceError;
  return isPlain && error.cause === undefined;
}

/** Does a task for each item, at most so many at a time, in their order. */
export async function eachOf<T>(
  items: readonly T[],
  most: number,
  task: (item: T) => Promise<void>,
): Promise<void> {
  const rest = items.values();
  const work = async (): Promise<void> => {
    for (const item of rest) await task(item);
  };
  await Promise.all(Array.from({ length: Math.min(most, items.length) }, work));
}
