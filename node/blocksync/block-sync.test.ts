/** Block sync between stores without consensus, honest and lying. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { BLOCKS_PROTOCOL, CHANNELS, PROTOCOLS } from '../../p2p/channels.ts';
import { LedgerError } from '../../core/errors.ts';
import { DEFAULT_LIMITS, type Network } from '../../p2p/network.ts';
import { libp2pWorld, memoryWorld, recordingLogger, type World } from '../../p2p/testing.ts';
import { systemTimers, type Timers } from '../../p2p/timers.ts';
import { BlockSync, DEFAULT_BLOCK_SYNC } from './block-sync.ts';
import { decodeBlockRequest, encodeBlockResponse, encodeRange } from './messages.ts';
import { blockBytes, commitOf, TestChain } from './testing.ts';

interface TestNode {
  readonly network: Network;
  readonly chain: TestChain;
  readonly sync: BlockSync;
  readonly lines: readonly string[];
}

interface Worlds {
  readonly world: World;
  readonly timers: Timers;
}

const LIMITS = { ...DEFAULT_LIMITS, banMs: 600_000 };

async function makeNetwork(worlds: Worlds): Promise<Network> {
  const network = await worlds.world.create({ channels: CHANNELS, protocols: PROTOCOLS, limits: LIMITS });
  await network.start();
  return network;
}

async function makeNode(worlds: Worlds, height: bigint): Promise<TestNode> {
  const network = await makeNetwork(worlds);
  const chain = new TestChain(height, worlds.timers);
  const log = recordingLogger();
  const { timers } = worlds;
  const lastBlockAgeMs = (): number => chain.lastBlockAgeMs();
  const ports = { network, store: chain, target: chain, lastBlockAgeMs, timers, log };
  const sync = new BlockSync(ports, DEFAULT_BLOCK_SYNC);
  sync.start();
  return { network, chain, sync, lines: log.lines };
}

function join(a: { readonly network: Network }, b: { readonly network: Network }): void {
  a.network.addPersistentPeer(b.network.listenAddresses()[0] ?? '');
}

const kinds: readonly (readonly [string, () => Worlds])[] = [
  [
    'memory',
    () => {
      const world = memoryWorld();
      return { world, timers: world.timers };
    },
  ],
  ['libp2p', () => ({ world: libp2pWorld(), timers: systemTimers })],
];

describe.each(kinds)('over %s', (_name, makeWorld) => {
  let worlds: Worlds;
  const syncs: BlockSync[] = [];

  beforeEach(() => {
    worlds = makeWorld();
  });

  afterEach(async () => {
    for (const sync of syncs.splice(0)) sync.stop();
    await worlds.world.close();
  });

  async function node(height: bigint): Promise<TestNode> {
    const made = await makeNode(worlds, height);
    syncs.push(made.sync);
    return made;
  }

  test('a node that is far behind fetches from all peers and then joins', async () => {
    const [a, b, late] = [await node(300n), await node(300n), await node(0n)];
    join(late, a);
    join(late, b);
    await worlds.world.until('it joined', () => late.chain.joinedAt !== undefined);
    expect(late.chain.height).toBe(300n);
    expect(late.sync.metrics.blocksApplied).toBe(300);
    // How many each serves depends on who answers sooner.
    expect(a.sync.metrics.blocksServed).toBeGreaterThan(0);
    expect(b.sync.metrics.blocksServed).toBeGreaterThan(0);
    expect(a.sync.metrics.blocksServed + b.sync.metrics.blocksServed).toBe(300);
    expect(late.sync.isCatchingUp()).toBe(false);
  });

  test('a node that decides alone joins after a grace time, others when peers are at their height', async () => {
    const alone = await node(3n);
    alone.chain.alone = true;
    const lonely = await node(3n);
    await worlds.world.until('it joined', () => alone.chain.joinedAt === 3n);
    const [a, b] = [await node(7n), await node(7n)];
    join(a, b);
    await worlds.world.until('both joined', () => a.chain.joinedAt === 7n && b.chain.joinedAt === 7n);
    expect(a.sync.metrics.blocksApplied).toBe(0);
    // It may be far behind without knowing: it waits for somebody to tell.
    expect(lonely.chain.joinedAt).toBeUndefined();
    join(lonely, a);
    await worlds.world.until('it is there', () => lonely.chain.joinedAt === 7n);
  });

  test('after it joined, it fetches what consensus does not bring', async () => {
    const [a, b] = [await node(5n), await node(5n)];
    join(a, b);
    await worlds.world.until('both joined', () => a.chain.joinedAt === 5n && b.chain.joinedAt === 5n);
    a.chain.advance();
    await worlds.world.until('one block behind is fetched after a while', () => b.chain.height === 6n);
    for (let i = 0; i < 10; i++) a.chain.advance();
    await worlds.world.until('ten behind are fetched', () => b.chain.height === 16n);
    expect(b.network.metrics.penalties).toBe(0);
  });

  test('when all peers have pruned what it needs, it says what helps, once; one that has it is asked', async () => {
    const [pruned, late] = [await node(20n), await node(2n)];
    pruned.chain.base = 9n;
    join(late, pruned);
    const warnings = (): readonly string[] => late.lines.filter((line) => line.includes('state sync'));
    await worlds.world.until('it warns', () => warnings().length > 0);
    const archive = await node(20n);
    join(late, archive);
    await worlds.world.until('it is there', () => late.chain.height === 20n);
    expect(warnings()).toHaveLength(1);
    expect(late.network.metrics.penalties).toBe(0);
  });

  test('a claim that is not kept does not keep the node waiting', async () => {
    const [honest, liar, late] = [await node(20n), await makeNetwork(worlds), await node(0n)];
    liar.handle('sync', () => undefined);
    liar.serve(BLOCKS_PROTOCOL.name, () => encodeBlockResponse([]));
    liar.onPeer({
      connected: (peer) => void liar.send(peer.id, 'sync', encodeRange({ base: 1n, height: 1_000_000n })),
      disconnected: () => undefined,
    });
    join(late, { network: liar });
    join(late, honest);
    await worlds.world.until(
      'it joined',
      () => late.chain.joinedAt !== undefined && late.chain.height === 20n,
    );
    expect(late.network.metrics.bans).toBe(0);
  });

  test('who sends an invalid block, or the commit of another, is banned', async () => {
    const [honest, late] = [await node(40n), await node(0n)];
    for (const forge of [
      (height: bigint) => ({ blockBytes: new Uint8Array(50).fill(9), commit: commitOf(height) }),
      (height: bigint) => ({ blockBytes: blockBytes(height), commit: commitOf(height + 1n) }),
    ]) {
      const liar = await makeNetwork(worlds);
      liar.handle('sync', () => undefined);
      let asked = 0n;
      liar.serve(BLOCKS_PROTOCOL.name, () => encodeBlockResponse([forge(++asked)]));
      liar.onPeer({
        connected: (peer) => void liar.send(peer.id, 'sync', encodeRange({ base: 1n, height: 40n })),
        disconnected: () => undefined,
      });
      join(late, { network: liar });
    }
    await worlds.world.until('the liars are banned', () => late.network.metrics.bans === 2);
    join(late, honest);
    await worlds.world.until(
      'it is there',
      () => late.chain.height === 40n && late.chain.joinedAt !== undefined,
    );
    expect(late.network.peers()).toHaveLength(1);
  });

  test('malformed claims and requests cost the connection', async () => {
    const victim = await node(5n);
    for (const attack of [
      (liar: Network) => void liar.send(victim.network.nodeId, 'sync', Uint8Array.of(0xff)),
      (liar: Network) => void liar.send(victim.network.nodeId, 'sync', encodeRange({ base: 9n, height: 3n })),
      (liar: Network) =>
        void liar.send(victim.network.nodeId, 'sync', encodeRange({ base: -1n, height: -1n })),
      (liar: Network) => ask(liar, Uint8Array.of(0x0f)),
      (liar: Network) => ask(liar, Uint8Array.of(0x08, 0x00)),
    ]) {
      const before = victim.network.metrics.bans;
      const liar = await makeNetwork(worlds);
      join({ network: liar }, victim);
      await worlds.world.until('it is a peer', () => liar.peers().length === 1);
      attack(liar);
      await worlds.world.until('it is banned', () => victim.network.metrics.bans === before + 1);
    }
    const friend = await node(0n);
    join(friend, victim);
    await worlds.world.until('the node serves others', () => friend.chain.height === 5n);

    function ask(liar: Network, bytes: Uint8Array): void {
      liar
        .request(victim.network.nodeId, BLOCKS_PROTOCOL.name, bytes, { timeoutMs: 1_000 })
        .catch(() => undefined);
    }
  });
});

/** A peer that claims a range and answers each request as told. */
async function makeLiar(
  worlds: Worlds,
  range: { readonly base: bigint; readonly height: bigint },
  answer: () => Uint8Array | Promise<Uint8Array>,
): Promise<Network> {
  const liar = await makeNetwork(worlds);
  liar.handle('sync', () => undefined);
  liar.serve(BLOCKS_PROTOCOL.name, () => answer());
  liar.onPeer({
    connected: (peer) => void liar.send(peer.id, 'sync', encodeRange(range)),
    disconnected: () => undefined,
  });
  return liar;
}

