/**
 * The application twice: the first keeps its state in memory, the second has a database, checks signatures on
 * workers, and is closed and opened again now and then. Nobody may see a difference.
 */
import { createApp, type OpenLedgerApp } from '../../app/app.ts';
import { composeModules, storeNames } from '../../app/modules.ts';
import { runVerified, transactionVerifier, verifierTask } from '../../cli/application.ts';
import { CachedSignatureVerifier } from '../../node/crypto/signature-verifier.ts';
import { VerifierPool } from '../../node/crypto/verifier-pool.ts';
import type { RequestFinalizeBlock, ResponseFinalizeBlock } from '../../proto/gen/tendermint/abci/types.ts';
import { MemoryBackend, type MemoryPairs } from '../../store/backend/memory.ts';
import { openMultiStore, type PersistentMultiStore } from '../../store/backend/persistent.ts';
import { MemoryMultiStore } from '../../store/multistore.ts';
import { plainVerifier } from '../support/test-chain.ts';
import { PREFIX } from './actors.ts';
import { CHAIN_ID } from './genesis.ts';

/** Versions that queries reach back to; the simulation looks at the last one. */
const KEEP_VERSIONS = 3;
const SNAPSHOT_VERSIONS = 16;
const SIGNATURES_MAX = 1000;

const pools = new Map<number, VerifierPool>();

/** A pool of so many workers; all simulations of the process share them. */
function poolOf(workers: number): VerifierPool {
  const known = pools.get(workers) ?? new VerifierPool({ workers });
  pools.set(workers, known);
  return known;
}

/** Ends the workers of the process. */
export async function stopWorkers(): Promise<void> {
  await Promise.all([...pools.values()].map((pool) => pool.stop()));
  pools.clear();
}

/** The application over a store in memory, and that store. */
export function memoryApplication(initialVersion: bigint): {
  readonly app: OpenLedgerApp;
  readonly store: MemoryMultiStore;
} {
  const stores = storeNames(composeModules(PREFIX).modules);
  const store = new MemoryMultiStore({ stores, initialVersion, keepVersions: KEEP_VERSIONS });
  return { store, app: createApp({ store, chainId: CHAIN_ID, prefix: PREFIX, verifier: plainVerifier }) };
}

/** The application over a database. */
export class RestartingApplication {
  readonly #pairs: MemoryPairs = new Map();
  readonly #initialVersion: bigint;
  readonly #store: PersistentMultiStore;
  readonly #verifier: CachedSignatureVerifier;
  readonly app: OpenLedgerApp;

  private constructor(
    given: { readonly pairs: MemoryPairs; readonly initialVersion: bigint; readonly workers: number },
    store: PersistentMultiStore,
  ) {
    this.#pairs = given.pairs;
    this.#initialVersion = given.initialVersion;
    this.#store = store;
    this.#verifier = new CachedSignatureVerifier(poolOf(given.workers), { cacheEntriesMax: SIGNATURES_MAX });
    this.app = createApp({
      store,
      chainId: CHAIN_ID,
      prefix: PREFIX,
      verifier: transactionVerifier(this.#verifier),
    });
  }

  /** Opens the database that these pairs are. */
  static async open(
    initialVersion: bigint,
    workers: number,
    pairs: MemoryPairs = new Map(),
  ): Promise<RestartingApplication> {
    const store = await openMultiStore(new MemoryBackend(pairs), {
      stores: storeNames(composeModules(PREFIX).modules),
      initialVersion,
      keepVersions: KEEP_VERSIONS,
      snapshotVersions: SNAPSHOT_VERSIONS,
    });
    return new RestartingApplication({ pairs, initialVersion, workers }, store);
  }

  /** Ends this one. @returns what a new process finds on the disk */
  async restarted(workers: number): Promise<RestartingApplication> {
    await this.#store.close();
    return RestartingApplication.open(this.#initialVersion, workers, this.#pairs);
  }

  async close(): Promise<void> {
    await this.#store.close();
  }

  /** Has the signatures checked, and executes the block in pieces. */
  async finalizeBlock(request: RequestFinalizeBlock): Promise<ResponseFinalizeBlock> {
    const tasks = request.txs.flatMap((tx) => this.app.signatureTasks(tx));
    await this.#verifier.prefetch(tasks.map(verifierTask));
    const execution = this.app.beginBlock(request);
    await runVerified(execution, {
      verify: (statements) => this.#verifier.prefetch(statements.map(verifierTask)),
    });
    return execution.end();
  }

  async commit(): Promise<void> {
    this.app.commit();
    await this.#store.flush();
  }
}
