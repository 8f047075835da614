/**
 * Influence on worker threads, so that a server goes on meanwhile. Each thread has all heads and computes one
 * job at a time; the others wait, first those of leaves of pending claims, for which bonds stand. A thread
 * that ends is started again, and what it computed is not tried a second time: it may be what ended it.
 */
import { Worker } from 'node:worker_threads';
import { assert, LedgerError, messageOf } from '../../core/errors.ts';
import type { Asker } from '../../serve/route.ts';
import { gone, requireThere } from './asker.ts';
import { BUSY } from './errors.ts';
import type { EngineCounts, InfluenceEngine } from './influence-engine.ts';
import type { WorkCard, WorkQuestion } from './influence-work.ts';
import type { PackedClaim } from './packed-claim.ts';

/** What a thread is told to compute. Claims are given as their bytes. */
export type WorkerJob =
  | { readonly kind: 'ask'; readonly key: string; readonly question: WorkQuestion }
  | { readonly kind: 'claim'; readonly statement: Uint8Array };

/** What came of a job. */
export type WorkerDone =
  | { readonly kind: 'ask'; readonly statement: Uint8Array }
  | { readonly kind: 'claim'; readonly leaves: PackedClaim | undefined };

/** What a thread says: once that it is ready, then to each job in its turn. */
export type WorkerReply =
  | { readonly kind: 'ready' }
  | { readonly kind: 'done'; readonly done: WorkerDone; readonly seconds: number }
  | { readonly kind: 'failed'; readonly code: string; readonly message: string };

/** What the pool needs of a thread. */
export interface WorkThread {
  on(event: 'message', listener: (reply: WorkerReply) => void): unknown;
  on(event: 'error', listener: (error: unknown) => void): unknown;
  on(event: 'exit', listener: (code: number) => void): unknown;
  postMessage(job: WorkerJob): void;
  terminate(): Promise<unknown>;
}

/** What a pool works with. */
export interface InfluencePoolPorts {
  /** Starts a thread: `influenceThread`. */
  readonly startThread: () => WorkThread;
  /** Told when a thread ended and is started again. */
  readonly onRestart: (message: string) => void;
}

/** Bounds of a pool. */
export interface InfluencePoolOptions {
  readonly workers: number;
  /** Jobs of each kind that wait; the next one is refused. */
  readonly waitingMax: number;
  /** How long a job waits for its turn. */
  readonly waitMs: number;
  /** How long a job is computed; then its thread is ended. */
  readonly computeMs: number;
}

/** For heads whose claims take a second: queues that are over within the time of a request, and far more for one. */
export const POOL_LIMITS: Omit<InfluencePoolOptions, 'workers'> = {
  waitingMax: 32,
  waitMs: 20_000,
  computeMs: 120_000,
};

/** Pauses before a thread that has not become ready is started again: 1, 2, 4 … 64 s. */
const RESTART_MS = 1_000;
const RESTART_DOUBLINGS_MAX = 6;

/** A thread with these heads. */
export function influenceThread(cards: readonly WorkCard[]): Worker {
  return new Worker(new URL('./influence-worker.ts', import.meta.url), { workerData: { cards } });
}

interface Pending {
  readonly job: WorkerJob;
  readonly resolve: (done: WorkerDone) => void;
  readonly reject: (error: LedgerError) => void;
  /** Of its waiting, then of its being computed. */
  timer: NodeJS.Timeout | undefined;
}

interface Lane {
  readonly thread: WorkThread;
  /** How many before it ended in a row without having been ready. */
  readonly failures: number;
  isReady: boolean;
  current: Pending | undefined;
}

/** See the file comment. */
export class InfluencePool implements InfluenceEngine {
  readonly #ports: InfluencePoolPorts;
  readonly #options: InfluencePoolOptions;
  readonly #lanes = new Set<Lane>();
  readonly #waiting: Readonly<Record<WorkerJob['kind'], Pending[]>> = { claim: [], ask: [] };
  readonly #restarts = new Set<NodeJS.Timeout>();
  #starting: { readonly resolve: () => void; readonly reject: (error: LedgerError) => void } | undefined;
  #isStopped = false;
  #computed = 0;
  #seconds = 0;
  #restarted = 0;

  constructor(ports: InfluencePoolPorts, options: InfluencePoolOptions) {
    this.#ports = ports;
    this.#options = options;
  }

