import type { Timeout, TimeoutKind } from '../../consensus/input.ts';
import type { EngineClock } from './ports.ts';

/** The running waits of the core: one per kind, a newer one replaces an older one. */
export class Timers {
  readonly #clock: EngineClock;
  readonly #onElapsed: (timeout: Timeout) => void;
  readonly #cancels = new Map<TimeoutKind, () => void>();

  constructor(clock: EngineClock, onElapsed: (timeout: Timeout) => void) {
    this.#clock = clock;
    this.#onElapsed = onElapsed;
  }

  schedule(timeout: Timeout, durationMs: number): void {
    this.#cancels.get(timeout.kind)?.();
    const cancel = this.#clock.schedule(durationMs, () => {
      this.#cancels.delete(timeout.kind);
      this.#onElapsed(timeout);
    });
    this.#cancels.set(timeout.kind, cancel);
  }

  cancelAll(): void {
    for (const cancel of this.#cancels.values()) cancel();
    this.#cancels.clear();
  }
}
