/**
 * Joins the node and the state machine: the node's asynchronous application port in front of the synchronous
 * application. What is awaited is only what is not the state machine's business: signatures that worker
 * threads check beforehand, and the disk.
 */
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { createApp, type OpenLedgerApp } from '../app/app.ts';
import type { BlockExecution } from '../app/block-execution.ts';
import { composeModules, storeNames } from '../app/modules.ts';
import type { BlockRetention } from '../app/retention.ts';
import type { Module } from '../framework/module.ts';
import type { SignatureTask as FrameworkTask, SignatureVerifier } from '../framework/tx/signature.ts';
import { UpgradeError } from '../modules/upgrade/errors.ts';
import type { Upgrade } from '../modules/upgrade/types.ts';
import { LedgerError } from '../core/errors.ts';
import { txHashText } from '../core/tx-hash.ts';
import type { Application } from '../node/application.ts';
import {
  CachedSignatureVerifier,
  type SignaturePool,
  type SignatureTask,
} from '../node/crypto/signature-verifier.ts';
import { VerifierPool } from '../node/crypto/verifier-pool.ts';
import type { HeldWrites } from '../node/held-writes.ts';
import type { Logger } from '../node/logging/logger.ts';
import {
  CheckTxType,
  type RequestFinalizeBlock,
  type ResponseFinalizeBlock,
} from '../proto/gen/tendermint/abci/types.ts';
import type { Backend } from '../store/backend/backend.ts';
import { openLevel } from '../store/backend/level.ts';
import type { SnapshotFiles } from '../store/backend/snapshot-files.ts';
import { openMultiStore, type PersistentMultiStore } from '../store/backend/persistent.ts';
import { OrderedQueue } from './ordered-queue.ts';
import { SnapshotService, type StateSnapshotSettings } from './state-snapshots.ts';
import { writeUpgradeInfo } from './upgrade-info.ts';

/** Transactions between their check and the commit of their block, at least: more than a block holds. */
const TXS_UNDER_WAY_MIN = 20_000;
/** What is kept of them is in two generations: the older one is forgotten when the younger is full. */
const GENERATIONS = 2;
/** Longest that a block's transactions keep the event loop before others get a turn. */
const EXECUTION_TURN_MS = 10;
/** Most transactions between looks at the clock. */
const TXS_OF_PIECE = 8;

/** What the application is opened with. */
export interface ApplicationOptions {
  readonly dataDir: string;
  readonly chainId: string;
  readonly prefix: string;
  readonly minimumGasPrices: string;
  readonly txBytesMax: number;
  /** Transactions that the mempool may hold. Default 0. */
  readonly mempoolTxsMax?: number;
  /** Of the genesis document. Default 1. */
  readonly initialHeight?: bigint;
  /** States that queries can reach back to. */
  readonly keepVersions?: number;
  /** At every so many blocks those beyond that are dropped. Default 1. */
  readonly pruneInterval?: number;
  /** Blocks that the node keeps at least; absent or 0: all. */
  readonly minRetainBlocks?: number;
  /** Absent: no snapshots are made, offered or taken, and no files but the database are touched. */
  readonly snapshots?: StateSnapshotSettings;
  /** Heights whose upgrades are passed over. */
  readonly skipUpgrades?: readonly bigint[];
  /** What plans can carry out. Default: this program's. */
  readonly upgrades?: readonly Upgrade[];
  /** Modules besides this program's own. Default: none. */
  readonly furtherModules?: readonly Module[];
  readonly verifierWorkers: number;
  readonly version: string;
  readonly log: Logger;
}

/** What the application takes from its machine. */
export interface ApplicationPorts {
  readonly openBackend: (directory: string) => Promise<Backend>;
  readonly openPool: (options: ApplicationOptions) => SignaturePool;
  /** Versions between two snapshots that restarts begin with. Default: the store's. */
  readonly snapshotVersions?: number;
  /** Milliseconds. Without this clock a block is executed in one go: simulations want no chance in it. */
  readonly now?: () => number;
  /** Where snapshots for other nodes are. Default: the disk of this machine. */
  readonly snapshotFiles?: SnapshotFiles;
  /** Lets others have a turn while a snapshot is made. Default: the event loop. */
  readonly pause?: () => Promise<unknown>;
}

