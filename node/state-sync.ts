/**
 * A node without a state gets one by state sync before anything else of it is made: on a network of its own,
 * which is closed again. Afterwards the stores are as if the node had executed the snapshot's block, and the
 * start goes on as every other.
 *
 *     block of the snapshot's height ─ snapshot → application ─ block → block store ─ state → state store ─
 *     older headers
 *
 * Each step is durable before the next, and the work folder stays until the last: a restart goes on.
 */
import { defined, LedgerError } from '../core/errors.ts';
import type { Network } from '../p2p/network.ts';
import type { Application, SnapshotApplication } from './application.ts';
import type { NodeConfig } from './config/config.ts';
import type { NodeEnvironment } from './environment.ts';
import type { Logging } from './logging/logger.ts';
import type { Stores } from './node-stores.ts';
import {
  fetchOlderHeaders,
  lacksOlderHeaders,
  noteMissingHeaders,
  resumeOlderHeaders,
} from './older-headers.ts';
import type { ChainState, Genesis } from './state/chain-state.ts';
import { Backfill, verifiedBlock } from './statesync/backfill.ts';
import { DEFAULT_STATE_SYNC, type StateSyncOptions } from './statesync/options.ts';
import type { SnapshotTarget } from './statesync/ports.ts';
import { StateSyncer } from './statesync/syncer.ts';
import { onDisk } from './statesync/trouble.ts';
import type { TrustedState } from './statesync/trusted.ts';
import { DirectoryFiles, type WorkFiles } from './statesync/work-files.ts';
import { isStateSyncUnfinished, workFolderOf, WorkFolder } from './statesync/work-folder.ts';
import { checkStateSyncConfig, openTrustedChain } from './trusted-chain.ts';

type Closers = (() => Promise<void> | void)[];

/** What is synced, and into what. */
export interface StateSyncParts {
  readonly config: NodeConfig;
  readonly dataDir: string;
  readonly application: Application;
  readonly genesis: Genesis;
  readonly stores: Stores;
  readonly environment: NodeEnvironment;
  readonly logging: Logging;
  /** Ends it. */
  readonly signal?: AbortSignal;
  /** A network for the time of the sync and how it finds peers; nothing is started. */
  readonly openNetwork: () => Promise<{
    readonly network: Network;
    readonly peers: { start(closers: Closers): void };
  }>;
}

/**
 * Runs state sync when it is wanted and the node has no state.
 * @throws LedgerError `statesync.*`, `light.*`, `config.value`
 */
export async function stateSyncIfWanted(parts: StateSyncParts): Promise<void> {
  const { config, dataDir, application, stores, logging } = parts;
  const log = logging('statesync');
  const { workFiles = (directory) => new DirectoryFiles(directory) } = parts.environment;
  const files = workFiles(workFolderOf(dataDir));
  const isUnfinished = await isStateSyncUnfinished(files);
  if (!config.stateSync.enable) {
    if (isUnfinished) throw unfinished();
    return;
  }
  const { height } = stores.blocks.range();
  const appHeight = (await lastState(application)).height;
  if (
    !isUnfinished &&
    (height !== 0n || appHeight !== 0n || (stores.state.load()?.lastBlockHeight ?? 0n) !== 0n)
  ) {
    if (await lacksOlderHeaders(files)) await resume(parts, files);
    else log.info({ height }, 'statesync.enable has no effect: this node has a state already');
    return;
  }
  if (application.snapshots === undefined)
    throw new LedgerError(
      'statesync.unsupported',
      'statesync.enable is true, but the application takes no snapshots',
    );
  checkStateSyncConfig(config.stateSync);
  const folder = await WorkFolder.over(files);
  const { snapshots } = application;
  await onNetwork(parts, (network) => run(parts, { snapshots, folder, files, network }));
}

/** Does something on a network of its own. */
async function onNetwork(parts: StateSyncParts, act: (network: Network) => Promise<void>): Promise<void> {
  const { network, peers } = await parts.openNetwork();
  await network.start();
  const closers: Closers = [() => network.stop()];
  try {
    peers.start(closers);
    await untilAborted(act(network), parts.signal);
  } finally {
    for (const close of closers.toReversed()) await close();
  }
}

/** Asks anew for headers that nobody had; not for long when nobody has them now. */
async function resume(parts: StateSyncParts, files: WorkFiles): Promise<void> {
  const { config, environment, stores, logging } = parts;
  const { timers, verify } = environment;
  const log = logging('statesync');
  log.info({}, 'peers are asked again for older headers, which nobody had when the state was synced');
  const options = optionsOf(config, environment);
  const brief = { ...options, peersWaitMs: options.discoveryTimeMs };
  await onNetwork(parts, async (network) => {
    const backfill = new Backfill({ network, timers, log, verify }, brief);
    await resumeOlderHeaders(stores, backfill, { files, log });
  });
}

