/** Bounds of requests, to the byte, and what is told of what goes wrong. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { Registry } from 'prom-client';
import { afterEach, expect, test } from 'vitest';
import { SERVER_LIMITS } from './limits.ts';
import { json, type Reply } from './reply.ts';
import type { Route } from './route.ts';
import { HttpServer } from './server.ts';

const ends: (() => unknown)[] = [];
afterEach(async () => {
  await Promise.all(ends.splice(0).map((end) => end()));
});

async function serve(answer: Route['answer'], method: Route['method'] = 'POST') {
  const cuts: string[] = [];
  const server = new HttpServer(
    {
      routes: [{ method, path: '/:name', answer }],
      metrics: {
        registry: new Registry(),
        request: () => undefined,
        cut: (reason) => void cuts.push(reason),
        readUnsent: () => undefined,
      },
      logger: { warn: () => undefined },
    },
    {
      ...{ host: '127.0.0.1', port: 0 },
      limits: { ...SERVER_LIMITS, bodyBytesMax: 10, uriLengthMax: 20, answerMs: 600_000 },
      errors: { codespace: 'gateway', statuses: {} },
    },
  );
  await server.start();
  ends.push(() => server.stop());
  return { url: server.url, port: Number(new URL(server.url).port), cuts };
}

/** What a server says to this, until it closes the connection or has said so much. */
async function said(port: number, text: string, until: (said: string) => boolean): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  ends.unshift(() => socket.destroy());
  await once(socket, 'connect');
  socket.write(text);
  let all = '';
  for await (const part of socket) {
    all += part;
    if (until(all)) break;
  }
  return all;
}

const echo: Route['answer'] = ({ body }): Reply => json({ bytes: body.length });

test.each([
  ['with its length', (bytes: number) => `Content-Length: ${bytes}\r\n\r\n${'x'.repeat(bytes)}`],
  [
    'in chunks',
    (bytes: number) =>
      `Transfer-Encoding: chunked\r\n\r\n9\r\n${'x'.repeat(9)}\r\n` +
      `${bytes - 9}\r\n${'x'.repeat(bytes - 9)}\r\n0\r\n\r\n`,
  ],
])('a body %s may be as long as it may be, no longer', async (_, body) => {
  const { port } = await serve(echo);
  const ask = (bytes: number): Promise<string> =>
    said(port, `POST /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${body(bytes)}`, () => false);
  expect(await ask(10)).toContain('{"bytes":10}');
  expect(await ask(11)).toMatch(/^HTTP\/1\.1 413 [\s\S]*gateway\.body/);
});

test('a body that is announced as too long is refused before it is sent', async () => {
  const { port } = await serve(echo);
  const head = 'POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n';
  expect(await said(port, head, (all) => all.includes('gateway.body'))).toContain('HTTP/1.1 413');
});

test('a URI may be as long as it may be, no longer', async () => {
  const { url } = await serve(echo, 'GET');
  expect((await fetch(`${url}/${'a'.repeat(19)}`)).status).toBe(200);
  expect((await fetch(`${url}/${'a'.repeat(20)}`)).status).toBe(400);
});

test('four requests of a connection may wait for their answers, the fifth closes it', async () => {
  const ask = 'GET /a HTTP/1.1\r\nHost: a\r\n\r\n';
  let release: () => void = () => undefined;
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const waiting: Route['answer'] = async () => {
    await released;
    return json({ done: true });
  };
  const { port, cuts } = await serve(waiting, 'GET');
  await said(port, ask.repeat(5), () => false);
  expect(cuts).toEqual(['pipelined']);
  release();
  const answered = (all: string): boolean => all.split('200 OK').length === 5;
  expect((await said(port, ask.repeat(4), answered)).split('200 OK')).toHaveLength(5);
  expect(cuts).toEqual(['pipelined']);
});

test('HEAD has the length of the answer and none of it', async () => {
  const { port } = await serve(() => json({ secret: 1 }), 'GET');
  const text = await said(port, 'HEAD /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n', () => false);
  expect(text).toContain('Content-Length: 13');
  expect(text).not.toContain('secret');
});

test('who is asked is told when the asker has left', async () => {
  let left: Promise<unknown> = Promise.resolve();
  let begun: () => void = () => undefined;
  const asked = new Promise<void>((resolve) => {
    begun = resolve;
  });
  const { port } = await serve(async ({ asker }) => {
    left = once(asker.signal, 'abort');
    begun();
    await left;
    return json({});
  }, 'GET');
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  socket.write('GET /a HTTP/1.1\r\nHost: a\r\n\r\n');
  await asked;
  socket.destroy();
  await left;
});

test('what is our own mistake is told nobody', async () => {
  const { url } = await serve(() => {
    throw new RangeError('the password is swordfish');
  }, 'GET');
  const reply = await fetch(`${url}/a`);
  const text = await reply.text();
  expect([reply.status, text.includes('swordfish')]).toEqual([500, false]);
  expect(text).toContain('gateway.internal');
});
