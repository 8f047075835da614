import { afterEach, expect, test } from 'vitest';
import { ask, type AskLimits } from './asking.ts';
import { type HostileServer, hostileServer } from '../attest/watch/testing/hostile-server.ts';
import { ManualTimers } from '../attest/watch/testing/manual-timers.ts';

const servers: HostileServer[] = [];

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.stop()));
});

const LIMITS: AskLimits = { timeMs: 30_000, retries: 1 };

/** Asks a server for a text; an error is told by its message. */
async function asking(listener: Parameters<typeof hostileServer>[0], signal?: AbortSignal) {
  const server = await hostileServer(listener);
  servers.push(server);
  const timers = new ManualTimers();
  const question = { url: server.url, read: (response: Response) => response.text() };
  const asker = { limits: LIMITS, timers, ...(signal === undefined ? {} : { signal }) };
  const answer = ask(question, asker).catch((error: Error) => error.message);
  return { server, timers, answer };
}

test('who never answers is asked again, and then no more', async () => {
  const { server, timers, answer } = await asking(() => undefined);
  await server.arrived(1);
  await timers.pass(30_000);
  await timers.pass(100);
  await server.arrived(2);
  await timers.pass(30_000);
  expect(await answer).toBe('no answer: not within 30000 ms');
  expect([server.asked(), timers.pending]).toEqual([2, 0]);
});

test('of who sends half of an answer and then nothing the time runs on', async () => {
  const { server, timers, answer } = await asking((before, _, response) => {
    if (before > 0) response.end('whole');
    else response.writeHead(200, { 'Content-Length': 100 }).write('half');
  });
  await server.arrived(1);
  // What has arrived was given to the reader.
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
  await timers.pass(30_000);
  await timers.pass(100);
  expect([await answer, server.asked()]).toEqual(['whole', 2]);
});

test('an answer that breaks off, and an error of the server, are no answers', async () => {
  const broken = await asking((before, _, response) => {
    if (before > 0) response.end('whole');
    else response.writeHead(200, { 'Content-Length': 100 }).write('half', () => response.destroy());
  });
  await broken.timers.pass(100);
  expect(await broken.answer).toBe('whole');
  const failing = await asking((_, __, response) => void response.writeHead(500).end());
  await failing.timers.pass(100);
  expect([await failing.answer, failing.server.asked()]).toEqual(['no answer: HTTP status 500', 2]);
});

test('who is busy is asked again when he says, in seconds or by a date', async () => {
  const date = new Date(1_000_000_000_000 + 2000 + 5000).toUTCString();
  const { server, timers, answer } = await asking((before, _, response) => {
    if (before === 0) response.writeHead(503, { 'Retry-After': '2' }).end();
    else if (before === 1) response.writeHead(429, { 'Retry-After': date }).end();
    else response.end('here');
  });
  await timers.pass(2000);
  await timers.pass(5000);
  expect([await answer, server.asked()]).toEqual(['here', 3]);
});

test('who is busy without end is waited for no longer than an answer may take', async () => {
  const { server, timers, answer } = await asking(
    (_, __, response) => void response.writeHead(503, { 'Retry-After': '11' }).end(),
  );
  await timers.pass(11_000);
  await timers.pass(11_000);
  expect([await answer, server.asked()]).toEqual(['no answer: HTTP status 503', 3]);
  const longer = await asking(
    (_, __, response) => void response.writeHead(503, { 'Retry-After': '31' }).end(),
  );
  expect([await longer.answer, longer.server.asked()]).toEqual(['no answer: HTTP status 503', 1]);
  const atOnce = await asking(
    (_, __, response) => void response.writeHead(503, { 'Retry-After': '0' }).end(),
  );
  for (let pause = 0; pause < 120; pause++) await atOnce.timers.pass(250);
  expect([await atOnce.answer, atOnce.server.asked()]).toEqual(['no answer: HTTP status 503', 121]);
});

test('a pause that makes no sense is none, and an error that is not about being busy has none', async () => {
  for (const [status, header] of [
    [503, 'soon'],
    [503, '-1'],
    [500, '7'],
  ] as const) {
    const { timers, answer } = await asking(
      (_, __, response) => void response.writeHead(status, { 'Retry-After': header }).end(),
    );
    await timers.pass(100);
    expect(await answer).toBe(`no answer: HTTP status ${status}`);
  }
});

test('when it is told to stop, it ends a question and a pause at once', async () => {
  const question = new AbortController();
  const hanging = await asking(() => undefined, question.signal);
  await hanging.server.arrived(1);
  question.abort();
  expect(await hanging.answer).toBe('no answer: it was told to stop');
  const pause = new AbortController();
  const busy = await asking(
    (_, __, response) => void response.writeHead(503, { 'Retry-After': '9' }).end(),
    pause.signal,
  );
  while (!busy.timers.set.includes(9000)) await new Promise((resolve) => setImmediate(resolve));
  pause.abort();
  expect(await busy.answer).toBe('no answer: HTTP status 503');
  expect([busy.server.asked(), busy.timers.pending]).toEqual([1, 0]);
  const before = await asking(() => undefined, AbortSignal.abort());
  expect([await before.answer, before.server.asked()]).toEqual(['no answer: it was told to stop', 0]);
});

test('what must not be asked twice is asked once, also when the answer is to come again', async () => {
  const busy = await hostileServer(
    (_, __, response) => void response.writeHead(503, { 'Retry-After': '0' }).end(),
  );
  servers.push(busy);
  const asker = { limits: { timeMs: 30_000, retries: 0 }, timers: new ManualTimers() };
  const answer = ask({ url: busy.url, read: (response) => response.text() }, asker);
  await expect(answer).rejects.toThrow('no answer: HTTP status 503');
  expect([busy.asked(), asker.timers.pending]).toEqual([1, 0]);
});

test('who takes his time to say that he is busy has no more of it than who is silent', async () => {
  const manual = new ManualTimers();
  let tookMs = 0;
  const slow = await hostileServer((_, __, response) => {
    tookMs += 14_000;
    response.writeHead(503, { 'Retry-After': '0' }).end();
  });
  servers.push(slow);
  const timers = { now: () => manual.now() + tookMs, after: manual.after.bind(manual) };
  const question = { url: slow.url, read: (response: Response) => response.text() };
  const answer = ask(question, { limits: LIMITS, timers }).catch((error: Error) => error.message);
  await manual.pass(250);
  await manual.pass(250);
  expect([await answer, slow.asked()]).toEqual(['no answer: HTTP status 503', 3]);
});
