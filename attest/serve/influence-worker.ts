/** A thread of the influence pool: makes its heads, says that it is ready, answers one job after another. */
import { parentPort, workerData } from 'node:worker_threads';
import { LedgerError, messageOf } from '../../core/errors.ts';
import type { WorkerDone, WorkerJob, WorkerReply } from './influence-pool.ts';
import { InfluenceWork, type WorkCard } from './influence-work.ts';

/** What a thread is started with. */
export interface WorkerData {
  readonly cards: readonly WorkCard[];
}

function run(work: InfluenceWork, job: WorkerJob): WorkerDone {
  switch (job.kind) {
    case 'ask':
      return { kind: 'ask', statement: work.ask(job.key, job.question) };
    case 'claim':
      return { kind: 'claim', leaves: work.claim(job.statement) };
  }
}

/** Leaves are handed over, not copied. */
function send(reply: WorkerReply): void {
  const leaves = reply.kind === 'done' && reply.done.kind === 'claim' ? reply.done.leaves : undefined;
  parentPort?.postMessage(reply, leaves === undefined ? [] : [leaves.bytes.buffer, leaves.ends.buffer]);
}

const { cards } = workerData as WorkerData;
const work = new InfluenceWork(cards);
parentPort?.on('message', (job: WorkerJob) => {
  const begun = performance.now();
  try {
    const done = run(work, job);
    send({ kind: 'done', done, seconds: (performance.now() - begun) / 1000 });
  } catch (error) {
    const code = error instanceof LedgerError ? error.code : 'attest.internal';
    send({ kind: 'failed', code, message: messageOf(error) });
  }
});
send({ kind: 'ready' });
