/**
 * Verifies signatures on worker threads. A free worker takes what is waiting at the end of the current turn
 * of the event loop, so a lone signature is not held back and a flood is batched by itself: while the
 * workers are busy, the queue grows, and the next batch is larger.
 */
import { Worker } from 'node:worker_threads';
import { LedgerError, messageOf } from '../../core/errors.ts';
import { fitsRecord, packBatch, verifyBatch, type VerifyRecord } from './verify-batch.ts';

/** Signatures per message to a worker: a few milliseconds of work. */
const BATCH_MAX = 128;
/** Signatures verified on the main thread before other events get their turn: about two milliseconds. */
const MAIN_THREAD_SLICE = 32;

/**
 * The workers are started when so many signatures have been verified without them: starting one costs 170 ms
 * of processor time and 10 MB, more than verifying a thousand, and a node that starts has enough to do.
 */
const WORKERS_AFTER = 64;

/** What the pool is made with. */
export interface VerifierPoolOptions {
  /** Worker threads, started when there is work for them; 0 verifies on the main thread. */
  readonly workers: number;
  /** Signatures waiting at most; beyond it `verify` is refused. Default 65,536. */
  readonly queuedMax?: number;
  /** Told when a worker died and its work is done elsewhere. */
  readonly onWorkerFailure?: (message: string) => void;
}

/** The records of one call: one promise for all of them. */
interface Job {
  readonly results: boolean[];
  left: number;
  readonly resolve: (results: readonly boolean[]) => void;
}

interface Waiting {
  readonly record: VerifyRecord;
  readonly job: Job;
  /** Its place in the results of the job. */
  readonly index: number;
}

interface Lane {
  readonly worker: Worker;
  inFlight: readonly Waiting[];
}

/** Verifies batches of secp256k1 signatures off the main thread. */
export class VerifierPool {
  readonly #queuedMax: number;
  readonly #onWorkerFailure: (message: string) => void;
  /** Workers not started yet. */
  #workersToStart: number;
  #verifiedHere = 0;
  #lanes: Lane[] = [];
  #queue: Waiting[] = [];
  #flushScheduled = false;
  #stopped = false;

  constructor(options: VerifierPoolOptions) {
    this.#queuedMax = options.queuedMax ?? 65_536;
    this.#onWorkerFailure = options.onWorkerFailure ?? ((): void => {});
    this.#workersToStart = options.workers;
  }

  /** Signatures waiting or being verified. */
  get pending(): number {
    return this.#lanes.reduce((sum, lane) => sum + lane.inFlight.length, this.#queue.length);
  }

  /**
   * Whether each signature is valid, in the order of the records.
   * @throws LedgerError `crypto.overloaded` when too many wait, `crypto.stopped` after `stop`
   */
  async verify(records: readonly VerifyRecord[]): Promise<readonly boolean[]> {
    if (this.#stopped) throw new LedgerError('crypto.stopped', 'the signature verifier has stopped');
    if (this.#queue.length + records.length > this.#queuedMax) {
      throw new LedgerError('crypto.overloaded', 'too many signatures wait to be verified; try again later', {
        queued: this.#queue.length,
        queuedMax: this.#queuedMax,
      });
    }
    return await new Promise((resolve) => this.#enqueue(records, resolve));
  }

  /** Ends the workers; what was waiting is answered on the main thread first. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#workersToStart = 0;
    const lanes = this.#lanes;
    this.#lanes = [];
    for (const lane of lanes) settleHere(lane.inFlight);
    settleHere(this.#queue.splice(0));
    await Promise.all(lanes.map((lane) => lane.worker.terminate()));
  }

  #enqueue(records: readonly VerifyRecord[], resolve: Job['resolve']): void {
    const job: Job = { results: new Array<boolean>(records.length).fill(false), left: 0, resolve };
    for (const [index, record] of records.entries()) {
      if (!fitsRecord(record)) continue;
      job.left++;
      this.#queue.push({ record, job, index });
    }
    if (job.left === 0) resolve(job.results);
    else this.#scheduleFlush();
  }

  #scheduleFlush(): void {
    if (this.#flushScheduled) return;
    this.#flushScheduled = true;
    setImmediate(() => {
      this.#flushScheduled = false;
      this.#flush();
    });
  }

  #flush(): void {
    if (this.#verifiedHere + this.#queue.length > WORKERS_AFTER) {
      for (; this.#workersToStart > 0; this.#workersToStart--) this.#lanes.push(this.#startLane());
    }
    if (this.#lanes.length === 0) {
      const slice = this.#queue.splice(0, MAIN_THREAD_SLICE);
      this.#verifiedHere += slice.length;
      settleHere(slice);
      if (this.#queue.length > 0) this.#scheduleFlush();
      return;
    }
    const idle = this.#lanes.filter((lane) => lane.inFlight.length === 0);
    const share = Math.min(BATCH_MAX, Math.ceil(this.#queue.length / Math.max(1, idle.length)));
    for (const lane of idle) {
      if (this.#queue.length === 0) return;
      lane.inFlight = this.#queue.splice(0, share);
      const packed = packBatch(lane.inFlight.map((waiting) => waiting.record));
      lane.worker.postMessage(packed, [packed.buffer]);
    }
  }

  #startLane(): Lane {
    const worker = new Worker(new URL('./verify-worker.ts', import.meta.url));
    const lane: Lane = { worker, inFlight: [] };
    worker.on('message', (results: Uint8Array) => {
      const done = lane.inFlight;
      lane.inFlight = [];
      settle(done, results);
      this.#flush();
    });
    worker.on('error', (error) => this.#dropLane(lane, messageOf(error)));
    worker.on('exit', (code) => this.#dropLane(lane, `exit code ${code}`));
    return lane;
  }

  /** A dead worker is not replaced: the others, or in the end the main thread, take over. */
  #dropLane(lane: Lane, reason: string): void {
    if (!this.#lanes.includes(lane)) return;
    this.#lanes = this.#lanes.filter((other) => other !== lane);
    this.#queue.unshift(...lane.inFlight);
    lane.inFlight = [];
    this.#onWorkerFailure(`a signature worker ended (${reason}); ${this.#lanes.length} left`);
    this.#scheduleFlush();
  }
}

function settleHere(waiting: readonly Waiting[]): void {
  settle(waiting, verifyBatch(packBatch(waiting.map((one) => one.record))));
}

function settle(waiting: readonly Waiting[], results: Uint8Array): void {
  for (const [at, { job, index }] of waiting.entries()) {
    job.results[index] = results[at] === 1;
    job.left--;
    if (job.left === 0) job.resolve(job.results);
  }
}