const never = (): Promise<Uint8Array> => new Promise(() => undefined);
const none = (): Uint8Array => encodeBlockResponse([]);

test('a peer that never answers is left for another', async () => {
  const world = memoryWorld();
  const worlds = { world, timers: world.timers };
  const [mute, late] = [await makeLiar(worlds, { base: 1n, height: 9n }, never), await makeNode(worlds, 0n)];
  join(late, { network: mute });
  await world.until('a request timed out', () => late.sync.metrics.requestsFailed > 0);
  const honest = await makeNode(worlds, 30n);
  join(late, honest);
  await world.until('the other served', () => late.chain.height === 30n);
  late.sync.stop();
  honest.sync.stop();
  await world.close();
});

test('peers with false claims, however many and however often they come, delay joining by a bounded time', async () => {
  for (const answer of [never, none]) {
    const world = memoryWorld();
    const worlds = { world, timers: world.timers };
    const [honest, late] = [await makeNode(worlds, 20n), await makeNode(worlds, 20n)];
    join(late, honest);
    const startedMs = world.timers.nowMs();
    const false1 = { base: 1n, height: 1_000_000n };
    for (let i = 0; i < 10; i++) join(late, { network: await makeLiar(worlds, false1, answer) });
    let joinedMs: number | undefined;
    for (let wave = 0; wave < 20 && joinedMs === undefined; wave++) {
      join(late, { network: await makeLiar(worlds, false1, answer) });
      await world.timers.advance(2_000);
      if (late.chain.joinedAt !== undefined) joinedMs = world.timers.nowMs();
    }
    expect(late.chain.joinedAt).toBe(20n);
    expect((joinedMs ?? Number.POSITIVE_INFINITY) - startedMs).toBeLessThanOrEqual(
      DEFAULT_BLOCK_SYNC.patienceMs + 2_000,
    );
    // It follows the honest one all the same.
    for (let i = 0; i < 30; i++) honest.chain.advance();
    const followedMs = world.timers.nowMs();
    await world.until('it follows', () => late.chain.height === 50n);
    expect(world.timers.nowMs() - followedMs).toBeLessThan(30_000);
    late.sync.stop();
    honest.sync.stop();
    await world.close();
  }
});

