/** The RPC of a node, from before it has a state: while one is restored it tells of the node only. */
import type { Timers } from '../p2p/timers.ts';
import { machine } from './environment.ts';
import type { Closers, Core, NodeOptions, Syncing } from './node.ts';
import { genesisOf, rpcConfigOf } from './node-settings.ts';
import { nodeStatus, peerSource } from './node-status.ts';
import type { RpcPorts } from './rpc/ports.ts';
import { RpcServer } from './rpc/server.ts';
import { portsWhileSyncing } from './rpc/while-syncing.ts';

/** Without a state a node knows no validators. */
const NOBODY = { validatorOf: () => undefined };

/** One server for the node's whole life: nobody loses its address when the state is there. */
export class NodeRpc {
  readonly #options: NodeOptions;
  readonly #closers: Closers;
  #server: RpcServer | undefined;

  constructor(options: NodeOptions, closers: Closers) {
    this.#options = options;
    this.#closers = closers;
  }

  /** Serves what is known without a state. @throws LedgerError `rpc.listen` */
  async startWhileSyncing({ network, peers, signer }: Syncing): Promise<void> {
    const { config, genesis, genesisText, logging } = this.#options;
    await this.#start(
      portsWhileSyncing({
        status: nodeStatus({
          config,
          network,
          signer,
          sync: { isCatchingUp: () => true },
          executor: { state: genesisOf(genesis) },
        }),
        peers: peerSource({ network, peers, validatorPeers: NOBODY }, genesis.chainId),
        genesis: { text: () => genesisText },
        indexes: config.txIndex.indexer !== 'null',
        timers: machine.timers,
        logger: logging('rpc'),
      }),
    );
  }

  /** Serves the whole node; returns the port. @throws LedgerError `rpc.listen` */
  async serve(core: Core): Promise<number> {
    const ports = rpcPorts(this.#options, core, machine.timers);
    const server = this.#server;
    if (server === undefined) return (await this.#start(ports)).port;
    server.use(ports);
    this.#closers.push(() => server.stop()); // again, but before what it reads from now
    return server.port;
  }

  async #start(ports: RpcPorts): Promise<RpcServer> {
    const server = new RpcServer(ports, rpcConfigOf(this.#options.config.rpc));
    await server.start();
    this.#closers.push(() => server.stop());
    this.#server = server;
    return server;
  }
}

/** What of a node its RPC needs besides the core. */
export type RpcOptions = Pick<NodeOptions, 'config' | 'application' | 'genesis' | 'genesisText' | 'logging'>;

/** What RPC answers from. */
export function rpcPorts(options: RpcOptions, core: Core, timers: Pick<Timers, 'after'>): RpcPorts {
  const { config, application, genesis, genesisText, logging } = options;
  const { stores, mempool, bus, engine, index, network } = core;
  return {
    application,
    blocks: stores.blocks,
    state: stores.state,
    status: nodeStatus({ config, network, signer: core.signer, sync: core.sync, executor: core.executor }),
    peers: peerSource(core, genesis.chainId),
    genesis: { text: () => genesisText },
    mempool,
    evidence: core.evidence,
    index,
    events: bus,
    consensus: engine,
    timers,
    logger: logging('rpc'),
  };
}
