/** Lets so many tasks run at a time, so many wait, so many of one address, and turns the others away. */
import { LedgerError } from '../../core/errors.ts';
import { type TurnLimits, Turns } from '../../core/turns.ts';
import type { Asker } from '../../serve/route.ts';
import { gone, requireThere } from './asker.ts';
import { BUSY } from './errors.ts';

/** Bounds of a gate. */
export interface GateLimits extends TurnLimits {
  /** Tasks of one address that run, wait or stand aside. */
  readonly perAddressMax: number;
}

/** Tasks in their turns. */
export class Gate {
  readonly #turns: Turns;
  readonly #limits: GateLimits;
  readonly #shares = new Map<string, number>();

  constructor(limits: GateLimits) {
    this.#turns = new Turns(limits);
    this.#limits = limits;
  }

  get running(): number {
    return this.#turns.running;
  }

  get waiting(): number {
    return this.#turns.waiting;
  }

  /**
   * Runs a task in its turn, first come, first served, unless whoever asked has left before.
   * @throws LedgerError at once: `attest.busy` when the queue is full, `attest.share` when the address has as
   * many; `attest.gone`
   */
  async run<T>(task: () => T | Promise<T>, asker?: Asker): Promise<T> {
    this.#takeShare(asker);
    try {
      await this.#turn(asker);
      try {
        requireThere(asker);
        return await task();
      } finally {
        this.#turns.leave();
      }
    } finally {
      this.#giveShare(asker);
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

  async #turn(asker: Asker | undefined): Promise<void> {
    requireThere(asker);
    let drop = (): void => undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        drop = () => {
          if (this.#turns.cancel(resolve)) reject(gone());
        };
        const { waitingMax } = this.#limits;
        if (this.#turns.enter(resolve)) asker?.signal.addEventListener('abort', drop);
        else reject(new LedgerError(BUSY, `${waitingMax} requests wait already; come again in a second`));
      });
    } finally {
      asker?.signal.removeEventListener('abort', drop);
    }
  }

  #takeShare(asker: Asker | undefined): void {
    if (asker === undefined) return;
    const { perAddressMax } = this.#limits;
    const taken = this.#shares.get(asker.peer) ?? 0;
    if (taken >= perAddressMax)
      throw new LedgerError(
        'attest.share',
        `${perAddressMax} attributions are made for your address already; come again when one is done`,
      );
    this.#shares.set(asker.peer, taken + 1);
  }

  #giveShare(asker: Asker | undefined): void {
    if (asker === undefined) return;
    const left = (this.#shares.get(asker.peer) ?? 0) - 1;
    if (left > 0) this.#shares.set(asker.peer, left);
    else this.#shares.delete(asker.peer);
  }
}
