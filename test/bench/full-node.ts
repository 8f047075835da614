/** A full node that joins a devnet under measurement. */
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { NodeProcess } from '../../cli/devnet/node-process.ts';
import { choosePorts, LOOPBACK } from '../../cli/devnet/ports.ts';
import { createHome } from '../../cli/home/create.ts';
import { openHome } from '../../cli/home/open.ts';
import type { StateSyncConfig } from '../../node/config/config.ts';
import { defaultAppConfig, defaultNodeConfig } from '../../node/config/toml.ts';
import type { RunningDevnet } from '../e2e/program.ts';

/** How it joins. */
export interface FullNodeOptions {
  /** A folder of its own is made in it. */
  readonly folder: string;
  readonly moniker: string;
  readonly devnet: RunningDevnet;
  /** Absent: by block sync. */
  readonly stateSync?: Partial<StateSyncConfig>;
}

/** A full node with everything at its default, its home made anew. */
export class FullNode {
  readonly process: NodeProcess;
  height = 0;
  /** Blocks that it told of, and when the first came. */
  firstBlockMs = 0;
  #waiting: { readonly height: number; readonly resolve: () => void; readonly reject: (e: Error) => void }[] =
    [];

  private constructor(home: string, moniker: string) {
    this.process = new NodeProcess(
      { moniker, home },
      {
        block: (_, { height }) => this.#reached(height),
        exited: (_, how) => {
          for (const { reject } of this.#waiting)
            reject(new Error(`${moniker} ended: ${how}; its log is ${home}/node.log`));
        },
      },
    );
  }

  static async start({ folder, moniker, devnet, stateSync }: FullNodeOptions): Promise<FullNode> {
    const [first] = devnet.ready.nodes;
    const [ports] = await choosePorts({ nodes: 1, rpcPort: 0 });
    if (first === undefined || ports === undefined) throw new Error('the devnet has no node');
    const home = join(folder, moniker);
    const node = defaultNodeConfig();
    const { paths } = await createHome({
      home,
      node: {
        ...node,
        base: { ...node.base, moniker, logLevel: 'info' },
        rpc: { ...node.rpc, laddr: `tcp://${LOOPBACK}:${ports.rpc}` },
        p2p: {
          ...node.p2p,
          laddr: `tcp://${LOOPBACK}:${ports.p2p}`,
          persistentPeers: devnet.ready.nodes.map(({ p2p }) => p2p),
        },
        stateSync: { ...node.stateSync, ...stateSync },
      },
      app: defaultAppConfig(),
    });
    copyFileSync(openHome(first.home).paths.genesisFile, paths.genesisFile);
    return new FullNode(home, moniker);
  }

  /** Resolves when it has told of that height. */
  waitForHeight(height: number): Promise<void> {
    if (this.height >= height) return Promise.resolve();
    return new Promise((resolve, reject) => this.#waiting.push({ height, resolve, reject }));
  }

  #reached(height: number): void {
    if (this.height === 0) this.firstBlockMs = performance.now();
    this.height = height;
    for (const each of this.#waiting) if (each.height <= height) each.resolve();
    this.#waiting = this.#waiting.filter((each) => each.height > height);
  }
}
