import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { connect, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { peerKey } from './connections.ts';
import { engineHere } from '../attest/serve/influence-engine.ts';
import { ServeMetrics } from '../attest/serve/metrics.ts';
import { SERVER_LIMITS, type ServerLimits } from './limits.ts';
import { immutableBytes, json } from './reply.ts';
import type { Route } from './route.ts';
import { HttpServer } from './server.ts';

const ends: (() => unknown)[] = [];
afterEach(async () => {
  await Promise.all(ends.splice(0).map((end) => end()));
});

/** More than the kernel takes for a client that does not read. */
const LARGE = Buffer.alloc(1 << 24);

interface Setting {
  readonly limits: Partial<ServerLimits>;
  readonly asked?: () => void;
  /** Makes the large answer. */
  readonly make?: () => Buffer;
}

interface Served {
  readonly url: string;
  /** A connection that sends this and never reads. */
  readonly stall: (text: string) => Promise<Socket>;
  /** Resolves when so many connections were cut; the reasons. */
  readonly cuts: (count: number) => Promise<readonly string[]>;
  /** What is in metrics. */
  readonly metrics: () => Promise<string>;
}

const GAUGES = {
  ...{ running: () => 0, waiting: () => 0, shards: () => 0, tokens: () => 0, cards: () => 0 },
  ...{ keptBytes: () => 0, engine: () => engineHere([]).counts },
};

async function serve({ limits, asked = () => undefined, make = () => LARGE }: Setting): Promise<Served> {
  const reasons: string[] = [];
  let changed = (): void => undefined;
  class Watched extends ServeMetrics {
    override cut(reason: Parameters<ServeMetrics['cut']>[0]): void {
      super.cut(reason);
      reasons.push(reason);
      changed();
    }
  }
  const large: Route['answer'] = () => {
    asked();
    return immutableBytes({ bytes: LARGE.length, make });
  };
  const routes: readonly Route[] = [
    { method: 'GET', path: '/large', answer: large },
    { method: 'GET', path: '/small', answer: () => json({}) },
  ];
  const metrics = new Watched(GAUGES);
  const logger = { info: () => undefined, warn: () => undefined };
  const server = new HttpServer(
    { routes, metrics, logger },
    {
      ...{ host: '127.0.0.1', port: 0, limits: { ...SERVER_LIMITS, ...limits } },
      errors: { codespace: 'attest', statuses: {} },
    },
  );
  await server.start();
  ends.push(() => server.stop());
  const stall = async (text: string): Promise<Socket> => {
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1').pause();
    socket.on('error', () => undefined);
    ends.unshift(() => socket.destroy());
    await once(socket, 'connect');
    socket.write(text);
    return socket;
  };
  const cuts = async (count: number): Promise<readonly string[]> => {
    while (reasons.length < count)
      await new Promise<void>((resolve) => {
        changed = resolve;
      });
    return reasons;
  };
  return { url: server.url, stall, cuts, metrics: () => metrics.registry.metrics() };
}

const ask = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`;

/** Resolves after so many calls. */
function calls(count: number): { readonly call: () => void; readonly done: Promise<void> } {
  let left = count;
  let resolve = (): void => undefined;
  const done = new Promise<void>((each) => {
    resolve = each;
  });
  return {
    call: () => {
      left--;
      if (left === 0) resolve();
    },
    done,
  };
}

// macOS has no second address of its own to come from.
test.skipIf(process.platform === 'darwin')(
  'an address whose connections are all stalled is refused more; another one is served',
  async () => {
    const three = calls(3);
    const limits = { connectionsPerAddressMax: 3, unsentBytesPerAddressMax: 1 << 30 };
    const { url, stall, cuts, metrics } = await serve({ limits, asked: three.call });
    for (let i = 0; i < 3; i++) await stall(ask('/large'));
    await three.done;
    expect((await fetch(`${url}/small`)).status).toBe(429);
    expect(await cuts(1)).toEqual(['address']);
    const [response] = await once(
      httpRequest(`${url}/small`, { localAddress: '127.0.0.2' }).end(),
      'response',
    );
    expect(response.statusCode).toBe(200);
    response.resume();
    expect(await metrics()).toContain('attest_serve_connections_cut_total{reason="address"} 1');
  },
);

test('whoever does not take its answer, or sends no request, loses its connection; its place is free', async () => {
  const times = { sendMs: 20, sendBytesPerSecondMin: 1 << 30, requestMs: 200 };
  const limits = { connectionsMax: 4, unsentBytesPerAddressMax: 1 << 30, ...times };
  const { url, stall, cuts, metrics } = await serve({ limits });
  for (let i = 0; i < 2; i++) await stall(ask('/large'));
  await stall('');
  await stall('GET /small HTT');
  expect((await cuts(4)).toSorted()).toEqual(['request', 'request', 'stalled', 'stalled']);
  expect((await fetch(`${url}/small`)).status).toBe(200);
  expect(await metrics()).toContain('attest_serve_unsent_bytes 0');
});

test('more connections than there may be are closed and counted', async () => {
  const { stall, cuts } = await serve({ limits: { connectionsMax: 1 } });
  await stall('');
  await stall('');
  expect(await cuts(1)).toEqual(['full']);
});

test('requests ahead of their answers are answered in turn, a few at most', async () => {
  let asked = 0;
  const one = calls(1);
  const call = (): void => {
    asked++;
    one.call();
  };
  const { url, stall, cuts } = await serve({ limits: {}, asked: call });
  await stall(ask('/large').repeat(3));
  await one.done;
  const socket = await stall(ask('/small').repeat(3));
  let text = '';
  socket.on('data', (part: Buffer) => {
    text += part.toString();
    if (text.split('200 OK').length === 4) socket.end();
  });
  socket.resume();
  await once(socket, 'close');
  expect(text.split('200 OK')).toHaveLength(4);
  expect(asked).toBe(1);
  await stall(ask('/large').repeat(400));
  expect(await cuts(1)).toEqual(['pipelined']);
  expect((await fetch(`${url}/small`)).status).toBe(200);
});

test('when too many bytes wait to be read, large answers are told to come again, small ones are sent', async () => {
  for (const bound of ['unsentBytesMax', 'unsentBytesPerAddressMax']) {
    const one = calls(1);
    let made = 0;
    const make = (): Buffer => {
      made++;
      one.call();
      return LARGE;
    };
    const { url, stall, metrics } = await serve({ limits: { [bound]: LARGE.length }, make });
    await stall(ask('/large'));
    await one.done;
    const refused = await fetch(`${url}/large`);
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1']);
    expect(await refused.text()).toContain('wait to be read');
    expect(made, 'what is not sent is not made').toBe(1);
    expect((await fetch(`${url}/small`)).status).toBe(200);
    expect(await metrics()).toContain(`attest_serve_unsent_bytes ${LARGE.length}`);
  }
});

test('an answer that cannot be made is our mistake, and the room that it took is free again', async () => {
  const make = (): Buffer => {
    throw new Error('the disk is gone');
  };
  const { url, metrics } = await serve({ limits: { unsentBytesPerAddressMax: LARGE.length }, make });
  for (let i = 0; i < 2; i++) {
    const failed = await fetch(`${url}/large`);
    expect([failed.status, await failed.text()]).toEqual([500, expect.not.stringContaining('disk')]);
  }
  expect(await metrics()).toContain('attest_serve_unsent_bytes 0');
});

test('an address is known by what one host has', () => {
  expect(peerKey('::ffff:10.0.0.1')).toBe('10.0.0.1');
  expect(peerKey('2001:db8::1')).toBe(peerKey('2001:db8:0:0:ffff::2'));
  expect(peerKey('2001:db8:0:1::1')).not.toBe(peerKey('2001:db8::1'));
  expect(peerKey('::1')).toBe('0:0:0:0');
});
