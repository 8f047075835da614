/**
 * Writes whole versions to the disk while blocks go on, and removes what no restart will need. A version
 * becomes a snapshot when replaying what came after the last one would take about as long as reading one.
 */
import { LedgerError, messageOf } from '../../core/errors.ts';
import { countWrites, type ChangeSet } from '../change-set.ts';
import type { MemoryMultiStore } from '../multistore.ts';
import type { Backend, BackendWrite } from './backend.ts';
import {
  changeSetRange,
  chunkKey,
  encodeMeta,
  isMetaKey,
  keyVersion,
  metaKey,
  seal,
  snapshotRange,
} from './records.ts';

/** Complete snapshots that are kept: the newest, and one to roll back to. */
export const SNAPSHOTS_KEPT = 2;
/** Records deleted by one batch. */
const DELETE_BATCH_MAX = 1000;

/** When snapshots are due. */
export interface SnapshotLimits {
  /** At most this many versions between two snapshots. */
  readonly versions: number;
  /** A snapshot is due after this many writes, or as many as there are keys when there are more. */
  readonly writes: number;
}

/** What the snapshotter works with. */
export interface SnapshotPorts {
  readonly backend: Backend;
  /** Resolves when all committed versions are durable. */
  readonly flush: () => Promise<void>;
}

/** See the file comment. */
export class Snapshotter {
  readonly #ports: SnapshotPorts;
  readonly #limits: SnapshotLimits;
  #versions = 0;
  #writes = 0;
  #aborted = false;
  #running: Promise<void> | undefined;
  #failure: LedgerError | undefined;

  constructor(ports: SnapshotPorts, limits: SnapshotLimits) {
    this.#ports = ports;
    this.#limits = limits;
  }

  /** Counts a committed version, and begins a snapshot of it when one is due and none is under way. */
  committed(memory: MemoryMultiStore, changes: ChangeSet): void {
    this.count(changes);
    if (this.#running !== undefined || this.#failure !== undefined) return;
    const due = this.#versions >= this.#limits.versions || this.#writes >= this.#limits.writes;
    if (!due || (this.#versions < this.#limits.versions && this.#writes < memory.keyCount)) return;
    this.#versions = 0;
    this.#writes = 0;
    this.#aborted = false;
    this.#running = this.#run(memory, changes)
      .catch((cause) => {
        this.#failure = new LedgerError(
          'store.disk',
          `writing the snapshot of version ${changes.version} failed: ${messageOf(cause)}`,
          { version: changes.version },
          cause,
        );
      })
      .finally(() => {
        this.#running = undefined;
      });
  }

  /** Counts a version that was replayed from the disk. */
  count(changes: ChangeSet): void {
    this.#versions += 1;
    this.#writes += countWrites(changes);
  }

  /** Resolves when no snapshot is under way; rejects with `store.disk` when one failed. */
  async idle(): Promise<void> {
    await this.#running;
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Ends a snapshot under way without completing it. */
  async abort(): Promise<void> {
    this.#aborted = true;
    await this.#running;
  }

  async #run(memory: MemoryMultiStore, changes: ChangeSet): Promise<void> {
    const { version, hash } = changes;
    const { backend, flush } = this.#ports;
    const source = memory.exportVersion(version);
    let chunks = 0;
    try {
      await flush();
      for (const chunk of source.chunks) {
        if (this.#aborted) return;
        await backend.write([sealed(chunkKey(version, chunks), chunk)], { sync: true });
        chunks++;
      }
    } finally {
      source.close();
    }
    if (this.#aborted) return;
    await backend.write([sealed(metaKey(version), encodeMeta({ version, hash, chunks }))], { sync: true });
    await this.#removeOld();
  }

  /** Deletes all but the newest snapshots, and the change sets up to the oldest of these. */
  async #removeOld(): Promise<void> {
    const { backend } = this.#ports;
    const complete = await completeSnapshots(backend);
    const kept = complete.slice(0, SNAPSHOTS_KEPT);
    const newest = kept[0];
    const oldest = kept[SNAPSHOTS_KEPT - 1];
    if (newest === undefined) return;
    // First the marks of completeness: a snapshot without its mark is no snapshot.
    await deleteKeys(backend, complete.slice(SNAPSHOTS_KEPT).map(metaKey));
    const stale: Uint8Array[] = [];
    for await (const key of backend.keys(snapshotRange(0n, newest))) {
      if (!kept.includes(keyVersion(key))) stale.push(key);
    }
    await deleteKeys(backend, stale);
    // The first snapshot can still be rolled back from by replaying from the beginning.
    if (oldest === undefined) return;
    const replayed: Uint8Array[] = [];
    for await (const key of backend.keys(changeSetRange(0n, oldest + 1n))) replayed.push(key);
    await deleteKeys(backend, replayed);
  }
}

/** Versions of the complete snapshots, the newest first. */
export async function completeSnapshots(backend: Backend): Promise<bigint[]> {
  const versions: bigint[] = [];
  for await (const key of backend.keys({ ...snapshotRange(0n), reverse: true })) {
    if (isMetaKey(key)) versions.push(keyVersion(key));
  }
  return versions;
}

/**
 * Deletes all records of versions after this one, newest first: whatever a crash leaves of them can be
 * replayed.
 */
export async function deleteAfter(backend: Backend, version: bigint): Promise<void> {
  const metas = (await completeSnapshots(backend)).filter((each) => each > version).map(metaKey);
  await deleteKeys(backend, metas);
  const later: Uint8Array[] = [];
  for await (const key of backend.keys({ ...changeSetRange(version + 1n), reverse: true })) later.push(key);
  for await (const key of backend.keys(snapshotRange(version + 1n))) later.push(key);
  await deleteKeys(backend, later);
}

async function deleteKeys(backend: Backend, keys: readonly Uint8Array[]): Promise<void> {
  for (let from = 0; from < keys.length; from += DELETE_BATCH_MAX) {
    const batch = keys.slice(from, from + DELETE_BATCH_MAX).map((key) => ({ key, value: undefined }));
    await backend.write(batch, { sync: true });
  }
}

function sealed(key: Uint8Array, value: Uint8Array): BackendWrite {
  return { key, value: seal(key, value) };
}
