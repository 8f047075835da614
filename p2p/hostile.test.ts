/** A libp2p network against peers that break every rule on every protocol: the peer goes, the node stays. */
import type { Connection, Stream } from '@libp2p/interface';
import { multiaddr } from '@multiformats/multiaddr';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { concatBytes, utf8 } from '../core/bytes.ts';
import { LedgerError } from '../core/errors.ts';
import { uvarintLength, writeUvarint } from '../core/varint.ts';
import { BLOCKS_PROTOCOL, CHANNELS, DATA_CHANNEL, PROTOCOLS, STATUS_PROTOCOL, wireName } from './channels.ts';
import { RESPONSE_REFUSED } from './dispatch.ts';
import { encodeFrame } from './frame.ts';
import { createHost } from './host.ts';
import { nodeKey } from './identity.ts';
import { createLibp2pNetwork } from './libp2p.ts';
import { DEFAULT_LIMITS, type Network } from './network.ts';
import { encodeStatus } from './status.ts';
import { readFrame } from './streams.ts';
import { testKey, testOptions, until } from './testing.ts';

const FLOOD_LIMITS = { ...DEFAULT_LIMITS.receive, messagesPerSecondMax: 500, messagesBurstMax: 500 };
const LIMITS = {
  ...DEFAULT_LIMITS,
  handshakeTimeoutMs: 500,
  stallTimeoutMs: 500,
  banMs: 300,
  receive: FLOOD_LIMITS,
};
const SIGNAL = (): AbortSignal => AbortSignal.timeout(5_000);

/** The length prefix of a frame, without the frame. */
function prefix(length: number): Uint8Array {
  const bytes = new Uint8Array(uvarintLength(length));
  writeUvarint(bytes, 0, length);
  return bytes;
}

/** Protobuf field 1, length-delimited, around itself. */
function nested(depth: number): Uint8Array {
  let bytes: Uint8Array = new Uint8Array(0);
  for (let i = 0; i < depth; i++) bytes = concatBytes(Uint8Array.of(0x0a), prefix(bytes.length), bytes);
  return bytes;
}

const malformed: readonly (readonly [string, Uint8Array])[] = [
  ['an empty frame', Uint8Array.of(0)],
  ['an oversized frame', prefix(2 ** 27)],
  ['a length without end', new Uint8Array(16).fill(0xff)],
  ['a length not in its shortest form', Uint8Array.of(0x80, 0x00)],
];

let node: Network;
let attackers: Attacker[];

interface Attacker {
  readonly id: string;
  readonly connection: Connection;
  stop(): Promise<void>;
}

beforeEach(async () => {
  attackers = [];
  node = await createLibp2pNetwork({
    ...testOptions({ channels: CHANNELS, protocols: PROTOCOLS, limits: LIMITS }),
    privateKey: testKey(0),
    listen: ['/ip4/127.0.0.1/tcp/0'],
  });
  await node.start();
});

afterEach(async () => {
  for (const attacker of attackers) await attacker.stop();
  await node.stop();
});

type Streams = Readonly<Record<string, (stream: Stream) => void>>;

async function connect(streams: Streams = {}): Promise<Attacker> {
  const host = await createHost({
    privateKey: await nodeKey(testKey(100 + attackers.length)),
    listen: [],
    limits: LIMITS,
    gater: { denyDialMultiaddr: () => false },
  });
  for (const [protocol, opened] of Object.entries(streams)) await host.handle(protocol, opened);
  await host.start();
  const connection = await host.dial(multiaddr(node.listenAddresses()[0] ?? ''));
  const attacker = { id: host.peerId.toString(), connection, stop: async () => void (await host.stop()) };
  attackers.push(attacker);
  return attacker;
}

async function greet(attacker: Attacker, status: Uint8Array): Promise<Stream> {
  const stream = await attacker.connection.newStream(STATUS_PROTOCOL);
  stream.send(encodeFrame(status));
  return stream;
}

async function connectAndGreet(streams: Streams = {}): Promise<Attacker> {
  const attacker = await connect(streams);
  const stream = await greet(attacker, encodeStatus(testOptions({}), ''));
  await readFrame(stream, 1024, SIGNAL());
  await until('the attacker is a peer', () => node.peers().some((peer) => peer.id === attacker.id));
  return attacker;
}

async function expectGone(attacker: Attacker): Promise<void> {
  await until('the attacker is gone', () => attacker.connection.status !== 'open');
  expect(node.peers()).toEqual([]);
}

/** The node is well when a newcomer gets in. */
async function expectAlive(): Promise<void> {
  const friend = await connectAndGreet();
  expect(node.peers().map((peer) => peer.id)).toContain(friend.id);
}

