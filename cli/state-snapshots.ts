/** ABCI's snapshot calls over the store: those that this node has made, and one that it restores. */
import { join } from 'node:path';
import { equalBytes } from '../core/bytes.ts';
import { LedgerError, messageOf } from '../core/errors.ts';
import { sha256 } from '../core/hash.ts';
import type { SnapshotApplication } from '../node/application.ts';
import {
  type RequestApplySnapshotChunk,
  type RequestOfferSnapshot,
  type ResponseApplySnapshotChunk,
  ResponseApplySnapshotChunk_Result as ApplyResult,
  type ResponseOfferSnapshot,
  ResponseOfferSnapshot_Result as OfferResult,
  type Snapshot,
} from '../proto/gen/tendermint/abci/types.ts';
import type { PersistentMultiStore } from '../store/backend/persistent.ts';
import type { StateRestore } from '../store/backend/restore.ts';
import type { SnapshotFiles } from '../store/backend/snapshot-files.ts';
import {
  checkStateSnapshot,
  chunkHashOf,
  type SnapshotLog,
  STATE_SNAPSHOT_FORMAT,
  StateSnapshots,
} from '../store/backend/state-snapshots.ts';

/** When snapshots are made and how many stay: `[state-sync]` of app.toml. */
export interface StateSnapshotSettings {
  /** Blocks between two snapshots; 0: none are made. */
  readonly interval: number;
  readonly keepRecent: number;
  /** A chunk ends with the piece that fills it beyond this, a piece with the item. Default: the store's. */
  readonly chunkBytes?: number;
}

/** What the snapshots are of. */
export interface StateSnapshotPorts {
  readonly store: PersistentMultiStore;
  /** The store has another state. */
  readonly restored: () => void;
  readonly log: SnapshotLog;
  /** Default: the disk of this machine. */
  readonly files?: SnapshotFiles;
  /** Lets others have a turn. Default: the event loop. */
  readonly pause?: () => Promise<unknown>;
}

/** A restore under way. */
interface Restoring {
  readonly snapshot: Snapshot;
  readonly appHash: Uint8Array;
  readonly restore: StateRestore;
  /** The chunk that comes next. */
  next: number;
}

/** See the file comment. */
export class SnapshotService implements SnapshotApplication {
  readonly #ports: StateSnapshotPorts;
  readonly #interval: bigint;
  readonly #chunkBytes: number | undefined;
  readonly #snapshots: StateSnapshots;
  #restoring: Restoring | undefined;

  private constructor(ports: StateSnapshotPorts, settings: StateSnapshotSettings, snapshots: StateSnapshots) {
    this.#ports = ports;
    this.#interval = BigInt(settings.interval);
    this.#chunkBytes = settings.chunkBytes;
    this.#snapshots = snapshots;
  }

  static async open(
    dataDir: string,
    ports: StateSnapshotPorts,
    settings: StateSnapshotSettings,
  ): Promise<SnapshotService> {
    const directory = join(dataDir, 'snapshots');
    const { log, files, pause } = ports;
    const { keepRecent, chunkBytes } = settings;
    const snapshots = await StateSnapshots.open({
      directory,
      keepRecent,
      log,
      ...(chunkBytes === undefined ? {} : { chunkBytes }),
      ...(files === undefined ? {} : { files }),
      ...(pause === undefined ? {} : { pause }),
    });
    return new SnapshotService(ports, settings, snapshots);
  }

  /** Begins a snapshot when one is due. Called when a version has been committed. */
  committed(height: bigint): void {
    if (this.#interval === 0n || height % this.#interval !== 0n) return;
    const { store, log } = this.#ports;
    if (!this.#snapshots.make(height, store.exportVersion(height, this.#chunkBytes)))
      log.warn({ height }, 'no state snapshot: the one before is still being written');
  }

  /** Resolves when none is being written. */
  async idle(): Promise<void> {
    await this.#snapshots.idle();
  }

  async close(): Promise<void> {
    await this.#snapshots.close();
  }

  async listSnapshots(): ReturnType<SnapshotApplication['listSnapshots']> {
    return { snapshots: this.#snapshots.list() };
  }

  async loadSnapshotChunk({
    height,
    format,
    chunk,
  }: Parameters<SnapshotApplication['loadSnapshotChunk']>[0]): ReturnType<
    SnapshotApplication['loadSnapshotChunk']
  > {
    const bytes = await this.#snapshots.chunk({ height, format, index: chunk });
    return { chunk: bytes ?? new Uint8Array(0) };
  }

  async offerSnapshot({ snapshot, appHash }: RequestOfferSnapshot): Promise<ResponseOfferSnapshot> {
    const { store, log } = this.#ports;
    this.#restoring = undefined;
    if (snapshot === undefined) return { result: OfferResult.REJECT };
    if (snapshot.format !== STATE_SNAPSHOT_FORMAT) return { result: OfferResult.REJECT_FORMAT };
    try {
      checkStateSnapshot(snapshot);
    } catch (error) {
      log.warn({ height: snapshot.height, reason: messageOf(error) }, 'an offered snapshot cannot be right');
      return { result: OfferResult.REJECT_SENDER };
    }
    if (store.lastCommit.version !== 0n) return { result: OfferResult.ABORT };
    const restore = await store.beginRestore(snapshot.height);
    this.#restoring = { snapshot, appHash, restore, next: 0 };
    return { result: OfferResult.ACCEPT };
  }

  async applySnapshotChunk(request: RequestApplySnapshotChunk): Promise<ResponseApplySnapshotChunk> {
    const restoring = this.#restoring;
    if (restoring === undefined || request.index !== restoring.next) return answer(ApplyResult.ABORT);
    const { snapshot, restore, appHash } = restoring;
    if (!equalBytes(sha256(request.chunk), chunkHashOf(snapshot, request.index)))
      return {
        result: ApplyResult.RETRY,
        refetchChunks: [request.index],
        rejectSenders: request.sender === '' ? [] : [request.sender],
      };
    try {
      await restore.add(request.chunk);
      restoring.next++;
      if (restoring.next < snapshot.chunks) return answer(ApplyResult.ACCEPT);
      await restore.finish(appHash);
    } catch (error) {
      this.#restoring = undefined;
      // A disk that fails is nobody's fault; everything else is what the snapshot is made of.
      if (!(error instanceof LedgerError) || error.code === 'store.disk') throw error;
      this.#ports.log.warn({ height: snapshot.height, reason: error.message }, 'a snapshot is refused');
      return answer(ApplyResult.REJECT_SNAPSHOT);
    }
    this.#restoring = undefined;
    this.#ports.restored();
    return answer(ApplyResult.ACCEPT);
  }
}

function answer(result: number): ResponseApplySnapshotChunk {
  return { result, refetchChunks: [], rejectSenders: [] };
}