test('a peer that lacks what it claimed loses its claim, and points when it claims it again', async () => {
  const world = memoryWorld();
  const worlds = { world, timers: world.timers };
  const [late, liar] = [await makeNode(worlds, 0n), await makeLiar(worlds, { base: 1n, height: 99n }, none)];
  const claim = (range: { readonly base: bigint; readonly height: bigint }): void =>
    void liar.send(late.network.nodeId, 'sync', encodeRange(range));
  join(late, { network: liar });
  await world.until('it was asked', () => late.sync.metrics.requestsFailed === 1);
  await world.timers.advance(DEFAULT_BLOCK_SYNC.distrustMs * 2);
  expect(late.network.metrics.penalties).toBe(0); // it may have pruned it
  claim({ base: 1n, height: 99n });
  await world.until('it was caught', () => late.network.metrics.penalties === 1);
  await world.until('it was asked once more', () => late.sync.metrics.requestsFailed === 2);
  claim({ base: 2n, height: 99n });
  await world.timers.advance(1_000);
  expect(late.network.metrics.penalties).toBe(1);
  late.sync.stop();
  const honest = await makeNode(worlds, 0n);
  const modest = await makeLiar(worlds, { base: 1n, height: 99n }, () => {
    void modest.send(honest.network.nodeId, 'sync', encodeRange({ base: 50n, height: 99n }));
    return new Promise((resolve) => world.timers.after(500, () => resolve(none())));
  });
  join(honest, { network: modest });
  await world.timers.advance(20_000);
  expect(honest.network.metrics.penalties).toBe(0);
  honest.sync.stop();
  await world.close();
});

