/**
 * The multistore with a disk under it. Memory is the truth while the process runs; every commit is appended
 * to the database as one record, and a whole version now and then. See README.md for what a restart finds.
 */
import { defined } from '../../core/errors.ts';
import { encodeChangeSet } from '../change-set.ts';
import type {
  CommitId,
  CommitMultiStore,
  KVReader,
  MultiStoreBranch,
  MultiStoreReader,
  RenamedStore,
  StoreQueryResult,
} from '../kv.ts';
import { type ExportedVersion, MemoryMultiStore, type MultiStoreOptions } from '../multistore.ts';
import type { Backend } from './backend.ts';
import { loadMultiStore, requireFormat } from './load.ts';
import { changeSetKey, seal } from './records.ts';
import { notEmpty, StateRestore } from './restore.ts';
import { deleteAfter, type SnapshotLimits, Snapshotter } from './snapshotter.ts';
import { WriteQueue } from './write-queue.ts';

/** How a multistore is opened. */
export interface PersistentOptions extends MultiStoreOptions {
  /** At most this many versions between two snapshots. Default 1000. */
  readonly snapshotVersions?: number;
  /**
   * Writes after which a snapshot is due, or as many as there are keys when there are more. Default 100,000.
   */
  readonly snapshotWrites?: number;
  /** Take the state back to this version first; later ones are deleted. 0 empties the store. */
  readonly rollbackTo?: bigint | undefined;
}

const SNAPSHOT_VERSIONS_DEFAULT = 1000;
const SNAPSHOT_WRITES_DEFAULT = 100_000;

/**
 * Opens the multistore that a database holds, or a new one in an empty database. The store owns the backend
 * from now on.
 * @throws LedgerError `store.corrupt`, `store.format`, `store.version_missing` (see `load.ts`); the backend
 * is closed then
 */
export async function openMultiStore(
  backend: Backend,
  options: PersistentOptions,
): Promise<PersistentMultiStore> {
  try {
    return await open(backend, options);
  } catch (error) {
    await backend.close();
    throw error;
  }
}

async function open(backend: Backend, options: PersistentOptions): Promise<PersistentMultiStore> {
  await requireFormat(backend);
  const limits = {
    versions: options.snapshotVersions ?? SNAPSHOT_VERSIONS_DEFAULT,
    writes: options.snapshotWrites ?? SNAPSHOT_WRITES_DEFAULT,
  };
  const store = new PersistentMultiStore({ backend, options, limits });
  await store.load(options.rollbackTo);
  return store;
}

/** A `CommitMultiStore` on a backend. Made by `openMultiStore`. */
export class PersistentMultiStore implements CommitMultiStore {
  readonly #backend: Backend;
  readonly #options: MultiStoreOptions;
  readonly #queue: WriteQueue;
  readonly #snapshotter: Snapshotter;
  #loaded: MemoryMultiStore | undefined;

  constructor(ports: {
    readonly backend: Backend;
    readonly options: MultiStoreOptions;
    readonly limits: SnapshotLimits;
  }) {
    this.#backend = ports.backend;
    this.#options = ports.options;
    this.#queue = new WriteQueue(ports.backend);
    const flush = (): Promise<void> => this.#queue.flush();
    this.#snapshotter = new Snapshotter({ backend: ports.backend, flush }, ports.limits);
  }

