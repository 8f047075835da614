import { multiaddr } from '@multiformats/multiaddr';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { STATUS_PROTOCOL, wireName } from './channels.ts';
import { RESPONSE_OK } from './dispatch.ts';
import { encodeFrame } from './frame.ts';
import { createHost } from './host.ts';
import { nodeKey } from './identity.ts';
import { DEFAULT_LIMITS, type Network, type ProtocolSpec } from './network.ts';
import { encodeStatus } from './status.ts';
import { readFrame } from './streams.ts';
import { libp2pWorld, testKey, testOptions, type World } from './testing.ts';
import { systemTimers } from './timers.ts';

const ANSWER_BYTES = 100_000;
const BLOCKS: ProtocolSpec = {
  name: 'blocks',
  version: 1,
  requestBytesMax: 100,
  responseBytesMax: ANSWER_BYTES,
  concurrentMax: 8,
};
const TIMEOUT = { timeoutMs: 20_000 };
const RATE = 200_000;

let world: World;

beforeEach(() => {
  world = libp2pWorld();
});
afterEach(() => world.close());

async function serverWith(
  answers: typeof DEFAULT_LIMITS.answers,
  { answerWaitMs } = DEFAULT_LIMITS,
): Promise<Network> {
  const limits = { ...DEFAULT_LIMITS, answers, answerWaitMs };
  const server = await world.create({ protocols: [BLOCKS], limits });
  server.serve(BLOCKS.name, () => new Uint8Array(ANSWER_BYTES));
  await server.start();
  return server;
}

async function asker(server: Network): Promise<Network> {
  const client = await world.create({ protocols: [BLOCKS] });
  await client.start();
  await client.dial(server.listenAddresses()[0] ?? '');
  return client;
}

const ask = (client: Network, server: Network): Promise<Uint8Array> =>
  client.request(server.nodeId, BLOCKS.name, Uint8Array.of(1), TIMEOUT);

test('a peer is answered no faster than its rate, and all of it; another peer does not wait', async () => {
  const answers = { ...DEFAULT_LIMITS.answers, bytesPerSecondMax: RATE, bytesBurstMax: ANSWER_BYTES };
  const server = await serverWith(answers);
  const client = await asker(server);
  const startMs = performance.now();
  const asked = 5;
  for (let i = 0; i < asked; i++) expect(await ask(client, server)).toHaveLength(ANSWER_BYTES);
  // The first is the burst, the second makes the debt that the third waits for.
  const leastMs = ((asked - 2) * ANSWER_BYTES * 1_000) / RATE;
  expect(performance.now() - startMs).toBeGreaterThan(leastMs * 0.95);
  expect(server.metrics.throttled).toBeGreaterThan(0);

  const throttledBefore = server.metrics.throttled;
  const other = await asker(server);
  expect(await ask(other, server)).toHaveLength(ANSWER_BYTES);
  expect(server.metrics.throttled).toBe(throttledBefore);
});

test('requests are counted, too, however small their answers', async () => {
  const server = await serverWith({
    ...DEFAULT_LIMITS.answers,
    messagesPerSecondMax: 10,
    messagesBurstMax: 2,
  });
  const client = await asker(server);
  const startMs = performance.now();
  const asked = 8;
  await Promise.all(Array.from({ length: asked }, () => ask(client, server)));
  await ask(client, server);
  expect(performance.now() - startMs).toBeGreaterThan(300);
  expect(server.metrics.throttled).toBeGreaterThan(0);
});

test('a peer that is gone leaves nothing waiting', async () => {
  const answers = { ...DEFAULT_LIMITS.answers, bytesPerSecondMax: 30_000, bytesBurstMax: 1 };
  const server = await serverWith(answers);
  const client = await asker(server);
  await ask(client, server);
  const waiting = ask(client, server);
  const failed = expect(waiting).rejects.toThrow('not connected');
  await world.until('it waits', () => server.metrics.throttled > 0);
  server.disconnect(client.nodeId, 'enough');
  await failed;
  expect(server.metrics.requestsServed[BLOCKS.name]).toBe(1);
});

test('who has waited too long is told so, and asks no faster than that', async () => {
  const answers = { ...DEFAULT_LIMITS.answers, bytesPerSecondMax: 1, bytesBurstMax: 1 };
  const answerWaitMs = 200;
  const server = await serverWith(answers, { ...DEFAULT_LIMITS, answerWaitMs });
  const client = await asker(server);
  await ask(client, server);
  const startMs = performance.now();
  for (let i = 0; i < 2; i++) await expect(ask(client, server)).rejects.toMatchObject({ code: 'p2p.busy' });
  expect(performance.now() - startMs).toBeGreaterThan(2 * answerWaitMs * 0.95);
  expect(client.peers()).toHaveLength(1);
  expect(server.metrics.requestsServed[BLOCKS.name]).toBe(1);
});