const MACHINE: ApplicationPorts = {
  now: () => performance.now(),
  openBackend: openLevel,
  openPool: ({ verifierWorkers, log }) =>
    new VerifierPool({
      workers: verifierWorkers,
      onWorkerFailure: (message) => log.error({}, `a signature worker failed: ${message}`),
    }),
};

/**
 * How much is remembered of transactions between their check and the commit of their block: of as many as the
 * mempool may hold, of 20,000 where that is less, and at most of twice as many.
 */
export function cacheLimits({ mempoolTxsMax = 0 }: Pick<ApplicationOptions, 'mempoolTxsMax'>): {
  /** Transactions that are known to be checked, in each generation (100 bytes each). */
  readonly generationMax: number;
  /** Results of signature checks in both generations (200 bytes each): one for each transaction or voucher. */
  readonly cacheEntriesMax: number;
} {
  const generationMax = Math.max(TXS_UNDER_WAY_MIN, mempoolTxsMax);
  return { generationMax, cacheEntriesMax: GENERATIONS * generationMax };
}

/** An application that runs in this process. */
export interface OpenedApplication {
  readonly application: Application;
  /**
   * @throws UpgradeError when this program cannot make the next block; what is needed is on disk then
   */
  readonly requireProgram: () => void;
  /** Closes the store: everything committed is on disk when this resolves. */
  close(): Promise<void>;
}

/**
 * Opens the application's database and makes the application over it.
 * @throws LedgerError `store.locked`, `store.corrupt`, `store.format`, `store.disk`, and what `openApp`
 * throws
 */
export async function openApplication(
  options: ApplicationOptions,
  ports: ApplicationPorts = MACHINE,
): Promise<OpenedApplication> {
  const { prefix, furtherModules = [] } = options;
  const names = storeNames(composeModules(prefix, { furtherModules }).modules);
  const backend = await ports.openBackend(join(options.dataDir, 'application.db'));
  const store = await openMultiStore(backend, {
    stores: names,
    initialVersion: options.initialHeight ?? 1n,
    ...(options.keepVersions === undefined ? {} : { keepVersions: options.keepVersions }),
    ...(options.pruneInterval === undefined ? {} : { pruneInterval: options.pruneInterval }),
    ...(ports.snapshotVersions === undefined ? {} : { snapshotVersions: ports.snapshotVersions }),
  });
  const pool = ports.openPool(options);
  const limits = cacheLimits(options);
  const verifier = new CachedSignatureVerifier(pool, limits);
  try {
    const app = openApp(options, { store, verifier });
    const snapshots = await openSnapshots(options, ports, { app, store });
    const signatures = new SignaturePrefetch(app, { verifier, ...limits });
    const parts = {
      app,
      store,
      signatures,
      snapshots,
      now: ports.now ?? (() => 0),
      dataDir: options.dataDir,
    };
    return {
      application: asynchronous(parts),
      requireProgram: () => requireProgram(options, app),
      close: async () => {
        await snapshots?.close();
        await pool.stop();
        await store.close();
      },
    };
  } catch (error) {
    await pool.stop();
    await store.close();
    throw error;
  }
}

/**
 * @throws LedgerError `app.stores`; UpgradeError when another version of the program has to make the next
 * block: what is known when the node starts is not left to that block
 */
function openApp(
  options: ApplicationOptions,
  { store, verifier }: { readonly store: PersistentMultiStore; readonly verifier: CachedSignatureVerifier },
): OpenLedgerApp {
  const app = createApp({
    store,
    chainId: options.chainId,
    prefix: options.prefix,
    minGasPrices: options.minimumGasPrices,
    retention: retentionOf(options),
    txBytesMax: options.txBytesMax,
    version: options.version,
    furtherModules: options.furtherModules ?? [],
    ...(options.upgrades === undefined ? {} : { upgrades: options.upgrades }),
    ...(options.skipUpgrades === undefined ? {} : { skipUpgrades: options.skipUpgrades }),
    onUpgrade: ({ kind, name, height, info }) => {
      if (kind === 'applied') options.log.info({ height, info }, `applying upgrade "${name}"`);
      else options.log.warn({ height, info }, `UPGRADE "${name}" SKIPPED`);
    },
    verifier: transactionVerifier(verifier),
  });
  requireProgram(options, app);
  return app;
}

