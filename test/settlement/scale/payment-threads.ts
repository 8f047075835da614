/**
 * Vouchers and receipts signed and verified on threads beside the one that makes inferences. All of a channel
 * are on one thread, in their order; so the sums do not depend on which thread is faster.
 */
import { Worker } from 'node:worker_threads';
import type { PaymentWork } from './payment-worker.ts';
import {
  addTallies,
  NO_PAYMENTS,
  type PaidInference,
  type PaymentTally,
  RECORD_BYTES,
  writeInference,
} from './payments.ts';

/** Payments of one message to a thread: a second of its work. */
const BATCH = 4_096;

interface Thread {
  readonly worker: Worker;
  /** Fills up to `BATCH` records. */
  batch: Uint8Array<ArrayBuffer>;
  filled: number;
}

/** See the file comment. */
export class PaymentThreads {
  readonly #threads: readonly Thread[];
  #underWay = 0;
  #failure: Error | undefined;
  #wake: () => void = () => {};
  #tally: PaymentTally = NO_PAYMENTS;

  constructor(threads: number, work: PaymentWork) {
    this.#threads = Array.from({ length: threads }, () => {
      const worker = new Worker(new URL('./payment-worker.ts', import.meta.url), { workerData: work });
      worker.on('message', (tally: PaymentTally) => this.#add(tally));
      worker.on('error', (error: Error) => {
        this.#failure ??= error;
        this.#wake();
      });
      return { worker, batch: newBatch(), filled: 0 };
    });
  }

  /** What was signed and verified so far. */
  get tally(): PaymentTally {
    return this.#tally;
  }

  /** Hands an inference over. */
  add(inference: PaidInference): void {
    const thread = this.#threads[inference.channel % this.#threads.length];
    if (thread === undefined) throw new RangeError('there are no threads');
    writeInference(inference, thread.batch, thread.filled * RECORD_BYTES);
    thread.filled++;
    if (thread.filled === BATCH) this.#send(thread);
  }

  /**
   * Waits until all that was handed over is verified.
   * @throws Error when a voucher or a receipt is not right
   */
  async finished(): Promise<void> {
    for (const thread of this.#threads) if (thread.filled > 0) this.#send(thread);
    while (this.#underWay > 0 && this.#failure === undefined)
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Ends the threads. */
  async stop(): Promise<void> {
    await Promise.all(this.#threads.map(({ worker }) => worker.terminate()));
  }

  #send(thread: Thread): void {
    const records = thread.batch.slice(0, thread.filled * RECORD_BYTES);
    thread.filled = 0;
    this.#underWay++;
    thread.worker.postMessage(records, [records.buffer]);
  }

  #add(tally: PaymentTally): void {
    this.#underWay--;
    this.#tally = addTallies(this.#tally, tally);
    this.#wake();
  }
}

function newBatch(): Uint8Array<ArrayBuffer> {
  return new Uint8Array(BATCH * RECORD_BYTES);
}