  /**
   * Starts the threads; resolves when all of them have made their heads.
   * @throws LedgerError `attest.worker` when one of them cannot
   */
  async start(): Promise<void> {
    try {
      await new Promise<void>((resolve, reject) => {
        this.#starting = { resolve, reject };
        for (let i = 0; i < this.#options.workers; i++) this.#startLane(0);
      });
    } catch (error) {
      await this.stop();
      throw error;
    } finally {
      this.#starting = undefined;
    }
  }

  /** Ends the threads; what waits or is computed is refused. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#starting?.reject(stopped());
    for (const timer of this.#restarts) clearTimeout(timer);
    const lanes = [...this.#lanes];
    this.#lanes.clear();
    const computed = lanes.flatMap(({ current }) => current ?? []);
    for (const pending of [...computed, ...this.#waiting.claim.splice(0), ...this.#waiting.ask.splice(0)])
      refuse(pending, stopped());
    await Promise.all(lanes.map(({ thread }) => thread.terminate()));
  }

  get counts(): EngineCounts {
    const lanes = [...this.#lanes];
    return {
      workers: lanes.filter(({ isReady }) => isReady).length,
      running: lanes.filter(({ current }) => current !== undefined).length,
      waiting: this.#waiting.claim.length + this.#waiting.ask.length,
      computed: this.#computed,
      seconds: this.#seconds,
      restarts: this.#restarted,
    };
  }

  async ask(key: string, question: WorkQuestion, asker?: Asker): Promise<Uint8Array> {
    const done = await this.#submit({ kind: 'ask', key, question }, asker);
    assert(done.kind === 'ask', 'a thread answered something else');
    return done.statement;
  }

  async claim(statement: Uint8Array): Promise<PackedClaim | undefined> {
    const done = await this.#submit({ kind: 'claim', statement });
    assert(done.kind === 'claim', 'a thread answered something else');
    return done.leaves;
  }

  async #submit(job: WorkerJob, asker?: Asker): Promise<WorkerDone> {
    const { waitingMax, waitMs } = this.#options;
    const queue = this.#waiting[job.kind];
    requireThere(asker);
    if (this.#isStopped) throw stopped();
    const isIdle = [...this.#lanes].some(({ isReady, current }) => isReady && current === undefined);
    if (!isIdle && queue.length >= waitingMax)
      throw new LedgerError(BUSY, `${waitingMax} questions about influence wait already; come again`);
    let leave = (): void => undefined;
    const done = new Promise<WorkerDone>((resolve, reject) => {
      const pending: Pending = { job, resolve, reject, timer: undefined };
      const drop = (error: LedgerError): void => {
        const at = queue.indexOf(pending);
        if (at < 0) return; // it is being computed
        queue.splice(at, 1);
        refuse(pending, error);
      };
      const message = `influence was not begun within ${waitMs} ms: others wait too; come again`;
      pending.timer = setTimeout(() => drop(new LedgerError('attest.timeout', message)), waitMs);
      leave = () => drop(gone());
      queue.push(pending);
      this.#dispatch();
    });
    asker?.signal.addEventListener('abort', leave);
    try {
      return await done;
    } finally {
      asker?.signal.removeEventListener('abort', leave);
    }
  }

  #dispatch(): void {
    for (const lane of this.#lanes) {
      if (!lane.isReady || lane.current !== undefined) continue;
      const next = this.#waiting.claim.shift() ?? this.#waiting.ask.shift();
      if (next === undefined) return;
      lane.current = next;
      clearTimeout(next.timer);
      const { computeMs } = this.#options;
      next.timer = setTimeout(() => this.#dropLane(lane, `computed for ${computeMs} ms`), computeMs);
      lane.thread.postMessage(next.job);
    }
  }

  #startLane(failures: number): void {
    const lane: Lane = { thread: this.#ports.startThread(), failures, isReady: false, current: undefined };
    this.#lanes.add(lane);
    lane.thread.on('message', (reply) => this.#hear(lane, reply));
    lane.thread.on('error', (error) => this.#dropLane(lane, messageOf(error)));
    lane.thread.on('exit', (code) => this.#dropLane(lane, `exit code ${code}`));
  }

  #hear(lane: Lane, reply: WorkerReply): void {
    if (!this.#lanes.has(lane)) return;
    if (reply.kind === 'ready') {
      lane.isReady = true;
      if (this.counts.workers === this.#options.workers) this.#starting?.resolve();
    } else this.#settle(lane, reply);
    this.#dispatch();
  }

  #settle(lane: Lane, reply: Exclude<WorkerReply, { readonly kind: 'ready' }>): void {
    const pending = lane.current;
    assert(pending !== undefined, 'a thread answered what it was not asked');
    lane.current = undefined;
    clearTimeout(pending.timer);
    if (reply.kind === 'failed') {
      pending.reject(new LedgerError(reply.code, reply.message));
      return;
    }
    this.#computed++;
    this.#seconds += reply.seconds;
    pending.resolve(reply.done);
  }

  /** An error is followed by an exit: the second is of a lane that is gone. */
  #dropLane(lane: Lane, reason: string): void {
    if (!this.#lanes.delete(lane)) return;
    void lane.thread.terminate();
    if (this.#starting !== undefined && !lane.isReady) {
      this.#starting.reject(ended(`a thread cannot make the heads of influence (${reason})`));
      return;
    }
    const what = `a thread that computes influence ended (${reason})`;
    if (lane.current !== undefined)
      refuse(lane.current, ended(`${what} and is started again; this question was not answered`));
    this.#restarted++;
    const failures = lane.isReady ? 0 : lane.failures + 1;
    const pauseMs = failures === 0 ? 0 : RESTART_MS * 2 ** Math.min(failures - 1, RESTART_DOUBLINGS_MAX);
    this.#ports.onRestart(`${what}; another is started in ${pauseMs} ms`);
    const timer = setTimeout(() => {
      this.#restarts.delete(timer);
      this.#startLane(failures);
    }, pauseMs);
    this.#restarts.add(timer);
  }
}

function refuse({ timer, reject }: Pending, error: LedgerError): void {
  clearTimeout(timer);
  reject(error);
}

function stopped(): LedgerError {
  return new LedgerError(BUSY, 'the server is being stopped; come again');
}

function ended(message: string): LedgerError {
  return new LedgerError('attest.worker', message);
}