describe('peers that ask and do not read', () => {
  const BYTES = 1024 * 1024;
  const LARGE: ProtocolSpec = { ...BLOCKS, responseBytesMax: BYTES };
  const answerMemory = {
    bytesMax: 4 * BYTES + 1_000,
    bytesPerPeerMax: 2 * BYTES + 1_000,
    giveWayAfterMs: 200,
  };

  /** A peer that asks as often as it may and never reads; it greets as a node does. */
  async function slowReader(server: Network, index: number): Promise<() => Promise<void>> {
    const host = await createHost({
      privateKey: await nodeKey(testKey(100 + index)),
      listen: [],
      limits: DEFAULT_LIMITS,
      gater: { denyDialMultiaddr: () => false },
    });
    await host.start();
    const connection = await host.dial(multiaddr(server.listenAddresses()[0] ?? ''));
    const greeting = await connection.newStream(STATUS_PROTOCOL);
    greeting.send(encodeFrame(encodeStatus(testOptions({}), '')));
    await readFrame(greeting, 1_024, AbortSignal.timeout(5_000));
    for (let i = 0; i < LARGE.concurrentMax; i++) {
      const stream = await connection.newStream(wireName('test-chain', LARGE));
      stream.send(encodeFrame(Uint8Array.of(1)));
      stream.pause();
    }
    return async () => void (await host.stop());
  }

  test('fill no more memory than they may, and stand in nobody’s way', async () => {
    let made = 0;
    let most = 0;
    const server = await world.create({ protocols: [LARGE], limits: { ...DEFAULT_LIMITS, answerMemory } });
    server.serve(LARGE.name, () => {
      made++;
      most = Math.max(most, server.metrics.answerBytes);
      return new Uint8Array(BYTES);
    });
    await server.start();
    const stops: (() => Promise<void>)[] = [];
    for (let i = 0; i < 8; i++) stops.push(await slowReader(server, i));
    await world.until('the memory is full', () => server.metrics.answerBytes > 3 * BYTES);
    expect(made).toBeLessThan(8 * LARGE.concurrentMax);
    const client = await world.create({ protocols: [LARGE] });
    await client.start();
    await client.dial(server.listenAddresses()[0] ?? '');
    expect(await ask(client, server)).toHaveLength(BYTES);
    expect(server.metrics.answersBrokenOff).toBeGreaterThan(0);
    expect(most).toBeLessThanOrEqual(answerMemory.bytesMax);
    for (const stop of stops) await stop();
    await world.until('all is given back', () => server.metrics.answerBytes === 0);
  });

  test('are given up after a while, though nobody waits', async () => {
    const limits = { ...DEFAULT_LIMITS, stallTimeoutMs: 300, answerBytesPerSecondMin: 64 * BYTES };
    const server = await world.create({ protocols: [LARGE], limits });
    server.serve(LARGE.name, () => new Uint8Array(BYTES));
    await server.start();
    const stop = await slowReader(server, 0);
    await world.until('answers wait', () => server.metrics.answerBytes > BYTES);
    await world.until('they are given up', () => server.metrics.answerBytes === 0);
    expect(server.peers()).toHaveLength(1);
    await stop();
  });
});

describe('an answer that takes its time', () => {
  const PIECES = 10;
  const PIECE_MS = 100;

  /** A peer that answers in pieces; to dial, and greets as a node does. */
  async function slowAnswerer(): Promise<{ readonly address: string; stop(): Promise<void> }> {
    const host = await createHost({
      privateKey: await nodeKey(testKey(200)),
      listen: ['/ip4/127.0.0.1/tcp/0'],
      limits: DEFAULT_LIMITS,
      gater: { denyDialMultiaddr: () => false },
    });
    await host.handle(STATUS_PROTOCOL, async (stream) => {
      await readFrame(stream, 1_024, AbortSignal.timeout(5_000));
      stream.send(encodeFrame(encodeStatus(testOptions({}), '')));
    });
    await host.handle(wireName('test-chain', BLOCKS), (stream) => {
      const frame = encodeFrame(Uint8Array.of(RESPONSE_OK, ...new Uint8Array(ANSWER_BYTES / 2)));
      const pieceBytes = Math.ceil(frame.length / PIECES);
      const send = (at: number): void => {
        if (at >= frame.length || stream.status !== 'open') return;
        stream.send(frame.subarray(at, at + pieceBytes));
        systemTimers.after(PIECE_MS, () => send(at + pieceBytes));
      };
      send(0);
    });
    await host.start();
    const address = host.getMultiaddrs()[0]?.toString() ?? '';
    return { address, stop: async () => void (await host.stop()) };
  }

  test('is waited for as long as it comes fast enough', async () => {
    const slow = await slowAnswerer();
    const client = await world.create({ protocols: [BLOCKS] });
    await client.start();
    await client.dial(slow.address);
    const peerId = client.peers()[0]?.id ?? '';
    const timeoutMs = 4 * PIECE_MS;
    const request = (bytesPerSecondMin?: number): Promise<Uint8Array> =>
      client.request(peerId, BLOCKS.name, Uint8Array.of(1), {
        timeoutMs,
        ...(bytesPerSecondMin === undefined ? {} : { bytesPerSecondMin }),
      });
    await expect(request()).rejects.toMatchObject({ code: 'p2p.timeout' });
    await expect(request(10 * ANSWER_BYTES)).rejects.toMatchObject({ code: 'p2p.timeout' });
    expect(await request(ANSWER_BYTES / 8)).toHaveLength(ANSWER_BYTES / 2);
    await slow.stop();
  });
});
