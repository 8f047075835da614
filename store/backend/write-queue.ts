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

  /** Adds a batch. It is written soon; `flush` tells when. */
  add(batch: BackendWrite[]): void {
    this.#waiting.push(batch);
    this.#start();
  }

  /** Resolves when all that was added is durable; rejects with `store.disk` when that failed. */
  async flush(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
    if (this.#failure !== undefined) throw this.#failure;
  }

  #start(): void {
    if (this.#running !== undefined || this.#failure !== undefined) return;
    this.#running = this.#run();
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