/** How signatures in transactions are checked: what others execute the same blocks with is the same. */
export function transactionVerifier(cached: CachedSignatureVerifier): SignatureVerifier {
  return {
    verify: ({ pubKey, signBytes, signature }) =>
      pubKey.kind === 'ed25519'
        ? cached.verifyEd25519(pubKey.bytes, signBytes, signature)
        : cached.verify(pubKey.bytes, signBytes, signature),
  };
}

/** What the application wants verified, as the verifier takes it. */
export function verifierTask({ pubKey, signBytes, signature }: FrameworkTask): SignatureTask {
  return { kind: pubKey.kind, publicKey: pubKey.bytes, signBytes, signature };
}

function requireProgram({ dataDir }: ApplicationOptions, app: OpenLedgerApp): void {
  noteUpgrade(dataDir, app.height + 1n, () => app.requireProgram());
}

/** Does something that may find out that an upgrade is needed, and notes that on disk. */
function noteUpgrade<T>(dataDir: string, height: bigint, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (error instanceof UpgradeError) writeUpgradeInfo(dataDir, error, height);
    throw error;
  }
}

/** Who restores the oldest snapshot that is offered gets the blocks behind it from its peers. */
function retentionOf({ minRetainBlocks = 0, snapshots }: ApplicationOptions): BlockRetention {
  const snapshotBlocks = snapshots === undefined ? 0 : snapshots.interval * snapshots.keepRecent;
  return { minRetainBlocks: BigInt(minRetainBlocks), snapshotBlocks: BigInt(snapshotBlocks) };
}

async function openSnapshots(
  { dataDir, snapshots, log }: ApplicationOptions,
  { snapshotFiles: files, pause }: ApplicationPorts,
  { app, store }: { readonly app: OpenLedgerApp; readonly store: PersistentMultiStore },
): Promise<SnapshotService | undefined> {
  if (snapshots === undefined) return undefined;
  return SnapshotService.open(
    dataDir,
    {
      store,
      restored: () => app.restored(),
      log,
      ...(files === undefined ? {} : { files }),
      ...(pause === undefined ? {} : { pause }),
    },
    snapshots,
  );
}

interface Parts {
  readonly app: OpenLedgerApp;
  readonly store: PersistentMultiStore;
  readonly signatures: SignaturePrefetch;
  readonly snapshots: SnapshotService | undefined;
  readonly now: () => number;
  readonly dataDir: string;
}

/**
 * Executes a block, giving the event loop a turn now and then: votes, gossip and RPC must not wait for a
 * whole block. What comes between sees the last committed state.
 */
async function executeBlock(
  { app, signatures, now, dataDir }: Parts,
  request: RequestFinalizeBlock,
  control: { readonly cancelled: boolean } | undefined,
): Promise<ResponseFinalizeBlock> {
  const execution = noteUpgrade(dataDir, request.height, () => app.beginBlock(request));
  let turnEnds = now() + EXECUTION_TURN_MS;
  await runVerified(execution, {
    verify: (tasks) => signatures.ofStatements(tasks),
    between: async () => {
      if (now() < turnEnds) return;
      await setImmediate();
      if (control?.cancelled === true) throw cancelled(request);
      turnEnds = now() + EXECUTION_TURN_MS;
    },
  });
  return execution.end();
}

/** What is done beside the transactions of a block. */
export interface BesideTransactions {
  /** Resolves when it is known of these whether they are right, or that it will not be. */
  verify(tasks: readonly FrameworkTask[]): Promise<void> | undefined;
  /** Between pieces. */
  between?(): Promise<void>;
}

/**
 * Runs the transactions of a block that are left, the statements in their messages verified before they are
 * asked for.
 * @throws what `between` rejects with
 */
