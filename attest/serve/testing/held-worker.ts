/** The thread of the influence pool, which begins each job only when the thread that started it lets it. */
import { parentPort, workerData } from 'node:worker_threads';
import type { WorkerData } from '../influence-worker.ts';

/** What it is started with. */
export interface HeldWorkerData extends WorkerData {
  /** One u32: 0 holds, others let go; waited for by `Atomics.wait`. */
  readonly held: SharedArrayBuffer;
}

const { held } = workerData as HeldWorkerData;
// Before the listener that computes.
parentPort?.on('message', () => {
  Atomics.wait(new Int32Array(held), 0, 0);
});
await import('../influence-worker.ts');
