import { createServer, type RequestListener } from 'node:http';
import { afterEach, expect, test } from 'vitest';
import { utf8 } from '../../core/bytes.ts';
import { contentRoot } from '../../modules/attribution/verify.ts';
import { attestService } from '../serve/service.ts';
import { smallChain, smallLibrary, TEXTS } from '../serve/testing/library.ts';
import { httpPublishers } from './http-publisher.ts';

const stops: (() => Promise<void>)[] = [];

afterEach(async () => {
  await Promise.all(stops.splice(0).map((stop) => stop()));
});

const open = httpPublishers({ timeMs: 300, retries: 1 });

async function hostile(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  stops.push(
    () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  );
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
}

test('reads what an attestor serves', async () => {
  const library = smallLibrary();
  const logger = { info: () => undefined, warn: () => undefined };
  const { server } = attestService(
    { library, chain: smallChain(), logger },
    { host: '127.0.0.1', port: 0, limits: { piecesMax: 16 } },
  );
  await server.start();
  stops.push(() => server.stop());
  const publisher = open(`${server.url}/`);
  const [shard] = library.list();
  const key = shard?.key ?? '';
  expect(await publisher.leaves(key, 'documents', { from: 1, count: 16 })).toEqual(
    [1, 2].map((i) => shard?.reader.leaf('documents', i)),
  );
  expect(await publisher.nodes(key, 'suffix', { level: 2, from: 1, count: 2 })).toEqual(
    [1, 2].map((i) => Uint8Array.from(shard?.reader.node('suffix', 2, i) ?? [])),
  );
  expect(await publisher.leaves(key, 'text', { from: 0, count: 17 })).toBeUndefined();
  const text = utf8(TEXTS[0] ?? '');
  const content = await publisher.content(contentRoot(text), text.length);
  expect(content).toEqual(text);
  // Held once.
  expect(content?.buffer.byteLength).toBe(text.length);
  expect(await publisher.content(contentRoot(text), text.length - 1)).toBeUndefined();
  expect(await publisher.content(contentRoot(utf8('no')), 2)).toBeUndefined();
});

test('takes no more than was asked for, waits no longer than it may, and follows nobody elsewhere', async () => {
  let asked = 0;
  const listeners: readonly RequestListener[] = [
    (_, response) => void response.end(Buffer.alloc(5000)),
    () => void asked++,
    (_, response) => void response.writeHead(302, { Location: 'http://127.0.0.1:1/' }).end(),
    (_, response) => void response.writeHead(500).end(),
    (_, response) => void response.destroy(),
  ];
  for (const listener of listeners) {
    const publisher = open(await hostile(listener));
    expect(await publisher.nodes('00', 'text', { level: 1, from: 0, count: 1 })).toBeUndefined();
  }
  expect(asked).toBe(2);
  for (const endpoint of ['ftp://a', 'nonsense', ''])
    expect(await open(endpoint).content(new Uint8Array(32), 5)).toBeUndefined();
  const liar = open(await hostile((_, response) => void response.end(Buffer.alloc(8, 255))));
  expect(await liar.leaves('00', 'text', { from: 0, count: 1 })).toBeUndefined();
});

test('asks no more, and waits no more, when it is told to stop', async () => {
  const stop = new AbortController();
  let asked = 0;
  const endpoint = await hostile(() => {
    asked++;
    stop.abort();
  });
  const publisher = httpPublishers({ timeMs: 1_000_000, retries: 5 })(endpoint, stop.signal);
  for (let question = 0; question < 2; question++)
    expect(await publisher.content(new Uint8Array(32), 5)).toBeUndefined();
  expect(asked).toBe(1);
});
