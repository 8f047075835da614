import type { Timers } from '../../p2p/timers.ts';

/** Waits that end early when something happened. */
export class Wakeup {
  readonly #timers: Timers;
  #wake: () => void = () => undefined;

  constructor(timers: Timers) {
    this.#timers = timers;
  }

  /** Ends the wait under way. */
  wake(): void {
    this.#wake();
  }

  /** Resolves after that time, or with the next `wake`. One at a time. */
  wait(limitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#timers.after(limitMs, resolve);
      this.#wake = () => {
        cancel();
        resolve();
      };
    });
  }
}
