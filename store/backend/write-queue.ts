/**
 * Batches on their way to the disk, in order. What waits while a write is under way goes out together as the
 * next one. After a failed write nothing more is written: what is on disk ends at the last durable batch.
 */
import { LedgerError, messageOf } from '../../core/errors.ts';
import type { Backend, BackendWrite } from './backend.ts';

/** Batches that may wait: beyond this the disk does not keep up and memory would grow without end. */
export const QUEUED_BATCHES_MAX = 1024;

/** See the file comment. */
export class WriteQueue {
  readonly #backend: Backend;
  #waiting: BackendWrite[][] = [];
  /** Settles when all that was added is durable. Undefined when nothing is under way. */
  #running: Promise<void> | undefined;
  #failure: LedgerError | undefined;
  #holds = false;
  /** Called when a write begins, or what is held is given up. */
  #wakers: (() => void)[] = [];

  constructor(backend: Backend) {
    this.#backend = backend;
  }

  /** @throws LedgerError `store.disk` after a failed write, `store.backlog` when too much waits */
  requireReady(): void {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#waiting.length < QUEUED_BATCHES_MAX) return;
    throw new LedgerError(
      'store.backlog',
      `${this.#waiting.length} versions wait for the disk: it does not keep up`,
      {
        waiting: this.#waiting.length,
      },
    );
  }

  /** Adds a batch. It is written soon, or with `writeHeld`; `flush` tells when. */
  add(batch: BackendWrite[]): void {
    this.#waiting.push(batch);
    if (!this.#holds) this.#start();
  }

  /** Batches added from now on wait for `writeHeld`. */
  hold(): void {
    this.#holds = true;
  }

  /** Batches are written as they come again. */
  release(): void {
    this.#holds = false;
    this.#start();
  }

  /** Resolves when all that was held is durable; rejects with `store.disk` when that failed. */
  async writeHeld(): Promise<void> {
    this.#start();
    await this.flush();
  }

  /** Gives up what is held: the writer ends without it. */
  dropHeld(): void {
    if (!this.#holds) return;
    this.#waiting = [];
    this.#wake();
  }

  /** Resolves when all that was added is durable; rejects with `store.disk` when that failed. */
  async flush(): Promise<void> {
    while (this.#failure === undefined && (this.#running !== undefined || this.#waiting.length > 0))
      await (this.#running ?? new Promise<void>((resolve) => this.#wakers.push(resolve)));
    if (this.#failure !== undefined) throw this.#failure;
  }

  #start(): void {
    if (this.#running !== undefined || this.#failure !== undefined || this.#waiting.length === 0) return;
    this.#running = this.#run();
    this.#wake();
  }

  #wake(): void {
    for (const wake of this.#wakers.splice(0)) wake();
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.flat();
      this.#waiting = [];
      try {
        await this.#backend.write(batch, { sync: true });
      } catch (cause) {
        this.#failure = new LedgerError(
          'store.disk',
          `writing the state failed: ${messageOf(cause)}. Free or repair the disk and start the node again: ` +
            'nothing that was committed before is lost',
          {},
          cause,
        );
        break;
      }
    }
    // In the same turn as the last look at what waits: an addition after it starts anew.
    this.#running = undefined;
  }
}
