/**
 * The composition root of a node: what is on disk is opened, the parts are made in plain constructor calls
 * from the lowest to the highest, then started; they are stopped in the reverse order.
 *
 *     application ─ stores ─ handshake ─ network ─ mempool ─ executor ─ engine ─ gossip, block sync ─ RPC
 */
import { Consensus } from '../consensus/consensus.ts';
import { timeToNanos } from '../consensus/types/time.ts';
import { toUpperHex } from '../core/bytes.ts';
import { messageOf } from '../core/errors.ts';
import type { GenesisDocument } from '../genesis/document.ts';
import type { Network } from '../p2p/network.ts';
import type { Application, ApplicationMemory } from './application.ts';
import { BlockSync, DEFAULT_BLOCK_SYNC } from './blocksync/block-sync.ts';
import type { CommittedBlock } from './committed-block.ts';
import { parseListenAddress } from './config/address.ts';
import type { NodeConfig } from './config/config.ts';
import type { ConfiguredPaths } from './config/home.ts';
import type { EnginePorts } from './engine/context.ts';
import { Engine } from './engine/engine.ts';
import type { CommitListener } from './engine/ports.ts';
import { machine, type NodeEnvironment } from './environment.ts';
import { DEFAULT_EVENT_BUS_CONFIG } from './eventbus/config.ts';
import { EventBus } from './eventbus/event-bus.ts';
import { EventPublisher } from './eventbus/publisher.ts';
import { EvidenceGossip } from './evidence/evidence-gossip.ts';
import { EvidencePool } from './evidence/evidence-pool.ts';
import { DEFAULT_GOSSIP, Gossip } from './gossip/gossip.ts';
import type { Logging } from './logging/logger.ts';
import { DEFAULT_MEMPOOL_CONFIG } from './mempool/config.ts';
import { Mempool } from './mempool/mempool.ts';
import type { NodeMetrics } from './metrics/metrics.ts';
import { MetricsServer } from './metrics/server.ts';
import { type CountedMetrics, UNREAD_METRICS } from './metrics/unread.ts';
import { openNetwork, peerNumbers, type Peers } from './node-network.ts';
import { NodeRpc } from './node-rpc.ts';
import { type OpenedSigner, openSigner } from './node-signer.ts';
import { genesisOf, mempoolConfigOf, timeoutsOf } from './node-settings.ts';
import { blockSink, evidenceChain, heldWrites, openIndexer, openStores, type Stores } from './node-stores.ts';
import type { PrivValidator } from './privval/priv-validator.ts';
import { Pruner } from './pruner.ts';
import { settleWithin } from './settle-within.ts';
import { ServedBlocks } from './served-blocks.ts';
import { SigningGuard } from './signing-state.ts';
import { type ChainState, type Genesis, txRoomOf } from './state/chain-state.ts';
import { BlockExecutor } from './state/executor.ts';
import { handshake } from './state/handshake.ts';
import { stateSyncIfWanted } from './state-sync.ts';
import { serveStateSync } from './statesync/server.ts';
import { followPeers, receiveTxs, TxCourier } from './tx-gossip.ts';
import { DEFAULT_VALIDATOR_PEERS } from './validatorpeers/ports.ts';
import { ValidatorPeers } from './validatorpeers/validator-peers.ts';

/** What the core of a node is made of and from. */
export interface CoreOptions {
  readonly config: NodeConfig;
  readonly dataDir: string;
  readonly paths: ConfiguredPaths;
  readonly genesis: GenesisDocument;
  /** Ed25519: a seed of 32 bytes, or seed and public key. */
  readonly nodeKey: Uint8Array;
  /** Opened; closing it is the caller's, after `stop`. */
  readonly application: Application;
  /** Our own version, for peers. */
  readonly version: string;
  readonly logging: Logging;
  /** Ends a state sync, which may wait for peers for ever; the start then rejects with `statesync.stopped`. */
  readonly signal?: AbortSignal;
  /** Told of each block once it can be read over RPC. */
  readonly onBlock?: (committed: CommittedBlock) => void;
  /** Told when a state sync begins, before its network is started. */
  readonly onStateSync?: (syncing: Syncing) => Promise<void>;
  /** The node cannot go on: the process should stop it and end with this error. */
  readonly onFatal: (error: unknown) => void;
}

