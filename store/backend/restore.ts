/**
 * A version that comes in chunks from elsewhere (state sync) into an empty store. Chunks go to memory, where
 * their hashes are computed, and to the database; only when the app hash is the expected one is the version
 * marked as complete there. Whatever a crash or a wrong hash leaves is no version, and goes with the next
 * try.
 */
import { LedgerError } from '../../core/errors.ts';
import type { CommitId } from '../kv.ts';
import type { MemoryMultiStore } from '../multistore.ts';
import type { SnapshotImport } from '../snapshot.ts';
import type { Backend } from './backend.ts';
import { chunkKey, encodeMeta, metaKey, seal } from './records.ts';
import { deleteAfter } from './snapshotter.ts';

/** What a restore works on. */
export interface RestorePorts {
  readonly backend: Backend;
  /** Empty. */
  readonly memory: MemoryMultiStore;
  /** Takes over the restored state. */
  readonly restored: (memory: MemoryMultiStore) => void;
}

/** A restore under way. Calls follow one another. */
export class StateRestore {
  readonly #ports: RestorePorts;
  readonly #version: bigint;
  readonly #trees: SnapshotImport;
  #chunks = 0;

  private constructor(ports: RestorePorts, version: bigint) {
    this.#ports = ports;
    this.#version = version;
    this.#trees = ports.memory.beginImport(version);
  }

  /** Removes what an earlier try has left, and begins. */
  static async begin(ports: RestorePorts, version: bigint): Promise<StateRestore> {
    await deleteAfter(ports.backend, 0n);
    return new StateRestore(ports, version);
  }

  /**
   * Takes the next chunk: items as `snapshot.ts` describes them, cut anywhere between two.
   * @throws LedgerError when it cannot follow those before, or `store.disk`
   */
  async add(chunk: Uint8Array): Promise<void> {
    this.#trees.add(chunk);
    const key = chunkKey(this.#version, this.#chunks);
    await this.#ports.backend.write([{ key, value: seal(key, chunk) }], { sync: true });
    this.#chunks++;
  }

  /**
   * Ends the restore after the last chunk: the version is durable and the store has it.
   * @throws LedgerError `store.hash_mismatch` when the app hash is not this one; nothing is kept then
   */
  async finish(appHash: Uint8Array): Promise<CommitId> {
    const { backend, memory, restored } = this.#ports;
    const id = { version: this.#version, hash: appHash };
    memory.finishImport(this.#trees, id);
    const key = metaKey(this.#version);
    const value = seal(key, encodeMeta({ ...id, chunks: this.#chunks }));
    await backend.write([{ key, value }], { sync: true });
    restored(memory);
    return id;
  }
}

/** The error of a restore into a store that has something. */
export function notEmpty(version: bigint): LedgerError {
  return new LedgerError(
    'store.not_empty',
    `the state is at version ${version}: only an empty one can be restored from a snapshot`,
    { version },
  );
}
