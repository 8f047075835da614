import { afterEach, beforeEach, expect, test } from 'vitest';
import { type ChannelSpec, DEFAULT_LIMITS } from './network.ts';
import { libp2pWorld, type World } from './testing.ts';

const MESSAGE_BYTES = 50_000;
const MESSAGES = 12;
const RATE = 1_000_000;
const BURST_BYTES = 100_000;
const BULK: ChannelSpec = {
  name: 'bulk',
  version: 1,
  messageBytesMax: MESSAGE_BYTES,
  queueBytesMax: 2 * MESSAGES * MESSAGE_BYTES,
  inFlightMax: 2,
};

let world: World;

beforeEach(() => {
  world = libp2pWorld();
});
afterEach(() => world.close());

test('a peer is sent no faster than its rate, and all of it', async () => {
  const send = { ...DEFAULT_LIMITS.send, bytesPerSecondMax: RATE, bytesBurstMax: BURST_BYTES };
  const sender = await world.create({ channels: [BULK], limits: { ...DEFAULT_LIMITS, send } });
  const receiver = await world.create({ channels: [BULK] });
  let arrived = 0;
  receiver.handle(BULK.name, () => void arrived++);
  await sender.start();
  await receiver.start();
  await sender.dial(receiver.listenAddresses()[0] ?? '');
  const startMs = performance.now();
  for (let i = 0; i < MESSAGES; i++)
    expect(sender.send(receiver.nodeId, BULK.name, new Uint8Array(MESSAGE_BYTES))).toBe(true);
  await world.until('all arrived', () => arrived === MESSAGES);
  // The burst goes at once, and the last message is not waited after.
  const leastMs = ((MESSAGES * MESSAGE_BYTES - BURST_BYTES - MESSAGE_BYTES) * 1_000) / RATE;
  expect(performance.now() - startMs).toBeGreaterThan(leastMs * 0.95);
  expect(sender.peers()).toHaveLength(1);
});
