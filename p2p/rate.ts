/** How much a peer may send: two buckets that fill with time, one of messages and one of bytes. */
import type { Timers } from './timers.ts';

/** Steady rates, and how much may come at once. */
export interface RateLimits {
  readonly messagesPerSecondMax: number;
  readonly messagesBurstMax: number;
  readonly bytesPerSecondMax: number;
  readonly bytesBurstMax: number;
}

/** The meter of one peer. */
export class RateMeter {
  readonly #limits: RateLimits;
  readonly #timers: Timers;
  #messages: number;
  #bytes: number;
  #atMs: number;

  constructor(limits: RateLimits, timers: Timers) {
    this.#limits = limits;
    this.#timers = timers;
    this.#messages = limits.messagesBurstMax;
    this.#bytes = limits.bytesBurstMax;
    this.#atMs = timers.nowMs();
  }

  /**
   * Books one message; returns how many milliseconds to read nothing more from the peer: 0 within its
   * rates.
   */
  book(bytes: number): number {
    const { messagesPerSecondMax, messagesBurstMax, bytesPerSecondMax, bytesBurstMax } = this.#limits;
    const nowMs = this.#timers.nowMs();
    const seconds = (nowMs - this.#atMs) / 1000;
    this.#atMs = nowMs;
    this.#messages = Math.min(messagesBurstMax, this.#messages + seconds * messagesPerSecondMax) - 1;
    this.#bytes = Math.min(bytesBurstMax, this.#bytes + seconds * bytesPerSecondMax) - bytes;
    const messagesMs = (-this.#messages / messagesPerSecondMax) * 1000;
    const bytesMs = (-this.#bytes / bytesPerSecondMax) * 1000;
    return Math.max(0, messagesMs, bytesMs);
  }
}
