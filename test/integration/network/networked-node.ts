/**
 * A node with consensus, stores on disk and a libp2p network on loopback: all but mempool, application and
 * RPC.
 */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EMPTY_BYTES, toHex } from '../../../core/bytes.ts';
import { BlockSync, DEFAULT_BLOCK_SYNC } from '../../../node/blocksync/block-sync.ts';
import type { ConsensusMessage } from '../../../node/engine/ports.ts';
import { DEFAULT_GOSSIP, Gossip } from '../../../node/gossip/gossip.ts';
import type { Genesis } from '../../../node/state/chain-state.ts';
import { CHANNELS, PROTOCOLS } from '../../../p2p/channels.ts';
import { createLibp2pNetwork } from '../../../p2p/libp2p.ts';
import { type Network, type NetworkOptions, silentLogger } from '../../../p2p/network.ts';
import { testKey, testOptions } from '../../../p2p/testing.ts';
import { systemTimers } from '../../../p2p/timers.ts';
import { openTestNode, type TestHome, type TestNode } from '../engine/test-node.ts';

/** What differs between nodes. */
export interface NetworkedOptions {
  readonly home: TestHome;
  readonly genesis: Genesis;
  readonly validates?: boolean;
  readonly createEmptyBlocks?: boolean;
  readonly transactions?: () => readonly Uint8Array[];
  /** Addresses of persistent peers. */
  readonly peers: readonly string[];
  /** Where the network lives; by default on libp2p over loopback. */
  readonly createNetwork?: (options: NetworkOptions) => Promise<Network>;
}

/** A running node. */
export interface NetworkedNode {
  readonly node: TestNode;
  readonly network: Network;
  readonly gossip: Gossip;
  readonly sync: BlockSync;
  readonly address: string;
  stop(): Promise<void>;
}

/** What a node of that index keeps between its lives. */
export function newHome(index: number): TestHome {
  const directory = mkdtempSync(join(tmpdir(), 'network-'));
  return { directory, index, application: { height: 0n, hash: EMPTY_BYTES } };
}

/** Opens and starts a node. */
export async function startNode(options: NetworkedOptions): Promise<NetworkedNode> {
  const { home, genesis, peers, createNetwork, ...rest } = options;
  const overLoopback = (common: NetworkOptions): Promise<Network> =>
    createLibp2pNetwork({ ...common, privateKey: testKey(home.index), listen: ['/ip4/127.0.0.1/tcp/0'] });
  const network = await (createNetwork ?? overLoopback)(
    testOptions({
      chainId: genesis.chainId,
      channels: CHANNELS,
      protocols: PROTOCOLS,
      persistentPeers: peers,
    }),
  );
  const late: { gossip: Gossip | undefined } = { gossip: undefined };
  const publisher = {
    publish: (message: ConsensusMessage) => late.gossip?.publish(message),
    misbehaved: (peer: string, reason: string) => late.gossip?.misbehaved(peer, reason),
  };
  const node = await openTestNode({ home, genesis, publisher, ...rest });
  const { engine, blocks } = node;
  const timers = systemTimers;
  const gossip = new Gossip({ network, engine, store: blocks, timers }, DEFAULT_GOSSIP);
  late.gossip = gossip;
  const sync = new BlockSync(
    { network, store: blocks, target: engine, timers, log: silentLogger },
    DEFAULT_BLOCK_SYNC,
  );
  await network.start();
  gossip.start();
  engine.start();
  sync.start();
  const stop = async (): Promise<void> => {
    sync.stop();
    gossip.stop();
    await network.stop();
    await node.stop();
  };
  return { node, network, gossip, sync, address: network.listenAddresses()[0] ?? '', stop };
}

/** The ids of the blocks in a node's store, by height. */
export function chainOf({ node }: NetworkedNode, height: bigint): readonly string[] {
  const ids: string[] = [];
  for (let at = 1n; at <= height; at++) ids.push(toHex(node.blocks.blockId(at)?.hash ?? EMPTY_BYTES));
  return ids;
}
