/** Lets so many tasks run at a time, so many wait, and turns the others away. */
import { LedgerError } from '../../core/errors.ts';

/** Code of the error of a task that was turned away. */
export const BUSY = 'attest.busy';

/** Bounds of a gate. */
export interface GateOptions {
  readonly runningMax: number;
  readonly waitingMax: number;
}

/** A bounded queue before a bounded number of tasks. */
export class Gate {
  readonly #options: GateOptions;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(options: GateOptions) {
    this.#options = options;
  }

  get running(): number {
    return this.#running;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /**
   * Runs a task in its turn, first come, first served.
   * @throws LedgerError `attest.busy` at once, when the queue is full
   */
  async run<T>(task: () => Promise<T>): Promise<T> {
    const { runningMax, waitingMax } = this.#options;
    if (this.#running < runningMax) this.#running++;
    else if (this.#waiting.length >= waitingMax)
      throw new LedgerError(BUSY, `${waitingMax} requests wait already; come again in a second`);
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await task();
    } finally {
      // The place is handed to the next one, so that nobody slips in before it.
      const next = this.#waiting.shift();
      if (next === undefined) this.#running--;
      else next();
    }
  }
}