export async function runVerified(
  execution: BlockExecution,
  { verify, between }: BesideTransactions,
): Promise<void> {
  while (execution.remaining > 0) {
    const { txs, tasks } = execution.next(TXS_OF_PIECE);
    if (tasks.length > 0) await verify(tasks);
    execution.run(txs);
    if (execution.remaining > 0) await between?.();
  }
}

function cancelled({ height }: RequestFinalizeBlock): LedgerError {
  return new LedgerError('app.cancelled', 'the execution of this block was cancelled', { height });
}

/** The node's port in front of the application. */
function asynchronous(parts: Parts): Application {
  const { app, store, signatures, snapshots } = parts;
  const checks = new OrderedQueue();
  const writes = new HeldCommits(store);
  return {
    info: async (request) => app.info(request),
    initChain: async (request) => app.initChain(request),
    checkTx: (request) => {
      if (request.type === CheckTxType.RECHECK) return Promise.resolve(app.checkTx(request));
      return checks.run(signatures.of([request.tx]), () => app.checkTx(request));
    },
    prepareProposal: async (request) => app.prepareProposal(request),
    processProposal: async (request) => app.processProposal(request),
    finalizeBlock: async (request, control) => {
      await signatures.of(request.txs);
      return executeBlock(parts, request, control);
    },
    commit: async () => {
      const response = app.commit();
      snapshots?.committed(app.height);
      if (!writes.areHeld) await store.flush();
      return response;
    },
    writes,
    query: async (request) => app.query(request),
    ...(snapshots === undefined ? {} : { snapshots }),
    memory: () => ({
      stateBytes: store.allocatedBytes,
      historyBytes: store.historyBytes,
      decodedTxsBytes: app.decodedTxsBytes,
    }),
  };
}

/** Commits that become durable together. */
class HeldCommits implements HeldWrites {
  areHeld = false;
  readonly #store: PersistentMultiStore;

  constructor(store: PersistentMultiStore) {
    this.#store = store;
  }

  hold(): void {
    this.areHeld = true;
    this.#store.holdWrites();
  }

  flush(): Promise<void> {
    return this.#store.writeHeld();
  }

  release(): Promise<void> {
    this.areHeld = false;
    this.#store.releaseWrites();
    return this.#store.flush();
  }
}

/** Has the signatures of transactions checked on the workers, each transaction once. */
class SignaturePrefetch {
  readonly #app: OpenLedgerApp;
  readonly #verifier: CachedSignatureVerifier;
  readonly #generationMax: number;
  #young = new Set<string>();
  #old = new Set<string>();

  constructor(
    app: OpenLedgerApp,
    options: { readonly verifier: CachedSignatureVerifier; readonly generationMax: number },
  ) {
    this.#app = app;
    this.#verifier = options.verifier;
    this.#generationMax = options.generationMax;
  }

  /**
   * Resolves when the verifier knows the signatures; undefined when it does already. Failing only makes it
   * slower.
   */
  of(txs: readonly Uint8Array[]): Promise<void> | undefined {
    const tasks: SignatureTask[] = [];
    for (const tx of txs) {
      if (!this.#isNew(txHashText(tx))) continue;
      tasks.push(...this.#app.signatureTasks(tx).map(verifierTask));
    }
    return this.#prefetch(tasks);
  }

  /**
   * The same for statements in messages that are about to run. CheckTx looks at no statement, so that nobody
   * has thousands verified by transactions that never pay.
   */
  ofStatements(tasks: readonly FrameworkTask[]): Promise<void> | undefined {
    return this.#prefetch(tasks.map(verifierTask));
  }

  #prefetch(tasks: readonly SignatureTask[]): Promise<void> | undefined {
    return tasks.length === 0 ? undefined : this.#verifier.prefetch(tasks)?.catch(() => undefined);
  }

  #isNew(key: string): boolean {
    if (this.#young.has(key) || this.#old.has(key)) return false;
    if (this.#young.size >= this.#generationMax) {
      this.#old = this.#young;
      this.#young = new Set();
    }
    this.#young.add(key);
    return true;
  }
}
