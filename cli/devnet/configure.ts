/**
 * Sets the ports, peers and block time of a devnet's nodes, at each start. Apart from `layout.ts`, which makes
 * their homes: a devnet that continues does not load the state machine.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { formatListenAddress } from '../../node/config/address.ts';
import type { NodeConfig } from '../../node/config/config.ts';
import { homePaths } from '../../node/config/home.ts';
import { writeNodeConfig } from '../../node/config/toml.ts';
import { openHome } from '../home/open.ts';
import { LOOPBACK, type NodePorts } from './ports.ts';
import type { DevnetNode, DevnetRecord } from './record.ts';

/** What changes from start to start. */
export interface NodesConfiguration {
  readonly record: DevnetRecord;
  /** By node. */
  readonly ports: readonly NodePorts[];
  readonly blockTimeMs: number;
}

/** Writes ports, peers and block time into each node's configuration; all else in it stays as it is. */
export function configureNodes({ record, ports, blockTimeMs }: NodesConfiguration): void {
  const peers = record.nodes.map((node, i) => peerAt(node, ports[i]?.p2p ?? 0));
  for (const [i, { home }] of record.nodes.entries()) {
    const { node } = openHome(home);
    const text = writeNodeConfig({
      ...node,
      rpc: { ...node.rpc, laddr: formatListenAddress({ host: LOOPBACK, port: ports[i]?.rpc ?? 0 }) },
      p2p: {
        ...node.p2p,
        laddr: formatListenAddress({ host: LOOPBACK, port: ports[i]?.p2p ?? 0 }),
        persistentPeers: peers.filter((_, other) => other !== i),
      },
      consensus: { ...node.consensus, ...timeoutsFor(blockTimeMs) },
    });
    const file = homePaths(home).configFile;
    if (readFileSync(file, 'utf8') !== text) writeFileSync(file, text);
  }
}

/**
 * The pause between blocks is the block time; the waits for messages are shorter than on a network with
 * distances.
 */
function timeoutsFor(blockTimeMs: number): Partial<NodeConfig['consensus']> {
  return {
    timeoutCommitMs: blockTimeMs,
    timeoutProposeMs: Math.min(3_000, Math.max(1_000, 2 * blockTimeMs)),
    timeoutPrevoteMs: 500,
    timeoutPrecommitMs: 500,
  };
}

function peerAt(node: DevnetNode, port: number): string {
  return `/ip4/${LOOPBACK}/tcp/${port}/p2p/${node.p2p.split('/p2p/')[1] ?? ''}`;
}
