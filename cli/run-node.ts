/**
 * Runs the node of a home in the foreground.
 *
 * What is loaded follows what is checked: settings, node key, locks and signing state with a tenth of the
 * modules; then the state machine, without which a genesis cannot be judged; the node and its network last. A
 * start with something wrong says so after a third of the time.
 */
import { toUpperHex } from '../core/bytes.ts';
import { LedgerError, messageOf } from '../core/errors.ts';
import type { AppConfig } from '../node/config/config.ts';
import type { CommittedBlock } from '../node/committed-block.ts';
import { readAppConfig, readNodeConfig, writeAppConfig, writeNodeConfig } from '../node/config/toml.ts';
import { levelPolicy } from '../node/logging/levels.ts';
import { createLogging, type Logging } from '../node/logging/logger.ts';
import type { Node } from '../node/node.ts';
import { settleWithin } from '../node/settle-within.ts';
import type { ApplicationOptions } from './application.ts';
import { tellSupervisor } from './child-messages.ts';
import type { StopSignal } from './devnet/run.ts';
import { sentenceOf, systemCode } from './failure.ts';
import type { CheckedGenesis } from './home/genesis-file.ts';
import { readNodeKey } from './home/node-key.ts';
import { nodeLockPath, signingLockPath } from './home/node-lock.ts';
import { type OpenedHome, openHome } from './home/open.ts';
import { checkSigningFiles } from './home/signing-files.ts';
import { lockOrRefuse } from './process-lock.ts';
import type { StartOptions } from './start.ts';
import type { Terminal } from './terminal.ts';
import { upgradeWatch } from './upgrade-watch.ts';
import { ownVersion } from './version.ts';

/** What a node that failed has open may take so long to close. */
const CLOSE_AFTER_FAILURE_MS = 5_000;

/** Loads what `runNode` would load on its way. */
export async function loadNode(): Promise<void> {
  await import('./home/genesis-file.ts');
  await import('./application.ts');
  await import('../node/node.ts');
}

/**
 * Runs until it is asked to stop, or its supervisor is gone, or it cannot go on.
 * @throws LedgerError with one sentence; a supervisor is told the same
 */
export async function runNode(options: StartOptions, terminal: Terminal, stop: StopSignal): Promise<void> {
  void stop.forced.then(() => process.exit(1));
  try {
    await run(options, terminal, stop);
  } catch (error) {
    const code = systemCode(error);
    tellSupervisor({ event: 'failed', message: sentenceOf(error), ...(code === undefined ? {} : { code }) });
    throw error;
  } finally {
    // The channel to the supervisor would keep the process alive.
    if (process.connected) process.disconnect();
  }
}

async function run(options: StartOptions, terminal: Terminal, stop: StopSignal): Promise<void> {
  const home = withOptions(openHome(options.home), options);
  const nodeKey = readNodeKey(home.paths.nodeKeyFile);
  const end = endOf(stop);
  const unlock = lockHome(home);
  try {
    if (home.node.base.privValidatorLaddr === '') await checkSigningFiles(home.paths);
    const { readGenesisFile } = await import('./home/genesis-file.ts');
    const genesis = readGenesisFile(home.paths.genesisFile);
    const { base } = home.node;
    const logging = createLogging({
      format: base.logFormat,
      policy: levelPolicy(base.logLevel),
      write: terminal.out,
      now: Date.now,
    });
    for (const warning of [...home.warnings, ...genesis.warnings]) logging('main').warn({}, warning);
    const { unsafeSkipUpgrades: skipUpgrades = [], release = {} } = options;
    await runHome({ home, genesis, nodeKey, logging, end, program: { skipUpgrades, ...release } });
  } finally {
    unlock();
  }
}

/** A home in which nothing is wrong that could be seen without the node. */
interface CheckedHome {
  readonly home: OpenedHome;
  readonly genesis: CheckedGenesis;
  readonly nodeKey: Uint8Array;
  readonly logging: Logging;
  readonly end: End;
  readonly program: Pick<ApplicationOptions, 'skipUpgrades' | 'upgrades' | 'furtherModules'>;
}

async function runHome({ home, genesis, nodeKey, logging, end, program }: CheckedHome): Promise<void> {
  const { openApplication } = await import('./application.ts');
  const { startNode } = await import('../node/node.ts');
  const starting = new AbortController();
  end.ended.finally(() => starting.abort()).catch(() => undefined);
  const { application, requireProgram, close } = await openApplication({
    dataDir: home.dataDir,
    chainId: genesis.document.chainId,
    prefix: genesis.prefix,
    initialHeight: genesis.document.initialHeight,
    minimumGasPrices: home.app.minimumGasPrices,
    txBytesMax: home.node.mempool.maxTxBytes,
    mempoolTxsMax: home.node.mempool.size,
    ...versionsKept(home.app),
    minRetainBlocks: home.app.minRetainBlocks,
    ...program,
    snapshots: { interval: home.app.snapshotInterval, keepRecent: home.app.snapshotKeepRecent },
    verifierWorkers: 1,
    version: ownVersion(),
    log: logging('app'),
  });
  const after = (ms: number, act: () => void): void => void setTimeout(act, ms).unref();
  const watch = upgradeWatch({ requireProgram, fail: end.fail, after }, home.node.consensus.timeoutCommitMs);
  try {
    const node = await startNode({
      config: home.node,
      dataDir: home.dataDir,
      paths: home.paths,
      genesis: genesis.document,
      genesisText: genesis.text,
      nodeKey,
      application,
      version: ownVersion(),
      logging,
      signal: starting.signal,
      onBlock: (committed) => {
        tellSupervisor(blockMessage(committed));
        watch();
      },
      onFatal: end.fail,
    });
    await serve(node, end.ended);
    logging('main').info({}, 'stopping');
    await node.stop();
  } catch (error) {
    await settleWithin(close(), CLOSE_AFTER_FAILURE_MS);
    if (error instanceof LedgerError && error.code === 'statesync.stopped') return;
    throw error;
  }
  await close();
}

