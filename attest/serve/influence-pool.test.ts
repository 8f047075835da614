import { EventEmitter } from 'node:events';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import {
  InfluencePool,
  type InfluencePoolOptions,
  type WorkerJob,
  type WorkerReply,
  type WorkThread,
} from './influence-pool.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** A thread that does what a test says. */
class PlayedThread extends EventEmitter implements WorkThread {
  readonly jobs: WorkerJob[] = [];
  ends = 0;

  postMessage(job: WorkerJob): void {
    this.jobs.push(job);
  }

  /** As a thread does: it says that it is over. */
  async terminate(): Promise<void> {
    this.ends++;
    this.emit('exit', 1);
  }

  say(reply: WorkerReply): void {
    this.emit('message', reply);
  }

  /** Answers what it was asked last with the byte of its question. */
  answer(seconds = 0): void {
    const job = this.jobs.at(-1);
    if (job === undefined) throw new Error('it was asked nothing');
    const done =
      job.kind === 'ask'
        ? { kind: job.kind, statement: job.question.input.features }
        : { kind: job.kind, leaves: undefined };
    this.say({ kind: 'done', done, seconds });
  }
}

const LIMITS = { workers: 1, waitingMax: 2, waitMs: 100, computeMs: 1000 };

function played(options: Partial<InfluencePoolOptions> = {}) {
  const threads: PlayedThread[] = [];
  const said: string[] = [];
  const pool = new InfluencePool(
    {
      startThread: () => {
        const thread = new PlayedThread();
        threads.push(thread);
        return thread;
      },
      onRestart: (message) => said.push(message),
    },
    { ...LIMITS, ...options },
  );
  const thread = (at: number): PlayedThread => {
    const found = threads[at];
    if (found === undefined) throw new Error(`there are ${threads.length} threads`);
    return found;
  };
  return { pool, threads, thread, said };
}

/** With threads that are ready. */
async function ready(options: Partial<InfluencePoolOptions> = {}) {
  const at = played(options);
  const started = at.pool.start();
  for (const thread of at.threads) thread.say({ kind: 'ready' });
  await started;
  return at;
}

const ask = (pool: InfluencePool, byte: number): Promise<Uint8Array> =>
  pool.ask('key', { input: { features: Uint8Array.of(byte), offsets: [] }, label: 1 });
const firstBytes = ({ jobs }: PlayedThread): readonly unknown[] =>
  jobs.map((job) => (job.kind === 'ask' ? job.question.input.features[0] : 'claim'));

test('it has started when all threads are ready, and not at all when one cannot make its heads', async () => {
  const at = played({ workers: 2 });
  const order: string[] = [];
  const started = at.pool.start().then(() => order.push('started'));
  at.thread(0).say({ kind: 'ready' });
  await Promise.resolve();
  order.push('one is ready');
  at.thread(1).say({ kind: 'ready' });
  await started;
  expect([order, at.pool.counts.workers]).toEqual([['one is ready', 'started'], 2]);

  const broken = played({ workers: 2 });
  const failing = broken.pool.start();
  broken.thread(0).emit('error', new Error('example 3 of the card is malformed'));
  broken.thread(0).emit('exit', 1);
  await expect(failing).rejects.toMatchObject({
    code: 'attest.worker',
    message: expect.stringContaining('example 3 of the card is malformed'),
  });
  expect([broken.threads.length, broken.thread(1).ends, vi.getTimerCount()]).toEqual([2, 1, 0]);
  await expect(ask(broken.pool, 1)).rejects.toMatchObject({ code: 'attest.busy' });
});

test('each thread computes one job at a time, and leaves of claims go before other questions', async () => {
  const { pool, thread } = await ready();
  const first = ask(pool, 1);
  const others = [ask(pool, 2), pool.claim(Uint8Array.of(9))];
  expect([firstBytes(thread(0)), pool.counts.running, pool.counts.waiting]).toEqual([[1], 1, 2]);
  thread(0).answer(0.5);
  expect(await first).toEqual(Uint8Array.of(1));
  thread(0).answer(0.25);
  thread(0).answer();
  expect(await Promise.all(others)).toEqual([Uint8Array.of(2), undefined]);
  expect(firstBytes(thread(0))).toEqual([1, 'claim', 2]);
  const idle = { workers: 1, running: 0, waiting: 0, restarts: 0 };
  expect(pool.counts).toEqual({ ...idle, computed: 3, seconds: 0.75 });
  expect(vi.getTimerCount()).toBe(0);
});

test('all threads work', async () => {
  const { pool, threads, thread } = await ready({ workers: 2 });
  const asked = [1, 2, 3].map((byte) => ask(pool, byte));
  expect(threads.map(firstBytes)).toEqual([[1], [2]]);
  thread(1).answer();
  expect(threads.map(firstBytes)).toEqual([[1], [2, 3]]);
  for (const each of threads) each.answer();
  expect(await Promise.all(asked)).toEqual([1, 2, 3].map((byte) => Uint8Array.of(byte)));
});

test('so many of each kind wait, and the next one is told to come again', async () => {
  const { pool, thread } = await ready();
  const taken = [1, 2, 3].map((byte) => ask(pool, byte));
  await expect(ask(pool, 4)).rejects.toMatchObject({ code: 'attest.busy' });
  const claims = [1, 2].map((byte) => pool.claim(Uint8Array.of(byte)));
  await expect(pool.claim(Uint8Array.of(3))).rejects.toMatchObject({ code: 'attest.busy' });
  for (let i = 0; i < 5; i++) thread(0).answer();
  await Promise.all([...taken, ...claims]);
  expect(firstBytes(thread(0))).toEqual([1, 'claim', 'claim', 2, 3]);
});

