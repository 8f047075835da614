/** A moment after which something is given up; it moves on while bytes do. */
import type { Timers } from './timers.ts';

/** When a deadline passes. */
export interface DeadlineOptions {
  readonly timeoutMs: number;
  /** So many bytes move it by a second. Absent: nothing does. */
  readonly bytesPerSecondMin?: number;
  /** So many bytes move it at most. */
  readonly bytesMax?: number;
}

/** Calls once when it has passed, unless it is cancelled before. */
export class MovingDeadline {
  readonly #timers: Timers;
  readonly #options: DeadlineOptions;
  readonly #onPassed: () => void;
  readonly #startMs: number;
  #bytes = 0;
  #cancel: () => void;

  constructor(timers: Timers, options: DeadlineOptions, onPassed: () => void) {
    this.#timers = timers;
    this.#options = options;
    this.#onPassed = onPassed;
    this.#startMs = timers.nowMs();
    this.#cancel = timers.after(options.timeoutMs, () => this.#look());
  }

  /** Bytes went. */
  moved(bytes: number): void {
    this.#bytes = Math.min(this.#bytes + bytes, this.#options.bytesMax ?? Number.POSITIVE_INFINITY);
  }

  cancel(): void {
    this.#cancel();
  }

  /** From the start to now. */
  elapsedMs(): number {
    return Math.round(this.#timers.nowMs() - this.#startMs);
  }

  #look(): void {
    const { timeoutMs, bytesPerSecondMin } = this.#options;
    const gainedMs = bytesPerSecondMin === undefined ? 0 : (this.#bytes * 1000) / bytesPerSecondMin;
    const leftMs = this.#startMs + timeoutMs + gainedMs - this.#timers.nowMs();
    // A timer may fire a fraction of a millisecond early.
    if (leftMs < 1) this.#onPassed();
    else this.#cancel = this.#timers.after(leftMs, () => this.#look());
  }
}
