/**
 * Payments signed and verified on threads beside the one that makes receipts. All of a channel are on one
 * thread, in their order; so the sums do not depend on which thread is faster.
 */
import { Worker } from 'node:worker_threads';
import type { PaymentWork } from './payment-worker.ts';
import { PAYMENT_BYTES, type Payment, type PaymentTally, writePayment } from './payments.ts';

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
  #tally: PaymentTally = { vouchers: 0, amount: 0n, signing: 0, verifying: 0 };

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

  /** Hands a payment over. */
  add(payment: Payment): void {
    const thread = this.#threads[payment.channel % this.#threads.length];
    if (thread === undefined) throw new RangeError('there are no threads');
    writePayment(payment, thread.batch, thread.filled * PAYMENT_BYTES);
    thread.filled++;
    if (thread.filled === BATCH) this.#send(thread);
  }

  /**
   * Waits until all that was handed over is verified.
   * @throws Error when a payment is not right
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
    const records = thread.batch.slice(0, thread.filled * PAYMENT_BYTES);
    thread.filled = 0;
    this.#underWay++;
    thread.worker.postMessage(records, [records.buffer]);
  }

  #add({ vouchers, amount, signing, verifying }: PaymentTally): void {
    this.#underWay--;
    const sum = this.#tally;
    this.#tally = {
      vouchers: sum.vouchers + vouchers,
      amount: sum.amount + amount,
      signing: sum.signing + signing,
      verifying: sum.verifying + verifying,
    };
    this.#wake();
  }
}

function newBatch(): Uint8Array<ArrayBuffer> {
  return new Uint8Array(BATCH * PAYMENT_BYTES);
}
