/**
 * Restart: the newest complete snapshot and the change sets after it, checked record by record and hash by
 * hash.
 */
import { utf8 } from '../../core/bytes.ts';
import { LedgerError, messageOf } from '../../core/errors.ts';
import { type ChangeSet, decodeChangeSet } from '../change-set.ts';
import { MemoryMultiStore, type MultiStoreOptions } from '../multistore.ts';
import type { Backend } from './backend.ts';
import {
  changeSetRange,
  chunkKey,
  decodeMeta,
  FORMAT_KEY,
  keyVersion,
  metaKey,
  STORE_FORMAT,
  unseal,
} from './records.ts';
import { completeSnapshots } from './snapshotter.ts';

/** What is loaded, and up to where. */
export interface LoadOptions extends MultiStoreOptions {
  /** Load this version instead of the last one. 0 is the empty store. */
  readonly version?: bigint | undefined;
  /** Told of each change set replayed. */
  readonly replayed: (changes: ChangeSet) => void;
}

/**
 * Makes sure that the database is of this format; an empty one becomes so.
 * @throws LedgerError `store.format` when it is not
 */
export async function requireFormat(backend: Backend): Promise<void> {
  const found = await backend.get(FORMAT_KEY);
  const expected = String(STORE_FORMAT);
  if (found !== undefined) {
    if (new TextDecoder().decode(found) === expected) return;
    throw new LedgerError(
      'store.format',
      `the state database has format ${JSON.stringify(new TextDecoder().decode(found))}, this program reads ` +
        `format ${expected}: use the version of the program that wrote it, or remove the database and sync again`,
    );
  }
  for await (const _key of backend.keys({})) {
    throw new LedgerError(
      'store.format',
      'the database has no format record: it is another program’s, or its beginning is lost',
    );
  }
  await backend.write([{ key: FORMAT_KEY, value: utf8(expected) }], { sync: true });
}

/**
 * Reads a version from the database.
 * @throws LedgerError `store.corrupt` when a record is damaged or missing, `store.version_missing` when the
 * database does not reach back to `options.version` or does not have it
 */
export async function loadMultiStore(backend: Backend, options: LoadOptions): Promise<MemoryMultiStore> {
  const memory = new MemoryMultiStore(options);
  const target = options.version;
  const snapshots = await completeSnapshots(backend);
  const snapshot = snapshots.find((version) => target === undefined || version <= target);
  if (snapshot !== undefined) await loadSnapshot(backend, memory, snapshot);
  const range = changeSetRange((snapshot ?? -1n) + 1n, target === undefined ? undefined : target + 1n);
  for await (const [key, value] of backend.iterate(range)) {
    options.replayed(replayRecord(memory, key, value));
  }
  const reached = memory.lastCommit.version;
  if (target !== undefined && reached !== target) {
    throw new LedgerError(
      'store.version_missing',
      `the state cannot be taken back to version ${target}: the nearest that the database has is ${reached}`,
      { version: target, nearest: reached },
    );
  }
  memory.useStores(options.stores);
  return memory;
}

function replayRecord(memory: MemoryMultiStore, key: Uint8Array, value: Uint8Array): ChangeSet {
  const version = keyVersion(key);
  const last = memory.lastCommit.version;
  try {
    const changes = decodeChangeSet(unseal(key, value));
    if (changes.previous !== last) {
      throw new LedgerError(
        'store.gap',
        `it follows version ${changes.previous}, but the last one is ${last}`,
      );
    }
    memory.replay(changes);
    return changes;
  } catch (cause) {
    throw corruptError({ record: `change set of version ${version}`, version, intact: last }, cause);
  }
}

async function loadSnapshot(backend: Backend, memory: MemoryMultiStore, version: bigint): Promise<void> {
  let record = `snapshot of version ${version}`;
  try {
    const meta = decodeMeta(version, await readSealed(backend, metaKey(version)));
    const trees = memory.beginImport(version);
    for (let index = 0; index < meta.chunks; index++) {
      record = `chunk ${index} of the snapshot of version ${version}`;
      trees.add(await readSealed(backend, chunkKey(version, index)));
    }
    memory.finishImport(trees, meta);
  } catch (cause) {
    throw corruptError({ record, version, intact: version - 1n }, cause);
  }
}

async function readSealed(backend: Backend, key: Uint8Array): Promise<Uint8Array> {
  const value = await backend.get(key);
  if (value === undefined) throw new LedgerError('store.gap', 'it is missing');
  return unseal(key, value);
}

function corruptError(
  at: { readonly record: string; readonly version: bigint; readonly intact: bigint },
  cause: unknown,
): LedgerError {
  return new LedgerError(
    'store.corrupt',
    `the state database is damaged: ${at.record}: ${messageOf(cause)}. Roll the state back to version ` +
      `${at.intact}; the node then replays the later blocks. If that fails too, remove the state database and sync again`,
    { record: at.record, version: at.version, rollbackTo: at.intact },
    cause,
  );
}
