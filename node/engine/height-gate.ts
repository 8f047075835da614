import type { EngineClock, TransactionSignal } from './ports.ts';

/** When blocks without transactions are made: CometBFT's `create_empty_blocks` settings. */
export interface EmptyBlockOptions {
  /** Make blocks without transactions. */
  readonly createEmptyBlocks: boolean;
  /** Make an empty block after that time all the same; 0: never. */
  readonly createEmptyBlocksIntervalMs: number;
}

interface Waiting {
  readonly begin: () => void;
  readonly stopListening: () => void;
  readonly stopTimer: () => void;
}

/**
 * Holds the next height back until there is something to make a block of, when empty blocks are not wanted.
 */
export class HeightGate {
  readonly #transactions: TransactionSignal;
  readonly #clock: EngineClock;
  readonly #options: EmptyBlockOptions;
  #waiting: Waiting | undefined;

  constructor(
    ports: { readonly transactions: TransactionSignal; readonly clock: EngineClock },
    options: EmptyBlockOptions,
  ) {
    this.#transactions = ports.transactions;
    this.#clock = ports.clock;
    this.#options = options;
  }

  /**
   * Calls `begin` once: at once when empty blocks are wanted, when there are transactions or when `atOnce`
   * says so; else as soon as there are transactions, the interval is over, or somebody calls `open`.
   */
  wait(begin: () => void, atOnce: () => boolean): void {
    const { createEmptyBlocks, createEmptyBlocksIntervalMs } = this.#options;
    if (createEmptyBlocks || this.#transactions.hasTransactions || atOnce()) {
      begin();
      return;
    }
    const stopListening = this.#transactions.onTransactions(() => this.open());
    const stopTimer =
      createEmptyBlocksIntervalMs > 0
        ? this.#clock.schedule(createEmptyBlocksIntervalMs, () => this.open())
        : (): void => {};
    this.#waiting = { begin, stopListening, stopTimer };
  }

  /** True while a height waits. */
  get isWaiting(): boolean {
    return this.#waiting !== undefined;
  }

  /** Begins the height that waits, if one does. */
  open(): void {
    const begin = this.#waiting?.begin;
    this.close();
    begin?.();
  }

  /** Forgets the height that waits. */
  close(): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.stopListening();
    waiting?.stopTimer();
  }
}