/** What there is of a node while it restores a snapshot. */
export interface Syncing {
  readonly network: Network;
  readonly peers: Peers;
  readonly signer: PrivValidator;
}

/** What a whole node is made of and from. */
export interface NodeOptions extends CoreOptions {
  /** The genesis file as it is: RPC passes it on. */
  readonly genesisText: string;
}

/** A running node. */
export interface Node {
  /** URL of the RPC. */
  readonly rpc: string;
  /** Multiaddrs with peer id. */
  readonly p2p: readonly string[];
  /** Finishes the block that is being committed, closes every socket and file. */
  stop(): Promise<void>;
}

/** Least time that executing a proposal of ours is given. */
const EXECUTION_TARGET_MS_MIN = 300;

/** What a failed start has opened may take so long to close. */
const CLOSE_AFTER_FAILURE_MS = 5_000;

export type Closers = (() => Promise<void> | void)[];

/**
 * Opens and starts a node; it is reachable and takes part in the network when this resolves.
 * @throws LedgerError of whichever part cannot start; everything opened before is closed again
 */
export async function startNode(options: NodeOptions): Promise<Node> {
  const closers: Closers = [];
  const stop = async (): Promise<void> => {
    for (const close of closers.splice(0).reverse()) await close();
  };
  try {
    const rpc = new NodeRpc(options, closers);
    const onStateSync = (syncing: Syncing): Promise<void> => rpc.startWhileSyncing(syncing);
    const core = await openCore({ ...options, onStateSync }, machine, closers);
    return { ...(await openServices(options, core, { closers, rpc })), stop };
  } catch (error) {
    const log = options.logging('node');
    const stopped = stop().catch((later: unknown) => {
      log.error({ reason: messageOf(later) }, 'closing after a failed start');
    });
    if (!(await settleWithin(stopped, CLOSE_AFTER_FAILURE_MS)))
      log.error({ waitedMs: CLOSE_AFTER_FAILURE_MS }, 'closing after a failed start does not end');
    throw error;
  }
}

/** What serves the outside needs of the inside. */
export interface Core {
  readonly stores: Stores;
  readonly signer: PrivValidator;
  readonly network: Network;
  readonly peers: Peers;
  readonly validatorPeers: ValidatorPeers;
  readonly mempool: Mempool;
  readonly bus: EventBus;
  readonly index: Awaited<ReturnType<typeof openIndexer>>;
  readonly engine: Engine;
  readonly gossip: Gossip;
  readonly evidence: EvidencePool;
  readonly evidenceGossip: EvidenceGossip;
  readonly sync: BlockSync;
  readonly executor: BlockExecutor;
  readonly metrics: NodeMetrics | CountedMetrics;
}

/**
 * Stores, mempool, execution, consensus: everything but servers, in whatever environment. Nothing is started
 * yet; how to close each part is added to `closers`.
 */
