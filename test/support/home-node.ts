/** A whole node in this process, on a real socket and disk, as `openledgerd init` and `start` make it. */
import { basename } from 'node:path';
import { type ApplicationOptions, openApplication } from '../../cli/application.ts';
import { readGenesisFile } from '../../cli/home/genesis-file.ts';
import { initNode } from '../../cli/home/init-node.ts';
import { readNodeKey } from '../../cli/home/node-key.ts';
import { openHome } from '../../cli/home/open.ts';
import { messageOf } from '../../core/errors.ts';
import { startNode } from '../../node/node.ts';
import { silentLogger } from '../../p2p/network.ts';

/** Makes a home with free ports of this machine: of a new chain, or of that of a genesis file. */
export async function initHome(
  home: string,
  chain: { readonly chainId: string } | { readonly genesis: string },
): Promise<string> {
  const addresses = { rpcLaddr: 'tcp://127.0.0.1:0', p2pLaddr: 'tcp://127.0.0.1:0' };
  const moniker = basename(home);
  await initNode({ home, moniker, newChainId: 'x', account: [], now: new Date(), ...addresses, ...chain });
  return home;
}

/** A node that runs. */
export interface RunningHome {
  /** `http://127.0.0.1:…`. */
  readonly rpc: string;
  /** Resolves to why the node cannot go on. */
  readonly failure: Promise<string>;
  /** Resolves when the block is there; rejects when the node cannot go on. */
  readonly reached: Promise<void>;
  stop(): Promise<void>;
}

/** Runs the node of a home, with 20 ms between blocks, and says when it has come to a height. */
export async function runHome(
  homeDir: string,
  until: bigint,
  program: Partial<ApplicationOptions>,
): Promise<RunningHome> {
  const home = openHome(homeDir);
  const genesis = readGenesisFile(home.paths.genesisFile);
  const { chainId, initialHeight } = genesis.document;
  const { application, close } = await openApplication({
    ...{ dataDir: home.dataDir, chainId, prefix: genesis.prefix, initialHeight, minimumGasPrices: '' },
    ...{ txBytesMax: 1_000_000, verifierWorkers: 0, version: '', log: silentLogger },
    ...program,
  });
  const failed = Promise.withResolvers<string>();
  const reached = Promise.withResolvers<void>();
  reached.promise.catch(() => undefined);
  try {
    const node = await startNode({
      config: { ...home.node, consensus: { ...home.node.consensus, timeoutCommitMs: 20 } },
      ...{ dataDir: home.dataDir, paths: home.paths, genesis: genesis.document, genesisText: genesis.text },
      ...{ nodeKey: readNodeKey(home.paths.nodeKeyFile), application, version: '' },
      logging: () => silentLogger,
      onBlock: ({ height }) => height >= until && reached.resolve(),
      onFatal: (error) => {
        failed.resolve(messageOf(error));
        reached.reject(error);
      },
    });
    const stop = async (): Promise<void> => {
      await node.stop();
      await close();
    };
    return { rpc: node.rpc, failure: failed.promise, reached: reached.promise, stop };
  } catch (error) {
    await close();
    throw error;
  }
}
