/** Block sync and restart: how fast a new node gets a chain from its peers, and how soon a node is back. */
import { join } from 'node:path';
import { NodeProcess } from '../../cli/devnet/node-process.ts';
import { choosePorts } from '../../cli/devnet/ports.ts';
import { makeChain, type MadeChain, type MadeChainOptions } from './made-chain.ts';
import { processStats } from './process-stats.ts';

/** One node fetched a whole chain. */
export interface SyncResult {
  readonly peers: number;
  readonly blocks: number;
  readonly bytes: number;
  /** From the first block that the node had to the last. */
  readonly seconds: number;
  /** Of the node that syncs. */
  readonly cpuSeconds: number;
  readonly peakRssBytes: number;
}

/** A chain that was made, and what syncing it took. */
export interface SyncMeasurement {
  readonly chain: MadeChain;
  readonly results: readonly SyncResult[];
  /** From the start of the process until its RPC answers, with the whole chain in the home, in seconds. */
  readonly restarts: readonly number[];
}

const RESTARTS = 3;
const SILENT = { block: (): void => undefined, exited: (): void => undefined };
const SYNC_MS_MAX = 600_000;

/** Makes a chain and measures. */
export async function measureSync(
  options: MadeChainOptions & { readonly peers: readonly number[]; readonly note: (line: string) => void },
): Promise<SyncMeasurement> {
  const { note } = options;
  note(`making ${options.blocks} blocks with ${options.txs} transactions each`);
  const chain = await makeChain(options);
  const ports = await choosePorts({ nodes: Math.max(...options.peers) + 1, rpcPort: 0 });
  const portsOf = (i: number): { readonly rpc: number; readonly p2p: number } =>
    ports[i] ?? { rpc: 0, p2p: 0 };
  const servers = await Promise.all(
    Array.from({ length: Math.max(...options.peers) }, (_, i) =>
      chain.home({ moniker: `server${i}`, ports: portsOf(i), peers: [], hasData: true }),
    ),
  );
  const results: SyncResult[] = [];
  const running = servers.map(({ home }, i) => new NodeProcess({ moniker: `server${i}`, home }, SILENT));
  try {
    await Promise.all(running.map((server) => server.ready()));
    for (const peers of options.peers) {
      note(`syncing from ${peers} peer(s)`);
      const moniker = `fresh${peers}`;
      const addresses = servers.slice(0, peers).map(({ peer }) => peer);
      const { home } = await chain.home({
        moniker,
        ports: portsOf(ports.length - 1),
        peers: addresses,
        hasData: false,
      });
      results.push({ peers, ...(await syncOnce(home, chain)) });
    }
  } finally {
    await Promise.all(running.map((server) => server.stop()));
  }
  const restarts = await startSeveralTimes(join(options.folder, `fresh${options.peers[0] ?? 1}`));
  return { chain, results, restarts };
}

/** Makes a chain and starts a node that has it. Seconds from the process to its RPC, each time. */
export async function measureRestart(
  options: MadeChainOptions & { readonly note: (line: string) => void },
): Promise<readonly number[]> {
  options.note(`making ${options.blocks} blocks`);
  const chain = await makeChain(options);
  const [ports] = await choosePorts({ nodes: 1, rpcPort: 0 });
  const { home } = await chain.home({
    moniker: 'restarted',
    ports: ports ?? { rpc: 0, p2p: 0 },
    peers: [],
    hasData: true,
  });
  // Blocks that were made, not decided, are in no index yet: the first start writes it.
  const [first = 0] = await startSeveralTimes(home, 1);
  options.note(`the first start, which indexes all blocks, took ${first.toFixed(2)} s`);
  return await startSeveralTimes(home);
}

async function startSeveralTimes(home: string, times = RESTARTS): Promise<readonly number[]> {
  const seconds: number[] = [];
  for (let i = 0; i < times; i++) {
    const beganMs = performance.now();
    const node = new NodeProcess({ moniker: 'restart', home }, SILENT);
    try {
      await node.ready();
      seconds.push((performance.now() - beganMs) / 1000);
    } finally {
      await node.stop();
    }
  }
  return seconds;
}

async function syncOnce(home: string, chain: MadeChain): Promise<Omit<SyncResult, 'peers'>> {
  let firstMs = 0;
  let cpuBefore = 0;
  let node: NodeProcess | undefined;
  const stats = (): ReturnType<typeof processStats> => processStats(node?.pid ?? 0);
  try {
    await new Promise<void>((resolve, reject) => {
      const late = new Error(`not at height ${chain.blocks} after ${SYNC_MS_MAX / 1000} s`);
      const timer = setTimeout(() => reject(late), SYNC_MS_MAX);
      node = new NodeProcess(
        { moniker: 'fresh', home },
        {
          block: (_moniker, { height }) => {
            if (height === 1) {
              firstMs = performance.now();
              cpuBefore = stats()?.cpuSeconds ?? 0;
            }
            if (height < chain.blocks) return;
            clearTimeout(timer);
            resolve();
          },
          exited: (_moniker, how) => {
            clearTimeout(timer);
            reject(new Error(`the node that syncs ended: ${how}; its log is ${home}/node.log`));
          },
        },
      );
    });
    const seconds = (performance.now() - firstMs) / 1000;
    const { cpuSeconds = 0, peakRssBytes = 0 } = stats() ?? {};
    return {
      blocks: chain.blocks,
      bytes: chain.bytes,
      seconds,
      cpuSeconds: cpuSeconds - cpuBefore,
      peakRssBytes,
    };
  } finally {
    await node?.stop();
  }
}
