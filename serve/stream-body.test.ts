import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { once } from 'node:events';
import { afterEach, expect, test } from 'vitest';
import { sendStream, type StreamBody } from './stream-body.ts';

const ends: (() => unknown)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

/** A server of one body; how its answers ended, and what was cut. */
async function serve(body: StreamBody, sendMs = 60_000) {
  const ended: Promise<void>[] = [];
  let cuts = 0;
  const server = createServer((_, response) => {
    const over = sendStream(response, body, { sendMs, onStalled: () => cuts++ });
    ended.push(over);
    over.catch(() => undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ends.push(() => server.close());
  const { port } = server.address() as AddressInfo;
  return { port, ended, cuts: () => cuts, url: `http://127.0.0.1:${port}` };
}

const LARGE = 'x'.repeat(1 << 20);

test('a body comes part by part, each before the next is made', async () => {
  let read: (() => void) | undefined;
  const { url } = await serve({
    async sendTo(send) {
      await send('one');
      await new Promise<void>((resolve) => {
        read = resolve;
      });
      await send('two');
    },
  });
  const response = await fetch(url);
  const parts: string[] = [];
  for await (const part of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    parts.push(part);
    read?.();
  }
  expect(parts).toEqual(['one', 'two']);
});

test('who does not read is cut, and the body is told; so is the body of who leaves', async () => {
  let sent = 0;
  const endless: StreamBody = {
    async sendTo(send, signal) {
      for (sent = 0; !signal.aborted; sent++) await send(LARGE);
    },
  };
  for (const { sendMs, leaves } of [
    { sendMs: 20, leaves: false },
    { sendMs: 60_000, leaves: true },
  ]) {
    const { port, ended, cuts } = await serve(endless, sendMs);
    const socket = connect(port, '127.0.0.1');
    ends.push(() => socket.destroy());
    socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    socket.pause();
    await once(socket, leaves ? 'ready' : 'readable').catch(() => undefined);
    while (ended.length === 0) await new Promise((resolve) => setImmediate(resolve));
    if (leaves) socket.destroy();
    await ended[0];
    expect([cuts(), sent < 100]).toEqual([leaves ? 0 : 1, true]);
  }
});

test('a body that fails cuts the answer: nobody takes it for a whole one', async () => {
  const { url, ended } = await serve({
    async sendTo(send) {
      await send('one');
      throw new RangeError('broken');
    },
  });
  await expect(fetch(url).then((response) => response.text())).rejects.toThrow();
  await expect(ended[0]).rejects.toThrow('broken');
});