/** A home is used by one node, and a signing state by one process, be it a node or a signer. */
function lockHome({ home, node, paths }: OpenedHome): () => void {
  const unlockNode = lockOrRefuse(nodeLockPath(home), `the node in ${home}`);
  if (node.base.privValidatorLaddr !== '') return unlockNode;
  const state = paths.privValidatorStateFile;
  try {
    const unlockState = lockOrRefuse(signingLockPath(state), `a signer with the state ${state}`);
    return () => {
      unlockState();
      unlockNode();
    };
  } catch (error) {
    unlockNode();
    throw error;
  }
}

/**
 * How many states `pruning` keeps, and when it drops the others. The memory for states before the last one is
 * bounded whatever it says (`keepBytesMax` of the store).
 */
function versionsKept(app: AppConfig): Required<Pick<ApplicationOptions, 'keepVersions' | 'pruneInterval'>> {
  switch (app.pruning) {
    case 'default':
      return { keepVersions: 100, pruneInterval: 10 };
    case 'nothing':
      return { keepVersions: Number.POSITIVE_INFINITY, pruneInterval: 1 };
    case 'everything':
      return { keepVersions: 2, pruneInterval: 10 };
    case 'custom':
      return { keepVersions: app.pruningKeepRecent, pruneInterval: app.pruningInterval };
  }
}

async function serve(node: Node, ended: Promise<void>): Promise<void> {
  tellSupervisor({ event: 'ready', rpc: node.rpc, p2p: node.p2p[0] ?? '' });
  try {
    await ended;
  } catch (error) {
    const stopped = node.stop().catch((later: unknown) => process.stderr.write(`${messageOf(later)}\n`));
    await settleWithin(stopped, CLOSE_AFTER_FAILURE_MS);
    throw error;
  }
}

/** What ends the node: a signal, the loss of its supervisor, or an error that it cannot survive. */
interface End {
  readonly ended: Promise<void>;
  readonly fail: (error: unknown) => void;
}

function endOf(stop: StopSignal): End {
  let fail: (error: unknown) => void = () => undefined;
  const ended = new Promise<void>((resolve, reject) => {
    fail = reject;
    void stop.requested.then(resolve);
    process.once('disconnect', resolve);
    if (process.send !== undefined && !process.connected) resolve(); // gone while modules were loaded
    // A bug in some callback: the node stops as cleanly as it can, and says so in one sentence.
    process.once('uncaughtException', reject);
  });
  ended.catch(() => undefined); // `serve` hears of it, also when the start itself fails first
  return { ended, fail };
}

function blockMessage({
  height,
  block,
  blockId,
  results,
}: CommittedBlock): Parameters<typeof tellSupervisor>[0] {
  const { time, appHash } = block.header;
  const ms = Number(time.seconds) * 1000 + Math.floor(time.nanos / 1_000_000);
  return {
    event: 'block',
    height: Number(height),
    hash: toUpperHex(blockId.hash),
    app_hash: toUpperHex(appHash),
    time: new Date(ms).toISOString(),
    txs: block.txs.length,
    failed: results.txResults.filter(({ code }) => code !== 0).length,
  };
}

/**
 * The settings with those that were given; written and read again, so that a wrong one is named as in the
 * file.
 */
function withOptions(home: OpenedHome, options: StartOptions): OpenedHome {
  const { node, app } = home;
  const text = writeNodeConfig({
    ...node,
    base: {
      ...node.base,
      logLevel: options.logLevel ?? node.base.logLevel,
      logFormat:
        options.logFormat === 'json' || options.logFormat === 'plain'
          ? options.logFormat
          : node.base.logFormat,
    },
    rpc: { ...node.rpc, laddr: options.rpcLaddr ?? node.rpc.laddr },
    p2p: {
      ...node.p2p,
      laddr: options.p2pLaddr ?? node.p2p.laddr,
      persistentPeers:
        options.persistentPeers === undefined ? node.p2p.persistentPeers : [options.persistentPeers],
    },
  });
  const minimumGasPrices = options.minimumGasPrices ?? app.minimumGasPrices;
  return {
    ...home,
    node: readNodeConfig({ file: 'what you gave', text }).config,
    app: readAppConfig({ file: 'what you gave', text: writeAppConfig({ ...app, minimumGasPrices }) }).config,
  };
}