export async function openCore(
  options: CoreOptions,
  environment: NodeEnvironment,
  closers: Closers,
): Promise<Core> {
  const { application, logging, config } = options;
  const genesis = genesisOf(options.genesis);
  const { stores, signer, release } = await openDisk(options, environment, { genesis, closers });
  const log = logging('consensus');
  const { state: store, blocks } = stores;
  const state = await handshake({ application, store, blocks, log: log.info.bind(log) }, genesis);
  const index = await openIndexer(options, environment, { stores, closers });
  const { network, peers } = await openNetwork(options, environment, stores);
  // The core and what reads it are made below: both are read only when something happens.
  const metrics = config.instrumentation.prometheus
    ? await openMetrics(options, {
        consensus: () => consensusNumbers(engine),
        catchingUp: () => sync.isCatchingUp(),
        ...peerNumbers(network, peers),
      })
    : UNREAD_METRICS;
  const pool = openMempool(options, environment, { network, metrics, state: () => executor.state });
  const bus = new EventBus(DEFAULT_EVENT_BUS_CONFIG);
  const events = new EventPublisher(bus);
  closers.push(pool.stop, () => bus.stop());
  const { timers } = environment;
  const evidence = await openEvidence(options, environment, { stores, state, closers });
  const pruner = new Pruner(stores, index, state.lastBlockHeight);
  const executor = openExecutor(options, environment, { stores, pruner, ...pool, evidence, state });
  const validatorPeers = openValidatorPeers(options, environment, { network, signer, executor });
  const engine = openEngine(options, environment, {
    executor,
    blocks: blockSink(stores.blocks, genesis.initialHeight),
    writes: heldWrites(stores, application),
    log: stores.wal,
    signer,
    guard: openGuard(config, signer, stores),
    publisher: {
      publish: (message) => gossip.publish(message),
      misbehaved: (peer, reason) => gossip.misbehaved(peer, reason),
    },
    transactions: pool.mempool,
    evidence,
    listeners: listenersOf(options, index, [pruner, metrics, events, validatorPeers]),
    logger: log,
  });
  closers.push(() => engine.stop(), release);
  announceRounds(engine, events);
  const served = new ServedBlocks(stores, logging('p2p'));
  const gossip = new Gossip({ network, engine, store: served, timers }, DEFAULT_GOSSIP);
  const sync = openSync(options, environment, { network, served, engine, executor });
  const evidenceGossip = new EvidenceGossip({ network, pool: evidence, timers, log: logging('evidence') });
  return {
    stores,
    signer,
    network,
    peers,
    validatorPeers,
    mempool: pool.mempool,
    bus,
    index,
    engine,
    gossip,
    evidence,
    evidenceGossip,
    sync,
    executor,
    metrics,
  };
}

/** The signer and the stores, after a state was fetched when there is none and one is wanted. */
async function openDisk(
  options: CoreOptions,
  environment: NodeEnvironment,
  { genesis, closers }: { readonly genesis: Genesis; readonly closers: Closers },
): Promise<Pick<OpenedSigner, 'signer' | 'release'> & { readonly stores: Stores }> {
  const { signer, check, release } = await openSigner(options, environment, closers);
  const stores = await openStores(options, environment, closers);
  const openSyncNetwork = async (): ReturnType<typeof openNetwork> => {
    const opened = await openNetwork(options, environment, stores);
    await options.onStateSync?.({ ...opened, signer });
    return opened;
  };
  await stateSyncIfWanted({ ...options, genesis, environment, stores, openNetwork: openSyncNetwork });
  check(stores.blocks);
  return { stores, signer, release };
}

/** The core lives: it meets peers, fetches blocks, takes part in consensus. Its network is started before. */
export function startCore(core: Core, closers: Closers): void {
  const { validatorPeers, gossip, evidenceGossip, engine, sync } = core;
  validatorPeers.start();
  closers.push(() => validatorPeers.stop());
  gossip.start();
  closers.push(() => gossip.stop());
  evidenceGossip.start();
  closers.push(() => evidenceGossip.stop());
  engine.start();
  sync.start();
  closers.push(() => sync.stop());
}

