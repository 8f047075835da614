import { LedgerError } from '../../core/errors.ts';
import type { MemoryMultiStore } from '../multistore.ts';
import type { Backend } from './backend.ts';
import { loadMultiStore, requireFormat } from './load.ts';
import { changeSetRange, keyVersion } from './records.ts';
import { completeSnapshots } from './snapshotter.ts';

/**
 * Reads one version of the state that a database holds; nothing is changed in it.
 * @param version default: the last one
 * @throws LedgerError `store.version_missing` naming the versions that there are; what `loadMultiStore` throws
 */
export async function readVersion(
  backend: Backend,
  options: {
    readonly stores: readonly string[];
    readonly version?: bigint | undefined;
    /** Versions that stay readable when others follow. Default 1. */
    readonly keepVersions?: number;
  },
): Promise<MemoryMultiStore> {
  const { stores, version, keepVersions = 1 } = options;
  const kept = await versionsKept(backend);
  if (kept === undefined) throw new LedgerError('store.version_missing', 'no block has been committed yet');
  await requireFormat(backend);
  const { earliest, latest } = kept;
  if (version !== undefined && (version < earliest || version > latest))
    throw new LedgerError(
      'store.version_missing',
      `the state of height ${version} is not kept: the database has heights ${earliest} to ${latest}`,
      { version, earliest, latest },
    );
  return loadMultiStore(backend, { stores, version, keepVersions, replayed: () => undefined });
}

/** Every version between has its change set. Undefined where nothing was committed. */
async function versionsKept(
  backend: Backend,
): Promise<{ readonly earliest: bigint; readonly latest: bigint } | undefined> {
  const snapshots = await completeSnapshots(backend);
  let first: bigint | undefined;
  for await (const key of backend.keys(changeSetRange(0n))) {
    first = keyVersion(key);
    break;
  }
  let last: bigint | undefined;
  for await (const key of backend.keys({ ...changeSetRange(0n), reverse: true })) {
    last = keyVersion(key);
    break;
  }
  const newest = snapshots[0];
  const oldest = snapshots.at(-1);
  // Once there are two snapshots, the change sets up to the older one are deleted: some may be left of that.
  const reachesBeginning = first !== undefined && snapshots.length < 2 && first <= (oldest ?? first);
  const earliest = reachesBeginning ? first : oldest;
  if (earliest === undefined) return undefined;
  return { earliest, latest: max(last, newest) ?? earliest };
}

function max(a: bigint | undefined, b: bigint | undefined): bigint | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return a > b ? a : b;
}
