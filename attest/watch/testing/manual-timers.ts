/** Time that goes on only when a test says so. */
import type { Timers } from '../../../watch/asking.ts';

interface Timer {
  readonly ms: number;
  readonly call: () => void;
}

/** Timers that are fired by hand. */
export class ManualTimers implements Timers {
  readonly #pending = new Set<Timer>();
  /** Every timer that was set, in milliseconds. */
  readonly set: number[] = [];
  #now = 1_000_000_000_000;

  now(): number {
    return this.#now;
  }

  after(ms: number, call: () => void): () => void {
    const timer = { ms, call };
    this.set.push(ms);
    this.#pending.add(timer);
    return () => void this.#pending.delete(timer);
  }

  /** How many wait. */
  get pending(): number {
    return this.#pending.size;
  }

  /** Waits until somebody waits for so long, and lets the time pass. */
  async pass(ms: number): Promise<void> {
    for (;;) {
      const timer = [...this.#pending].find((each) => each.ms === ms);
      if (timer !== undefined) {
        this.#pending.delete(timer);
        this.#now += ms;
        timer.call();
        return;
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}