/** Servers and the network; then the node lives. */
async function openServices(
  options: NodeOptions,
  core: Core,
  { closers, rpc }: { readonly closers: Closers; readonly rpc: NodeRpc },
): Promise<Pick<Node, 'rpc' | 'p2p'>> {
  const { config, logging, genesis } = options;
  const { network } = core;
  await network.start();
  closers.push(() => network.stop());
  const rpcPort = await rpc.serve(core);
  if ('registry' in core.metrics) {
    const server = new MetricsServer(
      { metrics: core.metrics, logger: logging('metrics') },
      parseListenAddress(config.instrumentation.prometheusListenAddr),
    );
    await server.start();
    closers.push(() => server.stop());
  }
  startCore(core, closers);
  core.peers.start(closers);
  const p2p = network.listenAddresses();
  const { host } = parseListenAddress(config.rpc.laddr);
  const reachable = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
  const url = `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${rpcPort}`;
  const facts = { chain: genesis.chainId, rpc: url, p2p: p2p[0], validator: toUpperHex(core.signer.address) };
  logging('node').info(facts, 'the node has started');
  return { rpc: url, p2p };
}

/** Loads what counts only where it is asked: every start would pay for it. */
async function openMetrics(
  { config, genesis, application }: CoreOptions,
  sources: Omit<ConstructorParameters<typeof NodeMetrics>[0], 'applicationMemory'>,
): Promise<NodeMetrics> {
  const { NodeMetrics } = await import('./metrics/metrics.ts');
  const { namespace, prometheus } = config.instrumentation;
  const applicationMemory = (): ApplicationMemory | undefined => application.memory?.();
  return new NodeMetrics(
    { ...sources, applicationMemory },
    { namespace, chainId: genesis.chainId, process: prometheus },
  );
}

function openEngine(
  { config, onFatal }: CoreOptions,
  environment: NodeEnvironment,
  parts: Omit<EnginePorts, 'core' | 'verify' | 'expectSignature' | 'clock' | 'onFatal'> & {
    readonly signer: PrivValidator;
  },
): Engine {
  const { clock, verify, expectSignature } = environment;
  const { wrapCore = (core) => core, wrapSigner = (signer) => signer } = environment;
  const core = wrapCore(new Consensus({ address: parts.signer.address, timeouts: timeoutsOf(config) }));
  const signer = wrapSigner(parts.signer);
  return new Engine({ ...parts, core, signer, verify, expectSignature, clock, onFatal }, config.consensus);
}

function openGuard({ consensus }: NodeConfig, signer: PrivValidator, { blocks }: Stores): SigningGuard {
  return new SigningGuard({ signer, blocks, doubleSignCheckHeight: consensus.doubleSignCheckHeight });
}

/** Block sync, and what peers ask for that begin with a snapshot. */
function openSync(
  { config, logging, application }: CoreOptions,
  { timers, clock, blockSync = DEFAULT_BLOCK_SYNC }: NodeEnvironment,
  parts: {
    readonly network: Network;
    readonly served: ServedBlocks;
    readonly engine: Engine;
    readonly executor: BlockExecutor;
  },
): BlockSync {
  const { network, served, engine, executor } = parts;
  const lastBlockAgeMs = (): number =>
    Number(clock.now() - timeToNanos(executor.state.lastBlockTime)) / 1_000_000;
  serveStateSync({ network, snapshots: application.snapshots, headers: served });
  const alone = config.p2p.persistentPeers.length + config.p2p.seeds.length === 0;
  return new BlockSync(
    { network, store: served, target: engine, lastBlockAgeMs, timers, log: logging('sync') },
    alone ? { ...blockSync, graceMs: 0 } : blockSync,
  );
}

function openValidatorPeers(
  { config, genesis, logging }: CoreOptions,
  { verify, randomBytes, timers }: NodeEnvironment,
  parts: { readonly network: Network; readonly signer: PrivValidator; readonly executor: BlockExecutor },
): ValidatorPeers {
  const { network, signer, executor } = parts;
  const validators = (): ChainState['validators'] => executor.state.validators;
  const log = logging('p2p');
  return new ValidatorPeers(
    { network, signer, validators, verify, randomBytes, timers, log },
    { chainId: genesis.chainId, prove: config.p2p.proveValidator, limits: DEFAULT_VALIDATOR_PEERS },
  );
}

