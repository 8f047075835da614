/** The header of a shard on disk: what was committed to, and what each file has to be. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fromHex, toHex } from '../../core/bytes.ts';
import { commitmentProblem, shardId } from '../../modules/attribution/proof/shard/commitment.ts';
import { ShardCommitment } from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import { indexError } from './errors.ts';
import { HEADER_FILE, SHARD_FILES, SHARD_FORMAT, type ShardFile } from './shard-files.ts';

/** Size and checksum of a file. */
export interface FileRecord {
  readonly bytes: number;
  /** Hex. */
  readonly sha256: string;
}

/** What `shard.json` says. */
export interface ShardHeader {
  readonly commitment: ShardCommitment;
  readonly files: ReadonlyMap<ShardFile, FileRecord>;
}

/** The text of a header. */
export function headerText({ commitment, files }: ShardHeader): string {
  const text = {
    format: SHARD_FORMAT,
    id: toHex(shardId(commitment)),
    commitment: toHex(ShardCommitment.encode(commitment)),
    files: Object.fromEntries(files),
  };
  return `${JSON.stringify(text, undefined, 2)}\n`;
}

/**
 * Reads the header of a shard's directory.
 * @throws LedgerError (`attest.index_missing`, `_version`, `_damaged`) naming the file
 */
export function readHeader(directory: string): ShardHeader {
  const path = join(directory, HEADER_FILE);
  const value = parseHeader(path);
  const damaged = (what: string): Error =>
    indexError('damaged', `${path} ${what}: remove the shard and build it again`);
  if (value === undefined) throw damaged('is not what a build writes');
  if (value['format'] !== SHARD_FORMAT)
    throw indexError(
      'version',
      `${path} has format ${value['format']}, this program reads ${SHARD_FORMAT}: build the shard again`,
    );
  const commitment = commitmentOf(value['commitment']);
  if (commitment === undefined || toHex(shardId(commitment)) !== value['id'])
    throw damaged('has a commitment that is not its id');
  const problem = commitmentProblem(commitment);
  if (problem !== undefined) throw damaged(`has a commitment that ${problem}`);
  const records = recordOf(value['files']);
  const files = new Map<ShardFile, FileRecord>();
  for (const file of SHARD_FILES) {
    const { bytes, sha256 } = recordOf(records?.[file]) ?? {};
    if (typeof bytes !== 'number' || typeof sha256 !== 'string') throw damaged(`says nothing of "${file}"`);
    files.set(file, { bytes, sha256 });
  }
  return { commitment, files };
}

function parseHeader(path: string): Readonly<Record<string, unknown>> | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    throw indexError('missing', `${path} is not there: no shard was built here`);
  }
  try {
    return recordOf(JSON.parse(text));
  } catch {
    return undefined;
  }
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === 'object' && value !== null ? { ...value } : undefined;
}

function commitmentOf(value: unknown): ShardCommitment | undefined {
  if (typeof value !== 'string') return undefined;
  try {
    return ShardCommitment.decode(fromHex(value));
  } catch {
    return undefined;
  }
}
