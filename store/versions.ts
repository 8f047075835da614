/**
 * The committed versions that stay readable. A node that a version no longer uses is its orphan: the node
 * serves only the versions before, so it is freed when the last of these is dropped. Versions are dropped
 * oldest first.
 */
import { LedgerError } from '../core/errors.ts';
import type { NodeArena, NodeId } from './iavl/node-arena.ts';
import { findLeaf, findValue, walkLeaves } from './iavl/walk.ts';
import type { KeyRange, KeyValue, KVReader, MultiStoreReader } from './kv.ts';

/** A substore at a version. */
export interface CommittedStore {
  readonly root: NodeId;
  readonly hash: Uint8Array;
}

/** A committed version. */
export interface CommittedVersion {
  readonly version: bigint;
  /** App hash. */
  readonly hash: Uint8Array;
  /** By name, in name order. */
  readonly stores: ReadonlyMap<string, CommittedStore>;
  /** Nodes of earlier versions that this one no longer uses. */
  readonly orphans: Int32Array;
  /** Memory that these hold. */
  readonly orphanBytes: number;
}

/** How much is kept: see `MultiStoreOptions`. */
export interface HistoryLimits {
  readonly keepVersions: number;
  readonly keepBytesMax: number;
  readonly pruneInterval: number;
}

/** Versions kept whatever the limits say, so that the last but one can be queried and rolled back to. */
const VERSIONS_MIN = 2;

/** The list of committed versions. */
export class VersionHistory {
  readonly #arena: NodeArena;
  readonly #limits: HistoryLimits;
  readonly #versions = new Map<bigint, CommittedVersion>();
  /** Memory held only by versions before the newest. */
  #orphanBytes = 0;
  #latest: CommittedVersion | undefined;
  /** How many readers hold a version. */
  readonly #pins = new Map<bigint, number>();

  constructor(arena: NodeArena, limits: HistoryLimits) {
    this.#arena = arena;
    this.#limits = limits;
  }

  get latest(): CommittedVersion | undefined {
    return this.#latest;
  }

  get earliest(): CommittedVersion | undefined {
    return this.#versions.values().next().value;
  }

  /** Memory held only for versions before the newest: what pruning all of them would free. */
  get orphanBytes(): number {
    return this.#orphanBytes;
  }

  /** Adds the newest version and drops what the limits no longer allow. */
  add(version: CommittedVersion): void {
    this.#orphanBytes += version.orphanBytes;
    this.#versions.set(version.version, version);
    this.#latest = version;
    const { keepBytesMax, pruneInterval } = this.#limits;
    const isDue = version.version % BigInt(pruneInterval) === 0n;
    if (isDue || this.#orphanBytes > keepBytesMax) this.prune();
  }

  /** Drops the oldest versions beyond the limits, up to one that is pinned. */
  prune(): void {
    const { keepVersions, keepBytesMax } = this.#limits;
    while (this.#versions.size > Math.max(1, Math.min(keepVersions, VERSIONS_MIN))) {
      if (this.#versions.size <= keepVersions && this.#orphanBytes <= keepBytesMax) return;
      const oldest = this.earliest;
      if (oldest === undefined || this.#pins.has(oldest.version)) return;
      this.#versions.delete(oldest.version);
      const next = this.earliest;
      this.#orphanBytes -= next?.orphanBytes ?? 0;
      this.#free(next?.orphans ?? new Int32Array(0));
    }
  }

  /** Keeps a version until its `unpin`, for a reader that takes its time. */
  pin(version: bigint): void {
    this.#pins.set(version, (this.#pins.get(version) ?? 0) + 1);
  }

  /** The counterpart of one `pin`. */
  unpin(version: bigint): void {
    const left = (this.#pins.get(version) ?? 1) - 1;
    if (left === 0) this.#pins.delete(version);
    else this.#pins.set(version, left);
    this.prune();
  }

  /** @throws LedgerError `store.version_missing` */
  version(version: bigint): CommittedVersion {
    const found = this.#versions.get(version);
    if (found !== undefined) return found;
    const earliest = this.earliest?.version ?? 0n;
    const latest = this.#latest?.version ?? 0n;
    throw new LedgerError(
      'store.version_missing',
      `version ${version} is not available: this node has versions ${earliest} to ${latest}`,
      { version, earliest, latest },
    );
  }

  /** A version for reading. Its readers throw `store.version_missing` once the version is dropped. */
  reader(version: bigint): MultiStoreReader {
    this.version(version);
    return { reader: (name) => this.#storeReader(version, name) };
  }

  #storeReader(version: bigint, name: string): KVReader {
    const root = (): NodeId => {
      const store = this.version(version).stores.get(name);
      if (store !== undefined) return store.root;
      throw new LedgerError('store.unknown', `there is no store "${name}" at version ${version}`, {
        store: name,
      });
    };
    root();
    return {
      get: (key) => findValue(this.#arena, root(), key),
      has: (key) => findLeaf(this.#arena, root(), key) !== 0,
      iterate: (range) => this.#walk(root, range),
    };
  }

  *#walk(root: () => NodeId, range: KeyRange): Generator<KeyValue, void, void> {
    for (const pair of walkLeaves(this.#arena, root(), range)) {
      yield pair;
      // Nodes of a version dropped meanwhile may hold anything.
      root();
    }
  }

  #free(nodes: Int32Array): void {
    for (const node of nodes) this.#arena.free(node);
  }
}
