/** Block sync over links that need longer for a block than a peer may be silent. */
import { afterEach, expect, test } from 'vitest';
import { CHANNELS, PROTOCOLS } from '../../p2p/channels.ts';
import { MemoryHub } from '../../p2p/memory.ts';
import { DEFAULT_LIMITS, type Network, silentLogger } from '../../p2p/network.ts';
import { testOptions } from '../../p2p/testing.ts';
import { VirtualTimers } from '../../p2p/timers.ts';
import { BlockSync, DEFAULT_BLOCK_SYNC } from './block-sync.ts';
import { TestChain } from './testing.ts';

const MIB = 1024 * 1024;
const LARGE_BYTES = 4.5 * MIB;
const BLOCKS = 6n;

interface TestNode {
  readonly network: Network;
  readonly chain: TestChain;
  readonly sync: BlockSync;
}

const nodes: TestNode[] = [];

afterEach(async () => {
  for (const { sync, network } of nodes.splice(0)) {
    sync.stop();
    await network.stop();
  }
});

/** One node behind, and others whose answers go at these rates, in bytes a second. */
async function makeNodes(rates: readonly number[]): Promise<{ timers: VirtualTimers; behind: TestNode }> {
  const timers = new VirtualTimers();
  const rateOf = new Map(rates.map((rate, i) => [`peer${i}`, rate]));
  const hub = new MemoryHub({
    timers,
    random: () => 0.5,
    latencyMs: () => 50,
    answerBytesPerSecond: (from) => rateOf.get(from) ?? Number.POSITIVE_INFINITY,
  });
  for (const id of ['behind', ...rateOf.keys()]) {
    const options = testOptions({ channels: CHANNELS, protocols: PROTOCOLS, limits: DEFAULT_LIMITS });
    const network = hub.createNetwork(id, options);
    await network.start();
    const chain = new TestChain(id === 'behind' ? 0n : BLOCKS, timers);
    chain.blockBytesLength = LARGE_BYTES;
    const sync = new BlockSync(
      { network, store: chain, target: chain, timers, log: silentLogger },
      DEFAULT_BLOCK_SYNC,
    );
    sync.start();
    nodes.push({ network, chain, sync });
  }
  const [behind, ...others] = nodes;
  if (behind === undefined) throw new Error('no node');
  for (const { network } of others) behind.network.addPersistentPeer(network.listenAddresses()[0] ?? '');
  return { timers, behind };
}

test('a link that takes half a minute for each block brings them all, and nobody is blamed', async () => {
  const { timers, behind } = await makeNodes([160 * 1024]);
  const startMs = timers.nowMs();
  expect(await timers.advanceUntil(() => behind.chain.height === BLOCKS, 300_000)).toBe(true);
  expect(timers.nowMs() - startMs).toBeGreaterThan(2 * Number(BLOCKS) * DEFAULT_BLOCK_SYNC.requestTimeoutMs);
  expect(behind.sync.metrics.requestsFailed).toBe(0);
  expect(behind.network.metrics.penalties).toBe(0);
});

test('a link that is slower than the slowest is given up for another', async () => {
  const { timers, behind } = await makeNodes([16 * 1024, 400 * 1024]);
  expect(await timers.advanceUntil(() => behind.chain.height === BLOCKS, 300_000)).toBe(true);
  expect(behind.sync.metrics.requestsFailed).toBeGreaterThan(0);
});

test('a peer that only trickles is given up in bounded time', async () => {
  const { timers, behind } = await makeNodes([2 * 1024]);
  await timers.advance(3 * DEFAULT_BLOCK_SYNC.requestTimeoutMs);
  expect(behind.sync.metrics.requestsFailed).toBeGreaterThan(0);
  expect(behind.chain.height).toBe(0n);
});
