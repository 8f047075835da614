/**
 * The multistore in memory: one IAVL-shaped tree per substore in one arena, the last versions readable, and a
 * working version on top. What makes it durable is in `backend/`.
 *
 * Writes of the working version wait in an overlay per substore and go into the tree in key order when its
 * hash is asked for, as the Cosmos SDK's block state does: that order is part of the tree's shape, so of the
 * app hash.
 */
import { EMPTY_BYTES, equalBytes, toHex, utf8 } from '../core/bytes.ts';
import { assert, LedgerError } from '../core/errors.ts';
import { sha256 } from '../core/hash.ts';
import { Branch, type BranchParent } from './branch.ts';
import type { ChangeSet, StoreChanges } from './change-set.ts';
import { appHash, compareNames, proveStore, type StoreInfo } from './commit-info.ts';
import { hashTree } from './iavl/hash.ts';
import { proveKey } from './iavl/proof.ts';
import { NODE_VERSION_MAX, NodeArena } from './iavl/node-arena.ts';
import { allNodes } from './iavl/walk.ts';
import type {
  CommitId,
  CommitMultiStore,
  KVReader,
  MultiStoreBranch,
  MultiStoreReader,
  ProofOp,
  RenamedStore,
  StoreQueryResult,
} from './kv.ts';
import type { Overlay } from './overlay.ts';
import { exportChunks, SnapshotImport } from './snapshot.ts';
import { type CommittedStore, VersionHistory } from './versions.ts';
import { WorkingStore } from './working-store.ts';

/** How a multistore is set up. */
export interface MultiStoreOptions {
  /** Names of the substores, ASCII, each once. */
  readonly stores: readonly string[];
  /** Version of the first commit. Default 1. */
  readonly initialVersion?: bigint;
  /** Versions that stay readable, the newest included. Default 100. */
  readonly keepVersions?: number;
  /**
   * Memory held only for versions before the newest, at most: their nodes and the values of their leaves.
   * Under load the versions kept are fewer. The version before the newest is always kept. Default 64 MiB.
   */
  readonly keepBytesMax?: number;
  /** Versions beyond `keepVersions` go at every so many commits, together. Default 1. */
  readonly pruneInterval?: number;
}

/** A version that is being read from beginning to end. */
export interface ExportedVersion {
  /** See `snapshot.ts`. */
  readonly chunks: Iterable<Uint8Array>;
  readonly close: () => void;
}

/** A substore of which a version knows nothing yet. */
const EMPTY_STORE: KVReader = { get: () => undefined, has: () => false, iterate: () => [] };

const KEEP_VERSIONS_DEFAULT = 100;
const KEEP_BYTES_DEFAULT = 64 * 1024 * 1024;