test('what is needed next is asked of a second peer when the first is slow', async () => {
  const world = memoryWorld();
  const worlds = { world, timers: world.timers };
  const [mute, late] = [await makeLiar(worlds, { base: 1n, height: 40n }, never), await makeNode(worlds, 0n)];
  join(late, { network: mute });
  await world.timers.advance(1_000);
  const honest = await makeNode(worlds, 40n);
  join(late, honest);
  const startedMs = world.timers.nowMs();
  await world.until('it is there', () => late.chain.height === 40n);
  expect(world.timers.nowMs() - startedMs).toBeLessThan(DEFAULT_BLOCK_SYNC.requestTimeoutMs / 2);
  expect(late.sync.metrics.blocksApplied).toBe(40);
  late.sync.stop();
  honest.sync.stop();
  await world.close();
});

test('a peer that pruned what is needed is not asked', async () => {
  const world = memoryWorld();
  const worlds = { world, timers: world.timers };
  const [pruned, late] = [await makeNode(worlds, 90n), await makeNode(worlds, 0n)];
  pruned.chain.base = 50n;
  join(late, pruned);
  await world.until('it goes on without', () => late.chain.joinedAt === 0n);
  expect(pruned.sync.metrics.blocksServed).toBe(0);
  expect(late.network.metrics.penalties).toBe(0);
  late.sync.stop();
  pruned.sync.stop();
  await world.close();
});

test('a block that consensus has decided and is executing is not fetched', async () => {
  const world = memoryWorld();
  const worlds = { world, timers: world.timers };
  const [a, b] = [await makeNode(worlds, 5n), await makeNode(worlds, 5n)];
  join(a, b);
  await world.until('both joined', () => a.chain.joinedAt === 5n && b.chain.joinedAt === 5n);
  b.chain.executing = 6n;
  a.chain.advance();
  await world.timers.advance(10_000);
  expect(a.sync.metrics.blocksServed).toBe(0);
  b.chain.executing = undefined;
  await world.until('without it, it is', () => b.chain.height === 6n);
  a.sync.stop();
  b.sync.stop();
  await world.close();
});

/** A node that syncs from peers with a long chain; `stalls` says whether they are silent for that long. */
async function underWay(
  stalls: () => number,
): Promise<TestNode & { readonly world: ReturnType<typeof memoryWorld> }> {
  const world = memoryWorld();
  const worlds = { world, timers: world.timers };
  const late = await makeNode(worlds, 0n);
  for (let i = 0; i < 3; i++) {
    const peer = await makeNetwork(worlds);
    peer.handle('sync', () => undefined);
    peer.serve(BLOCKS_PROTOCOL.name, async (_peer, bytes) => {
      const { height } = decodeBlockRequest(bytes);
      const stallMs = stalls();
      if (stallMs > 0) await new Promise<void>((resolve) => world.timers.after(stallMs, resolve));
      return encodeBlockResponse([{ blockBytes: blockBytes(height), commit: commitOf(height) }]);
    });
    const claim = encodeRange({ base: 1n, height: 1_000_000n });
    peer.onPeer({
      connected: ({ id }) => void peer.send(id, 'sync', claim),
      disconnected: () => undefined,
    });
    join(late, { network: peer });
  }
  await world.until('it is under way', () => late.chain.height > 100n);
  return { ...late, world };
}

test('peers that have delivered and are silent for a while are not banned; it goes on, and does not join', async () => {
  let stallMs = 0;
  const { network, chain, sync, world } = await underWay(() => stallMs);
  stallMs = 11_000;
  await world.timers.advance(11_500);
  stallMs = 0;
  const { height } = chain;
  await world.timers.advance(13_000); // what was asked within the silence has to time out
  expect(chain.height).toBeGreaterThan(height);
  expect(network.metrics.penalties).toBe(0);
  expect(network.peers()).toHaveLength(3);
  expect([chain.joinedAt, sync.isCatchingUp()]).toEqual([undefined, true]);
  sync.stop();
  await world.close();
});