describe('handshake', () => {
  test.each<readonly [string, Uint8Array]>([
    ...malformed,
    ['undecodable bytes', encodeFrame(Uint8Array.of(0xff, 0xff, 0xff))],
    ['a deeply nested message', encodeFrame(nested(300))],
    ['unprintable text', encodeFrame(encodeStatus(testOptions({ moniker: 'a\u0007b' }), ''))],
    ['a negative height', encodeFrame(encodeStatus(testOptions({ latestHeight: () => -5n }), ''))],
  ])('%s is refused', async (_what, bytes) => {
    const attacker = await connect();
    const stream = await attacker.connection.newStream(STATUS_PROTOCOL);
    stream.send(bytes);
    await expectGone(attacker);
    expect(node.metrics.handshakesRefused).toBe(1);
    await expectAlive();
  });

  test('a peer that says nothing, or only half, is dropped in time', async () => {
    const silent = await connect();
    const half = await connect();
    const stream = await half.connection.newStream(STATUS_PROTOCOL);
    stream.send(prefix(100));
    await expectGone(silent);
    await expectGone(half);
    await expectAlive();
  });

  test('no stream is served before the handshake', async () => {
    const attacker = await connect();
    const stream = await attacker.connection.newStream(wireName('test-chain', BLOCKS_PROTOCOL));
    stream.send(encodeFrame(utf8('x')));
    await expectGone(attacker);
    expect(node.metrics.requestsServed).toEqual({});
  });
});

describe.each(CHANNELS.map((spec) => [spec.name, spec] as const))('channel %s', (name, spec) => {
  test.each<readonly [string, Uint8Array]>([
    ...malformed,
    ['a frame just over the limit', prefix(spec.messageBytesMax + 1)],
  ])('%s costs the connection', async (_what, bytes) => {
    let handled = 0;
    node.handle(name, () => {
      handled++;
    });
    const attacker = await connectAndGreet();
    const stream = await attacker.connection.newStream(wireName('test-chain', spec));
    stream.send(concatBytes(encodeFrame(utf8('good')), bytes));
    await expectGone(attacker);
    expect(handled).toBe(1);
    expect(node.metrics.bans).toBe(1);
    await expectAlive();
  });

  test('a frame that is cut short is not handed over', async () => {
    let handled = 0;
    node.handle(name, () => {
      handled++;
    });
    const attacker = await connectAndGreet();
    const stream = await attacker.connection.newStream(wireName('test-chain', spec));
    stream.send(concatBytes(prefix(50), utf8('only a bit')));
    await stream.close();
    await expectGone(attacker);
    expect(handled).toBe(0);
    await expectAlive();
  });
});

describe.each(PROTOCOLS.map((spec) => [spec.name, spec] as const))('protocol %s', (name, spec) => {
  test.each<readonly [string, Uint8Array]>([
    ...malformed,
    ['a frame just over the limit', prefix(spec.requestBytesMax + 1)],
  ])('%s costs the connection', async (_what, bytes) => {
    node.serve(name, (_peer, request) => request);
    const attacker = await connectAndGreet();
    const stream = await attacker.connection.newStream(wireName('test-chain', spec));
    stream.send(bytes);
    await expectGone(attacker);
    await expectAlive();
  });

  test('a request that never ends, or that is cut short, is given up; the peer stays', async () => {
    node.serve(name, (_peer, request) => request);
    const attacker = await connectAndGreet();
    const half = prefix(Math.min(50, spec.requestBytesMax));
    const cut = await attacker.connection.newStream(wireName('test-chain', spec));
    cut.send(half);
    await cut.close();
    await until('the short one is given up', () => cut.status !== 'open');
    const open = await attacker.connection.newStream(wireName('test-chain', spec));
    open.send(half);
    await until('the endless one is given up', () => open.status !== 'open');
    expect(node.peers().map((peer) => peer.id)).toEqual([attacker.id]);
  });

  test('more requests at once than allowed are refused; the peer stays', async () => {
    node.serve(name, () => new Promise(() => undefined));
    const attacker = await connectAndGreet();
    const opened = Array.from({ length: spec.concurrentMax + 4 }, async () => {
      const stream = await attacker.connection.newStream(wireName('test-chain', spec), {
        maxOutboundStreams: 100,
      });
      stream.send(encodeFrame(utf8('x')));
      return stream;
    });
    const streams = (await Promise.allSettled(opened)).flatMap((result) =>
      result.status === 'fulfilled' ? [result.value] : [],
    );
    await until(
      'the rest is refused',
      () => streams.filter((stream) => stream.status === 'open').length <= spec.concurrentMax,
    );
    expect(node.peers()).toHaveLength(1);
  });
});