async function openEvidence(
  { logging }: CoreOptions,
  { verify }: NodeEnvironment,
  parts: { readonly stores: Stores; readonly state: ChainState; readonly closers: Closers },
): Promise<EvidencePool> {
  const { stores, state, closers } = parts;
  const pool = await EvidencePool.open(
    { store: stores.evidence, chain: evidenceChain(stores), verify, log: logging('evidence') },
    state,
  );
  closers.push(() => pool.flush());
  return pool;
}

function openExecutor(
  { application, config }: CoreOptions,
  { verify, timers, blockRules }: NodeEnvironment,
  parts: {
    readonly stores: Stores;
    readonly pruner: Pruner;
    readonly mempool: Mempool;
    readonly evidence: EvidencePool;
    readonly state: ChainState;
  },
): BlockExecutor {
  const { stores, pruner, mempool, evidence, state } = parts;
  return new BlockExecutor(
    {
      application,
      mempool,
      evidence,
      store: stores.state,
      verify,
      prune: (height) => pruner.prune(evidence.keepFrom(height)),
      nowMs: () => timers.nowMs(),
      ...(blockRules && { rules: blockRules }),
    },
    state,
    // Execution runs in the pause after a decision: what takes no longer than that costs nothing.
    { executionTargetMs: Math.max(EXECUTION_TARGET_MS_MIN, config.consensus.timeoutCommitMs) },
  );
}

function openMempool(
  options: CoreOptions,
  { timers, clock }: NodeEnvironment,
  parts: { readonly network: Network; readonly metrics: CountedMetrics; readonly state: () => ChainState },
): { readonly mempool: Mempool; readonly stop: () => void } {
  const { network, metrics, state } = parts;
  const { mempool: config } = options.config;
  const courier = config.broadcast
    ? new TxCourier({
        network,
        after: (delayMs, callback) => timers.after(delayMs, callback),
        waiting: () => mempool,
      })
    : undefined;
  const mempool: Mempool = new Mempool(
    {
      application: options.application,
      gossip: courier ?? { publish: () => undefined },
      metrics,
      logger: options.logging('mempool'),
      startTimer: (callback, delayMs) => timers.after(delayMs, callback),
      nowMs: () => timers.nowMs(),
      roomInBlock: () => txRoomOf(state()),
      ...(clock.yieldToOthers === undefined ? {} : { yieldToOthers: clock.yieldToOthers }),
    },
    { ...DEFAULT_MEMPOOL_CONFIG, ...mempoolConfigOf(config) },
  );
  receiveTxs(network, mempool);
  const unfollow = followPeers(network, { mempool, courier });
  return {
    mempool,
    stop: () => {
      unfollow();
      mempool.stop();
    },
  };
}

/** Who hears of a committed block: the index before the subscribers, so that what they hear of can be found. */
function listenersOf(
  options: CoreOptions,
  index: CommitListener | undefined,
  others: readonly CommitListener[],
): readonly CommitListener[] {
  const { onBlock } = options;
  const told = onBlock === undefined ? [] : [{ onCommit: async (block: CommittedBlock) => onBlock(block) }];
  return [...(index === undefined ? [] : [index]), ...others, ...told];
}

/** Votes and steps, for subscribers. */
function announceRounds(engine: Engine, events: EventPublisher): void {
  engine.onEvent((event) => {
    if (event.kind === 'vote') events.vote(event.vote);
    else if (event.kind === 'step') events.step(event.view);
  });
}

function consensusNumbers(
  engine: Engine,
): ReturnType<ConstructorParameters<typeof NodeMetrics>[0]['consensus']> {
  const core = engine.consensus();
  if (core === undefined) return undefined;
  const { height, round } = core.view();
  const { validators, totalVotingPower } = core.validators();
  return { height, round, validators: validators.length, validatorsPower: totalVotingPower };
}