/** A `CommitMultiStore` that forgets everything with the process. */
export class MemoryMultiStore implements CommitMultiStore, BranchParent {
  readonly #arena = new NodeArena();
  readonly #history: VersionHistory;
  readonly #initialVersion: bigint;
  /** By name, in name order. */
  #working: ReadonlyMap<string, WorkingStore>;
  /** Until the next commit: what they hold is put into the working version whenever that begins. */
  #renamed: readonly RenamedStore[] = [];
  /** Version that the working hashes were computed for; 0 when for none. */
  #hashedFor = 0;
  /** Computed last, and over what: asked for again at the commit, and by blocks that change nothing. */
  #lastHashed: { readonly infos: readonly StoreInfo[]; readonly hash: Uint8Array } = {
    infos: [],
    hash: appHash([]),
  };
  #lastChanges: ChangeSet | undefined;

  constructor(options: MultiStoreOptions) {
    this.#initialVersion = options.initialVersion ?? 1n;
    this.#history = new VersionHistory(this.#arena, {
      keepVersions: options.keepVersions ?? KEEP_VERSIONS_DEFAULT,
      keepBytesMax: options.keepBytesMax ?? KEEP_BYTES_DEFAULT,
      pruneInterval: options.pruneInterval ?? 1,
    });
    this.#working = this.#openWorking(options.stores);
  }

  get lastCommit(): CommitId {
    const last = this.#history.latest;
    return last === undefined
      ? { version: 0n, hash: sha256(EMPTY_BYTES) }
      : { version: last.version, hash: last.hash };
  }

  get committedStores(): readonly string[] {
    return [...(this.#history.latest?.stores.keys() ?? [])];
  }

  /** What the last commit changed; undefined before the first. */
  get lastChanges(): ChangeSet | undefined {
    return this.#lastChanges;
  }

  /** Bytes held only for versions before the newest, within `keepBytesMax`. */
  get historyBytes(): number {
    return this.#history.orphanBytes;
  }

  /** Bytes allocated for trees, keys and values. */
  get allocatedBytes(): number {
    return this.#arena.allocatedBytes;
  }

  /** The working version of a substore. */
  reader(name: string): KVReader {
    return this.layer(name);
  }

  layer(name: string): Overlay {
    return this.#workingStore(name).overlay;
  }

  branch(): MultiStoreBranch {
    return new Branch(this);
  }

  workingHash(): Uint8Array {
    return this.#hashAt(Number(this.#workingVersion()));
  }

  commit(version: bigint = this.#workingVersion()): CommitId {
    const previous = this.lastCommit.version;
    if (version <= previous || version > BigInt(NODE_VERSION_MAX)) {
      throw new LedgerError('store.version_order', `version ${version} cannot follow version ${previous}`, {
        version,
        previous,
      });
    }
    const hash = this.#hashAt(Number(version));
    const stores = new Map<string, CommittedStore>();
    const changes: StoreChanges[] = [];
    const orphans: (readonly number[])[] = [];
    for (const [name, working] of this.#working) {
      const committed = working.commit(Number(version));
      stores.set(name, { root: committed.root, hash: committed.hash });
      changes.push({ name, writes: committed.writes });
      orphans.push(committed.orphans);
    }
    this.#arena.commitWorking(Number(version));
    for (const [name, { root }] of this.#history.latest?.stores ?? []) {
      if (!stores.has(name)) orphans.push(allNodes(this.#arena, root));
    }
    this.#hashedFor = 0;
    this.#renamed = [];
    const freed = Int32Array.from(orphans.flat());
    const orphanBytes = this.#arena.heldBytes(freed);
    this.#history.add({ version, hash, stores, orphans: freed, orphanBytes });
    this.#lastChanges = { version, previous, hash, stores: changes };
    return { version, hash };
  }

  rollback(): void {
    for (const working of this.#working.values()) working.rollback();
    this.#arena.freeWorking();
    this.#hashedFor = 0;
    this.#moveRenamed();
  }

  at(version: bigint): MultiStoreReader {
    const { stores } = this.#history.version(version);
    const reader = this.#history.reader(version);
    const isLater = (name: string): boolean => !stores.has(name) && this.#working.has(name);
    return { reader: (name) => (isLater(name) ? EMPTY_STORE : reader.reader(name)) };
  }

  versions(): { readonly earliest: bigint; readonly latest: bigint } {
    return { earliest: this.#history.earliest?.version ?? 0n, latest: this.#history.latest?.version ?? 0n };
  }

  query(request: {
    readonly store: string;
    readonly key: Uint8Array;
    readonly version: bigint;
    readonly prove: boolean;
  }): StoreQueryResult {
    const value = this.#history.reader(request.version).reader(request.store).get(request.key);
    return { value, proofOps: request.prove ? this.#prove(request) : [] };
  }

  /** Keys in the last committed version. */
  get keyCount(): number {
    let count = 0;
    for (const { root } of this.#history.latest?.stores.values() ?? []) count += this.#arena.size(root);
    return count;
  }

  /** A retained version chunk by chunk; it stays retained until `close`, which is called once. */
  exportVersion(version: bigint, chunkBytes?: number): ExportedVersion {
    const { stores } = this.#history.version(version);
    this.#history.pin(version);
    const roots = [...stores].map(([name, { root }]) => [name, root] as const);
    return {
      chunks: exportChunks(this.#arena, roots, chunkBytes),
      close: () => this.#history.unpin(version),
    };
  }

  /** Begins to read a version from chunks into this multistore, in which nothing was committed yet. */
  beginImport(version: bigint): SnapshotImport {
    assert(this.#history.latest === undefined, 'a snapshot is imported into an empty store');
    return new SnapshotImport(this.#arena, version);
  }

  /**
   * Makes the imported trees the committed version.
   * @throws LedgerError `store.hash_mismatch` when their app hash is not `expected.hash`
   */
  finishImport(trees: SnapshotImport, expected: CommitId): void {
    this.#arena.commitWorking(Number(expected.version));
    const stores = new Map<string, CommittedStore>();
    const roots = [...trees.finish()].sort(([a], [b]) => compareNames(a, b));
    for (const [name, root] of roots) {
      stores.set(name, { root, hash: hashTree(this.#arena, root, Number(expected.version)) });
    }
    const hash = appHash([...stores].map(([name, store]) => ({ name, hash: store.hash })));
    requireHash({ version: expected.version, hash }, expected);
    this.#history.add({
      version: expected.version,
      hash,
      stores,
      orphans: new Int32Array(0),
      orphanBytes: 0,
    });
    this.#working = this.#openWorking([...stores.keys()]);
  }

  /**
   * Commits a version from its change set.
   * @throws LedgerError `store.hash_mismatch` when another app hash comes out
   */
  replay(changes: ChangeSet): void {
    this.useStores(changes.stores.map((store) => store.name));
    for (const { name, writes } of changes.stores) this.#workingStore(name).applyInOrder(writes);
    requireHash(this.commit(changes.version), changes);
  }

  useStores(names: readonly string[], renamed: readonly RenamedStore[] = []): void {
    this.#renamed = [];
    this.rollback();
    this.#working = this.#openWorking(names);
    this.#renamed = renamed;
    this.#moveRenamed();
  }

  /** Writes, as any others: a version's change set says all that is in it. */
  #moveRenamed(): void {
    if (this.#renamed.length === 0) return;
    const committed = this.#history.reader(this.lastCommit.version);
    for (const { from, to } of this.#renamed) {
      const target = this.#workingStore(to).overlay;
      for (const [key, value] of committed.reader(from).iterate({})) target.set(key, value);
    }
  }

  #prove(request: { readonly store: string; readonly key: Uint8Array; readonly version: bigint }): ProofOp[] {
    const { stores } = this.#history.version(request.version);
    const root = stores.get(request.store)?.root ?? 0;
    const infos = [...stores].map(([name, { hash }]) => ({ name, hash }));
    return [
      { type: 'ics23:iavl', key: request.key, data: proveKey(this.#arena, root, request.key) },
      { type: 'ics23:simple', key: utf8(request.store), data: proveStore(infos, request.store) },
    ];
  }

  #workingVersion(): bigint {
    const last = this.#history.latest;
    return last === undefined ? this.#initialVersion : last.version + 1n;
  }

  #hashAt(version: number): Uint8Array {
    if (this.#hashedFor !== 0 && this.#hashedFor !== version) this.#arena.markAllDirty();
    this.#hashedFor = version;
    const infos = [...this.#working].map(([name, working]) => ({
      name,
      hash: working.hash(version),
    }));
    if (!isSame(infos, this.#lastHashed.infos)) this.#lastHashed = { infos, hash: appHash(infos) };
    return this.#lastHashed.hash;
  }

  #workingStore(name: string): WorkingStore {
    const working = this.#working.get(name);
    if (working === undefined) {
      throw new LedgerError('store.unknown', `there is no store "${name}"`, { store: name });
    }
    return working;
  }

  #openWorking(names: readonly string[]): ReadonlyMap<string, WorkingStore> {
    const roots = this.#history.latest?.stores;
    const working = new Map<string, WorkingStore>();
    for (const name of names.toSorted(compareNames)) {
      assert(/^[\x21-\x7e]+$/.test(name) && !working.has(name), 'store names are ASCII, each once', { name });
      working.set(name, new WorkingStore(this.#arena, roots?.get(name)?.root ?? 0));
    }
    return working;
  }
}

function isSame(a: readonly StoreInfo[], b: readonly StoreInfo[]): boolean {
  return a.length === b.length && a.every(({ name, hash }, i) => isStore(b[i], name, hash));
}

function isStore(store: StoreInfo | undefined, name: string, hash: Uint8Array): boolean {
  return store?.name === name && equalBytes(store.hash, hash);
}

function requireHash(found: CommitId, expected: CommitId): void {
  if (equalBytes(found.hash, expected.hash)) return;
  throw new LedgerError(
    'store.hash_mismatch',
    `version ${expected.version} has app hash ${toHex(found.hash)}, not ${toHex(expected.hash)} as recorded`,
    { version: expected.version },
  );
}