describe('an answer', () => {
  const ask = (attacker: Attacker): Promise<Uint8Array> =>
    node.request(attacker.id, BLOCKS_PROTOCOL.name, utf8('x'), { timeoutMs: 5_000 });
  const answering = (opened: (stream: Stream) => void): Promise<Attacker> =>
    connectAndGreet({ [wireName('test-chain', BLOCKS_PROTOCOL)]: opened });

  test.each<readonly [string, Uint8Array]>([
    ...malformed,
    ['a frame just over the limit', prefix(BLOCKS_PROTOCOL.responseBytesMax + 2)],
    ['no kind of response', encodeFrame(Uint8Array.of(77))],
    ['a refusal for no reason', encodeFrame(Uint8Array.of(RESPONSE_REFUSED))],
  ])('that is %s costs the connection', async (_what, bytes) => {
    const attacker = await answering((stream) => void stream.send(bytes));
    await expect(ask(attacker)).rejects.toMatchObject({ code: 'p2p.malformed' });
    await expectGone(attacker);
    expect([node.metrics.penalties, node.metrics.bans]).toEqual([1, 1]);
    await expectAlive();
  });

  test('that is a refusal, or breaks off, may be an honest peer’s', async () => {
    const half = concatBytes(prefix(50), utf8('only a bit'));
    const ways: readonly ((stream: Stream) => void)[] = [
      (stream) => void stream.send(encodeFrame(Uint8Array.of(RESPONSE_REFUSED, 2))),
      (stream) => stream.abort(new Error('gave way')),
      (stream) => {
        stream.send(half);
        void stream.close();
      },
      (stream) => {
        stream.send(half);
        stream.abort(new Error('gave way'));
      },
    ];
    let way = 0;
    const peer = await answering((stream) => ways[way++]?.(stream));
    for (const _each of ways) await expect(ask(peer)).rejects.toThrow(LedgerError);
    expect(way).toBe(ways.length);
    expect(node.metrics.penalties).toBe(0);
    expect(node.peers().map(({ id }) => id)).toEqual([peer.id]);
  });
});

test.each([
  ['never', 0],
  ['no longer', 6 * 1024 * 1024],
])('a peer that reads %s is dropped, and costs no more than its queue', async (_what, readBytes) => {
  const spec = DATA_CHANNEL;
  let read = 0;
  const readSome = (stream: Stream): void => {
    if (readBytes === 0) stream.pause();
    stream.addEventListener('message', (event) => {
      read += event.data.byteLength;
      if (read >= readBytes) queueMicrotask(() => stream.status === 'open' && stream.pause());
    });
  };
  const attacker = await connectAndGreet({ [wireName('test-chain', spec)]: readSome });
  const message = new Uint8Array(spec.messageBytesMax).fill(1);
  let takenBytes = 0;
  await until('the peer is dropped', () => {
    for (let i = 0; i < 20 && node.send(attacker.id, spec.name, message); i++) takenBytes += message.length;
    return node.peers().length === 0;
  });
  expect(takenBytes).toBeGreaterThan(spec.queueBytesMax / 2 + readBytes / 2);
  // The queue, and what is on its way in the windows of the muxer.
  expect(takenBytes).toBeLessThan(spec.queueBytesMax + 4 * 1024 * 1024 + read);
  await expectAlive();
});

test('a peer without a channel hears nothing there and stays', async () => {
  const attacker = await connectAndGreet();
  expect(node.send(attacker.id, 'votes', utf8('x'))).toBe(true);
  await until('the channel is closed', () => !node.send(attacker.id, 'votes', utf8('x')));
  expect(node.peers()).toHaveLength(1);
});

test('a half-open connection is dropped when its handshake does not come', async () => {
  const attacker = await connect();
  await until('dropped', () => attacker.connection.status !== 'open');
  expect(node.peers()).toEqual([]);
});

test('a connection that ends while streams are being opened on it does not end the process', async () => {
  for (let i = 0; i < 5; i++) {
    const attacker = await connectAndGreet();
    const asked = Array.from({ length: 4 }, () =>
      node.request(attacker.id, BLOCKS_PROTOCOL.name, utf8('x'), { timeoutMs: 1_000 }),
    );
    node.send(attacker.id, DATA_CHANNEL.name, utf8('x'));
    node.penalize(attacker.id, { reason: 'test' });
    for (const outcome of await Promise.allSettled(asked)) expect(outcome.status).toBe('rejected');
    expect(node.peers()).toEqual([]);
  }
  await expectAlive();
});

test('a flood of good messages is read no faster than its limit, and costs nobody else', async () => {
  const spec = CHANNELS[0] ?? DATA_CHANNEL;
  let handled = 0;
  node.handle(spec.name, () => {
    handled++;
  });
  const attacker = await connectAndGreet();
  const stream = await attacker.connection.newStream(wireName('test-chain', spec));
  const messages = FLOOD_LIMITS.messagesBurstMax * 2;
  stream.send(concatBytes(...Array.from({ length: messages }, () => encodeFrame(utf8('x')))));
  await until('the flood is held back', () => node.metrics.throttled > 0);
  expect(handled).toBeLessThan(messages);
  await expectAlive();
  await until('all arrives in time', () => handled === messages);
  expect(node.metrics.penalties).toBe(0);
});