async function run(
  parts: StateSyncParts,
  made: {
    readonly snapshots: SnapshotApplication;
    readonly folder: WorkFolder;
    readonly files: WorkFiles;
    readonly network: Network;
  },
): Promise<void> {
  const { config, application, environment, logging, genesis, stores } = parts;
  const { snapshots, folder, files, network } = made;
  const { timers } = environment;
  const log = logging('statesync');
  const options = optionsOf(config, environment);
  const chain = await openTrustedChain(config.stateSync, genesis.chainId, { environment, log });
  const target: SnapshotTarget = {
    offerSnapshot: (request) => snapshots.offerSnapshot(request),
    applySnapshotChunk: (request) => snapshots.applySnapshotChunk(request),
    lastState: () => lastState(application),
  };
  const backfill = new Backfill({ network, timers, log, verify: environment.verify }, options);
  const ports = { network, application: target, chain, blocks: backfill, folder, timers, log };
  const trusted = await new StateSyncer(ports, options).run();
  const { header } = trusted.last;
  const { height } = header;
  const storing = {
    step: 'store',
    act: `store block and state of height ${height}`,
    facts: { height },
  } as const;
  await onDisk(storing, store(parts, folder, trusted));
  const isWhole = await fetchOlderHeaders(stores, backfill);
  const finishing = { step: 'back-fill', act: 'remove the work folder', facts: { height } } as const;
  await onDisk(finishing, finish(folder, isWhole ? undefined : files));
  log.info({ height }, 'state sync is done; the blocks that follow are fetched');
}

/** Nothing of the sync is left but, with `missing`, the note there that older headers are. */
async function finish(folder: WorkFolder, missing: WorkFiles | undefined): Promise<void> {
  await folder.clear();
  if (missing !== undefined) await noteMissingHeaders(missing);
}

/**
 * The work, or `statesync.stopped` when it is to end: what is under way then loses its network, and what it
 * has on disk stays for the next start.
 */
async function untilAborted(work: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  if (signal === undefined) return work;
  let abort = (): void => undefined;
  const aborted = new Promise<never>((_, reject) => {
    abort = () =>
      reject(new LedgerError('statesync.stopped', 'state sync was stopped; the next start goes on'));
  });
  aborted.catch(() => undefined);
  work.catch(() => undefined);
  signal.addEventListener('abort', abort);
  if (signal.aborted) abort();
  try {
    await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

/** Block and state of the snapshot's height, unless an earlier start has stored them. */
async function store(
  { stores, genesis }: StateSyncParts,
  folder: WorkFolder,
  trusted: TrustedState,
): Promise<void> {
  const { blocks, state } = stores;
  const { header, commit } = trusted.last;
  if (blocks.range().height === 0n) {
    const encoded = defined(await folder.block(), 'the block of the snapshot');
    const { block, parts } = verifiedBlock(trusted.last, encoded);
    const blockSize = BigInt(encoded.length);
    await blocks.save({
      meta: { blockId: commit.blockId, blockSize, header, numTxs: BigInt(block.txs.length) },
      parts,
      lastCommit: header.height === genesis.initialHeight ? undefined : block.lastCommit,
      seenCommit: commit,
    });
  }
  if ((state.load()?.lastBlockHeight ?? 0n) < header.height)
    await state.bootstrap(chainStateOf(trusted, genesis));
}

/** The state after the snapshot's block, as CometBFT's state provider makes it. */
function chainStateOf({ last, current, next, params }: TrustedState, genesis: Genesis): ChainState {
  return {
    chainId: genesis.chainId,
    initialHeight: genesis.initialHeight,
    lastBlockHeight: last.header.height,
    lastBlockId: last.commit.blockId,
    lastBlockTime: last.header.time,
    lastValidators: last.validators,
    validators: current.validators,
    nextValidators: next.validators,
    lastHeightValidatorsChanged: next.header.height,
    consensusParams: params,
    lastHeightConsensusParamsChanged: current.header.height,
    appHash: current.header.appHash,
    lastResultsHash: current.header.lastResultsHash,
  };
}

async function lastState(application: Application): ReturnType<SnapshotTarget['lastState']> {
  const request = { version: '0.38.0', blockVersion: 11n, p2pVersion: 8n, abciVersion: '2.0.0' };
  const { lastBlockHeight, lastBlockAppHash } = await application.info(request);
  return { height: lastBlockHeight, appHash: lastBlockAppHash };
}

function optionsOf(
  { stateSync }: NodeConfig,
  { stateSync: limits = DEFAULT_STATE_SYNC }: NodeEnvironment,
): StateSyncOptions {
  const { discoveryTimeMs, chunkRequestTimeoutMs, chunkFetchers } = stateSync;
  return { ...limits, discoveryTimeMs, chunkRequestTimeoutMs, chunkFetchers };
}

function unfinished(): LedgerError {
  return new LedgerError(
    'statesync.unfinished',
    'a state sync was begun in this data directory and is not finished: set statesync.enable = true to go on with it, ' +
      'or delete everything in the data directory but priv_validator_state.json',
  );
}
