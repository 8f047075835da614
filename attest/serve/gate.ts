/** Lets so many tasks run at a time, so many wait, and turns the others away. */
import { LedgerError } from '../../core/errors.ts';
import { type TurnLimits, Turns } from '../../core/turns.ts';

/** Code of the error of a task that was turned away. */
export const BUSY = 'attest.busy';

/** Tasks in their turns. */
export class Gate {
  readonly #turns: Turns;
  readonly #waitingMax: number;

  constructor(limits: TurnLimits) {
    this.#turns = new Turns(limits);
    this.#waitingMax = limits.waitingMax;
  }

  get running(): number {
    return this.#turns.running;
  }

  get waiting(): number {
    return this.#turns.waiting;
  }

  /**
   * Runs a task in its turn, first come, first served.
   * @throws LedgerError `attest.busy` at once, when the queue is full
   */
  async run<T>(task: () => T | Promise<T>): Promise<T> {
    await new Promise<void>((resolve, reject) => {
      if (!this.#turns.enter(resolve))
        reject(new LedgerError(BUSY, `${this.#waitingMax} requests wait already; come again in a second`));
    });
    try {
      return await task();
    } finally {
      this.#turns.leave();
    }
  }

  /**
   * Of a task that runs here: lets others run while it waits for something that has a queue of its own, and
   * goes on before those that have not begun.
   */
  async aside<T>(task: () => Promise<T>): Promise<T> {
    this.#turns.leave();
    try {
      return await task();
    } finally {
      await new Promise<void>((resolve) => this.#turns.rejoin(resolve));
    }
  }
}
