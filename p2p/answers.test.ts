import { afterEach, beforeEach, expect, test } from 'vitest';
import { DEFAULT_LIMITS, type Network, type ProtocolSpec } from './network.ts';
import { libp2pWorld, type World } from './testing.ts';

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