  /**
   * Reads the state from the database; with a version, takes the database back to it. Called before anything
   * else.
   */
  async load(version?: bigint): Promise<void> {
    const replayed = this.#snapshotter.count.bind(this.#snapshotter);
    this.#loaded = await loadMultiStore(this.#backend, { ...this.#options, version, replayed });
    if (version !== undefined) await deleteAfter(this.#backend, version);
  }

  get lastCommit(): CommitId {
    return this.#memory.lastCommit;
  }

  /** Bytes allocated for trees, keys and values. */
  get allocatedBytes(): number {
    return this.#memory.allocatedBytes;
  }

  /** Bytes held only for versions before the newest, within `keepBytesMax`. */
  get historyBytes(): number {
    return this.#memory.historyBytes;
  }

  reader(name: string): KVReader {
    return this.#memory.reader(name);
  }

  branch(): MultiStoreBranch {
    return this.#memory.branch();
  }

  workingHash(): Uint8Array {
    return this.#memory.workingHash();
  }

  /**
   * Switches the state in memory and queues the record for the disk: await `flush` before anything that
   * relies on it.
   * @throws LedgerError `store.disk` once a write has failed, `store.backlog` when the disk does not keep up
   */
  commit(version?: bigint): CommitId {
    this.#queue.requireReady();
    const id = this.#memory.commit(version);
    const changes = defined(this.#memory.lastChanges, 'change set of a commit');
    const key = changeSetKey(changes.version);
    this.#queue.add([{ key, value: seal(key, encodeChangeSet(changes)) }]);
    this.#snapshotter.committed(this.#memory, changes);
    return id;
  }

  get committedStores(): readonly string[] {
    return this.#memory.committedStores;
  }

  useStores(names: readonly string[], renamed: readonly RenamedStore[] = []): void {
    this.#memory.useStores(names, renamed);
  }

  rollback(): void {
    this.#memory.rollback();
  }

  at(version: bigint): MultiStoreReader {
    return this.#memory.at(version);
  }

  versions(): { readonly earliest: bigint; readonly latest: bigint } {
    return this.#memory.versions();
  }

  query(request: {
    readonly store: string;
    readonly key: Uint8Array;
    readonly version: bigint;
    readonly prove: boolean;
  }): StoreQueryResult {
    return this.#memory.query(request);
  }

  /**
   * Resolves when every committed version is durable; rejects with LedgerError `store.disk` when one cannot
   * be.
   */
  async flush(): Promise<void> {
    await this.#queue.flush();
  }

  /** Commits from now on are written with `writeHeld` only; until then a crash loses them. */
  holdWrites(): void {
    this.#queue.hold();
  }

  /** Resolves when the commits that were held are durable. */
  async writeHeld(): Promise<void> {
    await this.#queue.writeHeld();
  }

  /** Commits are written as they come again. */
  releaseWrites(): void {
    this.#queue.release();
  }

  /** Resolves when no snapshot is being written. */
  async snapshotsIdle(): Promise<void> {
    await this.#snapshotter.idle();
  }

  /**
   * Makes an earlier version the last one, in memory and on disk; later versions and the working version are
   * gone. Views and branches taken before must not be used again.
   * @throws LedgerError `store.version_missing` when the database does not reach back to it; nothing is
   * changed then
   */
  async rollbackTo(version: bigint): Promise<void> {
    await this.#snapshotter.abort();
    await this.#queue.flush();
    await this.load(version);
  }

  /** A retained version chunk by chunk; it stays retained until `close`, which is called once. */
  exportVersion(version: bigint, chunkBytes?: number): ExportedVersion {
    return this.#memory.exportVersion(version, chunkBytes);
  }

  /**
   * Begins to restore a version from chunks. The store must be empty, and nobody may use it until the restore
   * is finished; it can be begun again instead.
   * @throws LedgerError `store.not_empty`, `store.disk`
   */
  async beginRestore(version: bigint): Promise<StateRestore> {
    if (this.lastCommit.version !== 0n) throw notEmpty(this.lastCommit.version);
    await this.#queue.flush();
    const restored = (memory: MemoryMultiStore): void => {
      memory.useStores(this.#options.stores);
      this.#loaded = memory;
    };
    const memory = new MemoryMultiStore(this.#options);
    return StateRestore.begin({ backend: this.#backend, memory, restored }, version);
  }

  /** Waits for what is queued, gives up what is held and a snapshot under way, and closes the backend. */
  async close(): Promise<void> {
    this.#queue.dropHeld();
    try {
      await this.#snapshotter.abort();
      await this.#queue.flush();
    } finally {
      await this.#backend.close();
    }
  }

  get #memory(): MemoryMultiStore {
    return defined(this.#loaded, 'loaded state');
  }
}