test('what waits too long is refused and not computed', async () => {
  const { pool, thread } = await ready();
  const first = ask(pool, 1);
  const late = expect(ask(pool, 2)).rejects.toMatchObject({ code: 'attest.timeout' });
  await vi.advanceTimersByTimeAsync(100);
  await late;
  expect(pool.counts.waiting).toBe(0);
  thread(0).answer();
  await first;
  expect(firstBytes(thread(0))).toEqual([1]);
});

test('what waits for somebody who has left is not computed, what is computed goes on', async () => {
  const { pool, thread } = await ready();
  const asking = [1, 2, 3].map(() => new AbortController());
  const asked = asking.map(({ signal }, i) =>
    pool.ask(
      'key',
      { input: { features: Uint8Array.of(i + 1), offsets: [] }, label: 1 },
      { peer: 'a', signal },
    ),
  );
  const gone = { code: 'attest.gone' };
  const refused = expect(asked[1]).rejects.toMatchObject(gone);
  asking[0]?.abort();
  asking[1]?.abort();
  await refused;
  expect([pool.counts.running, pool.counts.waiting]).toEqual([1, 1]);
  thread(0).answer();
  expect(await asked[0]).toEqual(Uint8Array.of(1));
  thread(0).answer();
  expect(await asked[2]).toEqual(Uint8Array.of(3));
  expect([firstBytes(thread(0)), vi.getTimerCount()]).toEqual([[1, 3], 0]);
  const { signal } = asking[0] ?? new AbortController();
  const question = { input: { features: Uint8Array.of(4), offsets: [] }, label: 1 };
  await expect(pool.ask('key', question, { peer: 'a', signal })).rejects.toMatchObject(gone);
});

test('a thread that ends is started again; its question is refused, those that wait are answered', async () => {
  const { pool, threads, thread, said } = await ready();
  const lost = expect(ask(pool, 1)).rejects.toMatchObject({
    code: 'attest.worker',
    message: expect.stringContaining('out of memory'),
  });
  const waiting = ask(pool, 2);
  thread(0).emit('error', new Error('out of memory'));
  thread(0).emit('exit', 1);
  await lost;
  expect([said.length, said[0]]).toEqual([1, expect.stringContaining('another is started in 0 ms')]);
  await vi.advanceTimersByTimeAsync(0);
  expect([threads.length, firstBytes(thread(1))]).toEqual([2, []]);
  thread(1).say({ kind: 'ready' });
  expect(firstBytes(thread(1))).toEqual([2]);
  thread(1).answer();
  expect(await waiting).toEqual(Uint8Array.of(2));
  expect(pool.counts).toMatchObject({ workers: 1, restarts: 1, computed: 1 });
});

test('a thread that is not ready again is tried after longer and longer pauses', async () => {
  const { threads, thread, said } = await ready();
  for (const [i, pauseMs] of [0, 1000, 2000, 4000, 8000, 16_000, 32_000, 64_000, 64_000].entries()) {
    thread(i).emit('exit', 1);
    expect(said.at(-1)).toContain(`(exit code 1); another is started in ${pauseMs} ms`);
    if (pauseMs > 0) await vi.advanceTimersByTimeAsync(pauseMs - 1);
    expect(threads.length).toBe(i + 1);
    await vi.advanceTimersByTimeAsync(1);
    expect(threads.length).toBe(i + 2);
  }
  const last = thread(threads.length - 1);
  last.say({ kind: 'ready' });
  last.emit('exit', 1);
  expect(said.at(-1)).toContain('in 0 ms');
});

test('a thread that computes for too long is ended', async () => {
  const { pool, thread, said } = await ready();
  const stuck = expect(ask(pool, 1)).rejects.toMatchObject({ code: 'attest.worker' });
  await vi.advanceTimersByTimeAsync(999);
  expect(thread(0).ends).toBe(0);
  await vi.advanceTimersByTimeAsync(1);
  await stuck;
  expect([thread(0).ends, said.length, pool.counts.restarts]).toEqual([1, 1, 1]);
});

test('what a job throws is refused with its code, and its thread goes on', async () => {
  const { pool, thread } = await ready();
  const refused = expect(ask(pool, 1)).rejects.toMatchObject({ code: 'assert', message: 'no such node' });
  thread(0).say({ kind: 'failed', code: 'assert', message: 'no such node' });
  await refused;
  const next = ask(pool, 2);
  thread(0).answer();
  expect(await next).toEqual(Uint8Array.of(2));
});

test('a stop refuses what waits and what is computed, ends all threads and starts none', async () => {
  const { pool, threads, thread } = await ready({ workers: 2 });
  const code = { code: 'attest.busy' };
  const refused = [1, 2, 3].map((byte) => expect(ask(pool, byte)).rejects.toMatchObject(code));
  refused.push(expect(pool.claim(Uint8Array.of(1))).rejects.toMatchObject(code));
  await pool.stop();
  await Promise.all(refused);
  await expect(ask(pool, 4)).rejects.toMatchObject(code);
  expect([threads.map(({ ends }) => ends), vi.getTimerCount()]).toEqual([[1, 1], 0]);
  // Said before it was ended: nobody waits for it any more.
  thread(0).answer();
  expect(pool.counts).toMatchObject({ computed: 0, workers: 0, restarts: 0 });

  const restarting = await ready();
  restarting.thread(0).emit('exit', 1);
  await restarting.pool.stop();
  await vi.advanceTimersByTimeAsync(100_000);
  expect(restarting.threads.length).toBe(1);

  const starting = played();
  const never = expect(starting.pool.start()).rejects.toMatchObject(code);
  await starting.pool.stop();
  await never;
});
