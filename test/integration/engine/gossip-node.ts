/** A test node with the real gossip and block sync over the network in memory. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EMPTY_BYTES, toHex, utf8 } from '../../../core/bytes.ts';
import { BlockSync, DEFAULT_BLOCK_SYNC } from '../../../node/blocksync/block-sync.ts';
import type { ConsensusMessage, ConsensusPublisher } from '../../../node/engine/ports.ts';
import { DEFAULT_GOSSIP, Gossip } from '../../../node/gossip/gossip.ts';
import type { Genesis } from '../../../node/state/chain-state.ts';
import { CHANNELS, PROTOCOLS } from '../../../p2p/channels.ts';
import { MemoryHub } from '../../../p2p/memory.ts';
import { DEFAULT_LIMITS, type Network, silentLogger } from '../../../p2p/network.ts';
import { systemTimers } from '../../../p2p/timers.ts';
import { CHAIN_ID, openTestNode, type TestHome, type TestNode, type TestNodeOptions } from './test-node.ts';

/** Validators of the test chain. */
export const VALIDATORS = 4;

/** A started node. */
export interface Running {
  readonly node: TestNode;
  stop(): Promise<void>;
}

/** What differs from an ordinary node. */
export interface StartOptions extends Partial<TestNodeOptions> {
  /** Sees each message before it leaves; may throw. */
  readonly beforePublish?: (message: ConsensusMessage) => void;
}

/** A home that was never used. */
export const newHome = (index: number): TestHome => ({
  directory: mkdtempSync(join(tmpdir(), 'gossip-')),
  index,
  application: { height: 0n, hash: EMPTY_BYTES },
});

/** Starts a node that knows the addresses of all others. */
export async function start(
  hub: MemoryHub,
  home: TestHome,
  genesis: Genesis,
  { beforePublish, ...extra }: StartOptions = {},
): Promise<Running> {
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
    publish: (message) => {
      beforePublish?.(message);
      gossip.publish(message);
    },
    misbehaved: (peer, reason) => gossip.misbehaved(peer, reason),
  };
  const transactions = (): Uint8Array[] => [utf8(`tx of ${home.index}`)];
  const node = await openTestNode({ home, genesis, publisher, transactions, ...extra });
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

/** Wires with a latency of a millisecond. */
export function testHub(): MemoryHub {
  return new MemoryHub({ timers: systemTimers, random: () => 0.5, latencyMs: () => 1 });
}

/** The hashes of a node's blocks between two heights. */
export function chain(node: TestNode, from: bigint, to: bigint): string[] {
  const ids: string[] = [];
  for (let height = from; height <= to; height++) {
    ids.push(toHex(node.blocks.blockId(height)?.hash ?? EMPTY_BYTES));
  }
  return ids;
}
