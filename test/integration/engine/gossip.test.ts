/** Four real engines, stores and logs with the real gossip and block sync over the network in memory. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { EMPTY_BYTES, toHex, utf8 } from '../../../core/bytes.ts';
import { BlockSync, DEFAULT_BLOCK_SYNC } from '../../../node/blocksync/block-sync.ts';
import type { ConsensusPublisher } from '../../../node/engine/ports.ts';
import { DEFAULT_GOSSIP, Gossip } from '../../../node/gossip/gossip.ts';
import type { Genesis } from '../../../node/state/chain-state.ts';
import { CHANNELS, PROTOCOLS } from '../../../p2p/channels.ts';
import { MemoryHub } from '../../../p2p/memory.ts';
import { DEFAULT_LIMITS, type Network, silentLogger } from '../../../p2p/network.ts';
import { systemTimers } from '../../../p2p/timers.ts';
import { CHAIN_ID, openTestNode, type TestHome, type TestNode, testGenesis } from './test-node.ts';

const VALIDATORS = 4;

interface Running {
  readonly node: TestNode;
  stop(): Promise<void>;
}

const newHome = (index: number): TestHome => ({
  directory: mkdtempSync(join(tmpdir(), 'gossip-')),
  index,
  application: { height: 0n, hash: EMPTY_BYTES },
});

/** Starts a node that knows the addresses of all others. */
async function start(hub: MemoryHub, home: TestHome, genesis: Genesis, validates = true): Promise<Running> {
  const name = (index: number): string => `node${index}`;
  const peers = Array.from({ length: VALIDATORS }, (_, index) => index).filter(
    (index) => index !== home.index,
  );
  let height = (): bigint => 0n;
  const network: Network = hub.createNetwork(name(home.index), {
    chainId: CHAIN_ID,
    moniker: name(home.index),
    softwareVersion: '0',
    genesisHash: EMPTY_BYTES,
    channels: CHANNELS,
    protocols: PROTOCOLS,
    latestHeight: () => height(),
    persistentPeers: peers.map((index) => `/memory/${name(index)}`),
    limits: DEFAULT_LIMITS,
    log: silentLogger,
  });
  const publisher: ConsensusPublisher = {
    publish: (message) => gossip.publish(message),
    misbehaved: (peer, reason) => gossip.misbehaved(peer, reason),
  };
  const transactions = (): Uint8Array[] => [utf8(`tx of ${home.index}`)];
  const node = await openTestNode({ home, genesis, publisher, transactions, validates });
  height = () => node.engine.lastHeight();
  const gossip = new Gossip(
    { network, engine: node.engine, store: node.blocks, timers: systemTimers },
    DEFAULT_GOSSIP,
  );
  const sync = new BlockSync(
    { network, store: node.blocks, target: node.engine, timers: systemTimers, log: silentLogger },
    { ...DEFAULT_BLOCK_SYNC, graceMs: 300 },
  );
  node.engine.start();
  gossip.start();
  sync.start();
  await network.start();
  return {
    node,
    stop: async () => {
      sync.stop();
      gossip.stop();
      await network.stop();
      await node.stop();
    },
  };
}

function testHub(): MemoryHub {
  return new MemoryHub({ timers: systemTimers, random: () => 0.5, latencyMs: () => 1 });
}

const chain = (node: TestNode, from: bigint, to: bigint): string[] => {
  const ids: string[] = [];
  for (let height = from; height <= to; height++)
    ids.push(toHex(node.blocks.blockId(height)?.hash ?? EMPTY_BYTES));
  return ids;
};

test('four validators over gossip; one dies and comes back, a full node joins late: one chain', async () => {
  const genesis = testGenesis(VALIDATORS);
  const hub = testHub();
  const homes = Array.from({ length: VALIDATORS }, (_, index) => newHome(index));
  const running = await Promise.all(homes.map((home) => start(hub, home, genesis)));
  const [first, , , last] = running;
  const lastHome = homes[3];
  if (first === undefined || last === undefined || lastHome === undefined) throw new Error('four nodes');
  await Promise.all(running.map(({ node }) => node.reached(6n)));
  await last.stop();
  const stoppedAt = last.node.engine.lastHeight();
  await first.node.reached(stoppedAt + 6n);
  const back = await start(hub, lastHome, genesis);
  const follower = await start(hub, newHome(9), genesis, false);
  const target = first.node.engine.lastHeight() + 8n;
  await Promise.all([first, back, follower].map(({ node }) => node.reached(target)));
  const expected = chain(first.node, 1n, target);
  expect(chain(back.node, 1n, target)).toEqual(expected);
  expect(chain(follower.node, 1n, target)).toEqual(expected);
  // It takes part again: one of the last blocks was proposed by it or carries its signature.
  const commit = first.node.blocks.commit(target - 1n);
  expect(commit?.signatures.filter(({ blockIdFlag }) => blockIdFlag === 'commit').length).toBeGreaterThan(2);
  await Promise.all([...running.slice(0, 3), back, follower].map((one) => one.stop()));
}, 60_000);

test('without two of four there is no block; with three again there is, and no fork', async () => {
  const genesis = testGenesis(VALIDATORS);
  const hub = testHub();
  const homes = Array.from({ length: VALIDATORS }, (_, index) => newHome(index));
  const [a, b, c, d] = await Promise.all(homes.map((home) => start(hub, home, genesis)));
  if (!a || !b || !c || !d) throw new Error('four nodes');
  await Promise.all([a, b, c, d].map(({ node }) => node.reached(3n)));
  await Promise.all([c.stop(), d.stop()]);
  const stuckAt = (): bigint => a.node.engine.lastHeight();
  let before = stuckAt();
  for (let round = 0; round < 20; round++) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    if (stuckAt() === before) continue;
    before = stuckAt();
    round = 0;
  }
  const again = await start(hub, homes[2] ?? newHome(2), genesis);
  await Promise.all([a, b, again].map(({ node }) => node.reached(before + 4n)));
  expect(chain(b.node, 1n, before + 4n)).toEqual(chain(a.node, 1n, before + 4n));
  expect(chain(again.node, 1n, before + 4n)).toEqual(chain(a.node, 1n, before + 4n));
  await Promise.all([a, b, again].map((one) => one.stop()));
}, 60_000);
