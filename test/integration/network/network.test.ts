/** Consensus over real sockets: engines, gossip and block sync of several nodes in one process. */
import { afterEach, expect, test } from 'vitest';
import { utf8 } from '../../../core/bytes.ts';
import { MemoryHub } from '../../../p2p/memory.ts';
import type { Network, NetworkOptions } from '../../../p2p/network.ts';
import { until } from '../../../p2p/testing.ts';
import { systemTimers } from '../../../p2p/timers.ts';
import { testGenesis } from '../engine/test-node.ts';
import { chainOf, type NetworkedNode, type NetworkedOptions, newHome, startNode } from './networked-node.ts';

const running: Set<NetworkedNode> = new Set();

afterEach(async () => {
  for (const node of running) await node.stop();
  running.clear();
});

async function start(options: NetworkedOptions): Promise<NetworkedNode> {
  const node = await startNode(options);
  running.add(node);
  return node;
}

async function stop(node: NetworkedNode): Promise<void> {
  running.delete(node);
  await node.stop();
}

function mesh(nodes: readonly NetworkedNode[]): void {
  nodes.forEach((node, index) => {
    for (const other of nodes.slice(index + 1)) node.network.addPersistentPeer(other.address);
  });
}

function reached(nodes: readonly NetworkedNode[], height: bigint): Promise<unknown> {
  return Promise.all(nodes.map(({ node }) => node.reached(height)));
}

function expectOneChain(nodes: readonly NetworkedNode[], height: bigint): void {
  const [first, ...others] = nodes.map((node) => chainOf(node, height));
  expect(first).toHaveLength(Number(height));
  for (const other of others) expect(other).toEqual(first);
  for (const { network } of nodes) expect(network.metrics.penalties).toBe(0);
}

test('four validators in a mesh and a full node behind one of them make one chain', async () => {
  const genesis = testGenesis(4);
  const nodes: NetworkedNode[] = [];
  for (let index = 0; index < 4; index++)
    nodes.push(await start({ home: newHome(index), genesis, peers: [] }));
  mesh(nodes);
  await reached(nodes, 3n);
  const peers = [nodes[2]?.address ?? ''];
  const full = await start({ home: newHome(9), genesis, validates: false, peers });
  await reached([...nodes, full], 15n);
  expectOneChain([...nodes, full], 15n);
  expect(full.sync.metrics.blocksApplied).toBeGreaterThan(0);
  await until('the full node follows', () => !full.sync.isCatchingUp());
});

test('four validators in a line make one chain', async () => {
  const genesis = testGenesis(4);
  const nodes: NetworkedNode[] = [];
  for (let index = 0; index < 4; index++) {
    const peers = nodes.slice(-1).map(({ address }) => address);
    nodes.push(await start({ home: newHome(index), genesis, peers }));
  }
  await reached(nodes, 8n);
  expectOneChain(nodes, 8n);
});

test('a validator that was away catches up; with two away nothing is decided, and then again', async () => {
  const genesis = testGenesis(4);
  const homes = [0, 1, 2, 3].map(newHome);
  const nodes: NetworkedNode[] = [];
  for (const home of homes) nodes.push(await start({ home, genesis, peers: [] }));
  mesh(nodes);
  await reached(nodes, 3n);
  const [a, b, c, d] = nodes;
  const [, , homeC, homeD] = homes;
  if (a === undefined || b === undefined || c === undefined || d === undefined) throw new Error('four nodes');
  if (homeC === undefined || homeD === undefined) throw new Error('four homes');
  await stop(d);
  const away = d.node.engine.lastHeight();
  await reached([a, b, c], away + 5n);
  await stop(c);
  await until('the two hear that they are alone', () => a.network.peers().length === 1);
  const stuckAt = a.node.engine.lastHeight() + 1n;
  const peers = [a.address, b.address];
  const again = await start({ home: homeD, genesis, peers });
  await reached([a, b, again], stuckAt + 3n);
  await start({ home: homeC, genesis, peers });
  await reached([...running], stuckAt + 8n);
  expect(running.size).toBe(4);
  expectOneChain([...running], stuckAt + 8n);
});

test('blocks of half a megabyte travel in parts', async () => {
  const genesis = testGenesis(4);
  const nodes: NetworkedNode[] = [];
  const transactions = (): readonly Uint8Array[] =>
    Array.from({ length: 4 }, (_, i) => new Uint8Array(130_000).fill(i + 1));
  for (let index = 0; index < 4; index++)
    nodes.push(await start({ home: newHome(index), genesis, peers: [], transactions }));
  mesh(nodes);
  await reached(nodes, 4n);
  expectOneChain(nodes, 4n);
});

test('without empty blocks, a height that one node has work for wakes the others', async () => {
  const genesis = testGenesis(4);
  const nodes: NetworkedNode[] = [];
  for (let index = 0; index < 4; index++) {
    const transactions = (): readonly Uint8Array[] => [utf8(`from ${index}`)];
    const options = { home: newHome(index), genesis, peers: [], createEmptyBlocks: false, transactions };
    nodes.push(await start(options));
  }
  mesh(nodes);
  await reached(nodes, 2n);
  expectOneChain(nodes, 2n);
});

test('halves that cannot reach each other decide nothing, and go on as one when they can', async () => {
  const genesis = testGenesis(4);
  const hub = new MemoryHub({ timers: systemTimers, random: () => 0.5, latencyMs: () => 3 });
  const nodes: NetworkedNode[] = [];
  for (let index = 0; index < 4; index++) {
    const createNetwork = (common: NetworkOptions): Promise<Network> =>
      Promise.resolve(hub.createNetwork(`node${index}`, common));
    nodes.push(await start({ home: newHome(index), genesis, peers: [], createNetwork }));
  }
  mesh(nodes);
  const across = ['node0', 'node1'].flatMap((left) =>
    ['node2', 'node3'].map((right) => [left, right] as const),
  );
  for (let cuts = 1; cuts <= 2; cuts++) {
    await reached(nodes, newest(nodes) + 2n);
    for (const [left, right] of across) hub.cut(left, right);
    const cutAt = newest(nodes);
    const told = nodes.map(({ network }) => network.metrics.messagesSent['state'] ?? 0);
    await until('each half has told itself again and again where it stands', () =>
      nodes.every(
        ({ network }, index) => (network.metrics.messagesSent['state'] ?? 0) > (told[index] ?? 0) + 12,
      ),
    );
    // What was on its way may have ended one height more.
    expect(newest(nodes) - cutAt).toBeLessThanOrEqual(1n);
    for (const [left, right] of across) hub.heal(left, right);
  }
  const last = newest(nodes) + 2n;
  await reached(nodes, last);
  expectOneChain(nodes, last);
});

function newest(nodes: readonly NetworkedNode[]): bigint {
  return nodes.reduce(
    (most, { node }) => (node.engine.lastHeight() > most ? node.engine.lastHeight() : most),
    0n,
  );
}
