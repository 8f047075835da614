/** How much a peer may send: two buckets that fill with time, one of messages and one of bytes. */
import type { Timers } from './timers.ts';

/** Steady rates, and how much may come at once. `Infinity`: not counted. */
export interface RateLimits {
  readonly messagesPerSecondMax: number;
  readonly messagesBurstMax: number;
  readonly bytesPerSecondMax: number;
  readonly bytesBurstMax: number;
}

/** Fills with time up to its burst; what is taken beyond that is a debt. */
class Bucket {
  readonly #perSecondMax: number;
  readonly #burstMax: number;
  #left: number;

  constructor(perSecondMax: number, burstMax: number) {
    this.#perSecondMax = perSecondMax;
    this.#burstMax = burstMax;
    this.#left = burstMax;
  }

  /** Takes out after so many seconds; returns how many milliseconds of debt there are. */
  take(amount: number, seconds: number): number {
    // Before any arithmetic: infinity times no seconds is no number, and compares with nothing.
    if (this.#perSecondMax === Number.POSITIVE_INFINITY) return 0;
    this.#left = Math.min(this.#burstMax, this.#left + seconds * this.#perSecondMax) - amount;
    return this.#left >= 0 ? 0 : (-this.#left / this.#perSecondMax) * 1000;
  }
}

/** The meter of one peer. */
export class RateMeter {
  readonly #timers: Timers;
  readonly #messages: Bucket;
  readonly #bytes: Bucket;
  #atMs: number;

  constructor(limits: RateLimits, timers: Timers) {
    this.#timers = timers;
    this.#messages = new Bucket(limits.messagesPerSecondMax, limits.messagesBurstMax);
    this.#bytes = new Bucket(limits.bytesPerSecondMax, limits.bytesBurstMax);
    this.#atMs = timers.nowMs();
  }

  /**
   * Books one message; returns how many milliseconds to read nothing more from the peer: 0 within its
   * rates.
   */
  book(bytes: number): number {
    const nowMs = this.#timers.nowMs();
    const seconds = (nowMs - this.#atMs) / 1000;
    this.#atMs = nowMs;
    return Math.max(this.#messages.take(1, seconds), this.#bytes.take(bytes, seconds));
  }
}
