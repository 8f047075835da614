/** The list of an index: its Datanet, its shards, and what was withdrawn since they were built. */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { indexError, writeError } from './errors.ts';
import type { PositionRange } from './generations.ts';
import { syncPath } from './shard-directory.ts';

/** Name of the list in an index's directory. */
export const MANIFEST_FILE = 'index.json';

/** Version of the list; a reader takes no other. */
const MANIFEST_FORMAT = 1;

/** What all shards of an index have in common. */
export interface IndexSettings {
  readonly datanetId: bigint;
  /** 1 or 8. */
  readonly entriesPerLeaf: number;
  readonly salted: boolean;
  /** Documents of the largest shard: a power of two. */
  readonly documentsMax: number;
}

/** A shard of an index. */
export interface ShardEntry extends PositionRange {
  /** Of its directory. */
  readonly name: string;
}

/** An index. */
export interface Manifest {
  readonly settings: IndexSettings;
  readonly shards: readonly ShardEntry[];
  /** Contributions that were withdrawn: tombstones at the next merge, and not to be paid until then. */
  readonly withdrawn: readonly bigint[];
}

/**
 * Replaces the list of an index: the old one or the new one is there, whenever the machine stops.
 * @throws LedgerError (`attest.index_disk`) when there is no space
 */
export function writeManifest(directory: string, { settings, shards, withdrawn }: Manifest): void {
  const value = {
    format: MANIFEST_FORMAT,
    ...settings,
    datanetId: String(settings.datanetId),
    shards,
    withdrawn: withdrawn.map(String),
  };
  const path = join(directory, MANIFEST_FILE);
  try {
    writeFileSync(`${path}.new`, `${JSON.stringify(value, undefined, 2)}\n`, { flush: true });
  } catch (error) {
    throw writeError(error, path);
  }
  renameSync(`${path}.new`, path);
  syncPath(dirname(path));
}

/**
 * Reads the list of an index.
 * @throws LedgerError (`attest.index_missing`, `_version`, `_damaged`) naming the file
 */
export function readManifest(directory: string): Manifest {
  const path = join(directory, MANIFEST_FILE);
  let value: Readonly<Record<string, unknown>>;
  try {
    value = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    if (error instanceof SyntaxError) throw damaged(path);
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    throw indexError('missing', `${path} is not there: \`openledgerd attest index build\` makes an index`);
  }
  if (value['format'] !== MANIFEST_FORMAT)
    throw indexError(
      'version',
      `${path} has format ${value['format']}, this program reads ${MANIFEST_FORMAT}: build the index again`,
    );
  const { datanetId, entriesPerLeaf, salted, documentsMax, shards, withdrawn } = value;
  if (
    typeof datanetId !== 'string' ||
    typeof entriesPerLeaf !== 'number' ||
    typeof salted !== 'boolean' ||
    typeof documentsMax !== 'number' ||
    !Array.isArray(shards) ||
    !Array.isArray(withdrawn) ||
    ![datanetId, ...withdrawn].every((id) => typeof id === 'string' && /^\d{1,20}$/.test(id))
  )
    throw damaged(path);
  return {
    settings: { datanetId: BigInt(datanetId), entriesPerLeaf, salted, documentsMax },
    shards: shards.map((shard: unknown) => entryOf(shard, path)),
    withdrawn: withdrawn.map((id: string) => BigInt(id)),
  };
}

function entryOf(value: unknown, path: string): ShardEntry {
  const { name, first, documents }: Readonly<Record<string, unknown>> = { ...Object(value) };
  if (typeof name !== 'string' || !/^[\w-]+$/.test(name)) throw damaged(path);
  if (!Number.isSafeInteger(first) || !Number.isSafeInteger(documents)) throw damaged(path);
  return { name, first: Number(first), documents: Number(documents) };
}

function damaged(path: string): Error {
  return indexError('damaged', `${path} is not what this program writes: build the index again`);
}