test('peers that have delivered and then never answer again keep the node waiting for a bounded time', async () => {
  let stallMs = 0;
  const { chain, sync, world } = await underWay(() => stallMs);
  stallMs = 1_000_000;
  await world.timers.advance(DEFAULT_BLOCK_SYNC.patienceMs * 5);
  expect(chain.joinedAt).toBe(chain.height);
  sync.stop();
  await world.close();
});

test.each([
  ['p2p.busy', 'at once'],
  ['p2p.refused', 'at once'],
  ['p2p.busy', 'after it delivered'],
  ['p2p.refused', 'after it delivered'],
] as const)(
  'a peer that claims much more and answers %s %s leaves the node at its head',
  async (code, when) => {
    const world = memoryWorld();
    const worlds = { world, timers: world.timers };
    const first = when === 'at once' ? 20n : 0n;
    const [honest, late, liar] = [
      await makeNode(worlds, 20n),
      await makeNode(worlds, first),
      await makeNode(worlds, 20n),
    ];
    const request = late.network.request.bind(late.network);
    let asked = 0;
    late.network.request = (peerId, ...rest) => {
      if (peerId !== liar.network.nodeId || late.chain.joinedAt === undefined)
        return request(peerId, ...rest);
      asked++;
      return Promise.reject(new LedgerError(code, 'not now'));
    };
    join(late, honest);
    join(late, liar);
    await world.until('it joined', () => late.chain.joinedAt !== undefined);
    liar.sync.stop();
    const fromMs = world.timers.nowMs();
    let behindMs = 0;
    while (world.timers.nowMs() < fromMs + 180_000) {
      void liar.network.send(late.network.nodeId, 'sync', encodeRange({ base: 1n, height: 1_000_000n }));
      await world.timers.advance(500);
      if (late.sync.isCatchingUp()) behindMs += 500;
      honest.chain.advance();
      late.chain.advance();
    }
    expect(asked).toBeGreaterThan(0);
    // One that has delivered is believed for three silences; nobody else for a moment.
    expect(behindMs).toBeLessThanOrEqual(when === 'at once' ? 0 : 30_000);
    for (const { sync } of [honest, late]) sync.stop();
    await world.close();
  },
);

test('a peer that claims much more and hands on each block as it is decided leaves the node at its head', async () => {
  const world = memoryWorld();
  const worlds = { world, timers: world.timers };
  const [honest, late, liar] = [
    await makeNode(worlds, 20n),
    await makeNode(worlds, 0n),
    await makeNode(worlds, 20n),
  ];
  const request = late.network.request.bind(late.network);
  let delivered = 0;
  late.network.request = async (peerId, protocol, bytes, options) => {
    if (peerId !== liar.network.nodeId || late.chain.joinedAt === undefined)
      return request(peerId, protocol, bytes, options);
    const { height } = decodeBlockRequest(bytes);
    while (honest.chain.height < height)
      await new Promise<void>((resolve) => world.timers.after(20, resolve));
    delivered++;
    return encodeBlockResponse([{ blockBytes: blockBytes(height), commit: commitOf(height) }]);
  };
  for (const peer of [honest, liar]) join(late, peer);
  await world.until('it joined', () => late.chain.joinedAt !== undefined);
  liar.sync.stop();
  late.chain.advancedAtMs = world.timers.nowMs();
  let behind = 0;
  for (let second = 0; second < 90; second++) {
    honest.chain.advance();
    void liar.network.send(late.network.nodeId, 'sync', encodeRange({ base: 1n, height: 1_000_000n }));
    await world.timers.advance(1_000);
    if (late.sync.isCatchingUp()) behind++;
  }
  expect([late.chain.height, delivered > 80, behind]).toEqual([honest.chain.height, true, 0]);
  late.chain.advancedAtMs -= 3_600_000; // the machine slept
  expect(late.sync.isCatchingUp()).toBe(true);
  for (const { sync } of [honest, late]) sync.stop();
  await world.close();
});
