/**
 * Blocks as files, for an auditor who has neither the node nor its RPC:
 *
 * | file | what |
 * | --- | --- |
 * | `genesis.json` | the genesis document |
 * | `blocks-<first height>.pb` | blocks (`tendermint.types.Block`) in order, each behind its length as a varint |
 * | `commit-<height>.pb` | the precommits for the last block (`tendermint.types.Commit`) |
 */
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { type Block, decodeBlock, encodeBlock } from '../../consensus/types/block.ts';
import { decodeCommit, encodeCommit } from '../../consensus/types/commit.ts';
import { BLOCK_BYTES_MAX } from '../../consensus/types/limits.ts';
import { DecodeError, LedgerError } from '../../core/errors.ts';
import { readUvarint, uvarintLength, writeUvarint } from '../../core/varint.ts';
import { usageError } from '../failure.ts';
import { type BlockSource, blockMissing, decidedBlocks } from './source.ts';

/** A file is full with the block that fills it beyond this: one is read at a time. */
const FILE_BYTES = 16 * 1024 * 1024;
const BLOCKS_PATTERN = /^blocks-(\d{1,19})\.pb$/;
const COMMIT_PATTERN = /^commit-(\d{1,19})\.pb$/;
const GENESIS_FILE = 'genesis.json';

/**
 * Writes blocks into a new or empty directory.
 * @returns how many
 * @throws LedgerError `cli.usage`, `audit.*`
 */
export async function writeArchive(
  source: BlockSource,
  options: {
    readonly directory: string;
    readonly from: bigint;
    readonly to: bigint;
    readonly genesis: string;
  },
): Promise<number> {
  const { directory, from, to, genesis } = options;
  mkdirSync(directory, { recursive: true });
  if (readdirSync(directory).length > 0)
    throw usageError(`--output ${directory}: the directory is not empty`);
  writeFileSync(join(directory, GENESIS_FILE), genesis);
  const out = new BlockFiles(directory);
  let count = 0;
  try {
    for await (const { block, commit } of decidedBlocks(source, { from, to })) {
      out.write(block);
      count++;
      if (block.header.height === to) writeFileSync(join(directory, `commit-${to}.pb`), encodeCommit(commit));
    }
  } finally {
    out.close();
  }
  return count;
}

/** Appends blocks to files of a size. */
class BlockFiles {
  readonly #directory: string;
  #file: number | undefined;
  #bytes = 0;

  constructor(directory: string) {
    this.#directory = directory;
  }

  write(block: Block): void {
    const bytes = encodeBlock(block);
    if (this.#bytes >= FILE_BYTES) this.close();
    this.#file ??= openSync(join(this.#directory, `blocks-${block.header.height}.pb`), 'wx');
    const length = new Uint8Array(uvarintLength(bytes.length));
    writeUvarint(length, 0, bytes.length);
    this.#bytes += writeAll(this.#file, length) + writeAll(this.#file, bytes);
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
    this.#bytes = 0;
  }
}

function writeAll(file: number, bytes: Uint8Array): number {
  for (let written = 0; written < bytes.length; ) written += writeSync(file, bytes, written);
  return bytes.length;
}

/** A file in memory: where each block is. */
interface LoadedFile {
  readonly first: bigint;
  readonly bytes: Uint8Array;
  /** Start and end of each block. */
  readonly places: readonly (readonly [number, number])[];
}

/** The blocks of such a directory. @throws LedgerError `cli.usage` when there are none in it */
export function archiveSource(directory: string): BlockSource {
  if (!existsSync(directory)) throw usageError(`--blocks ${directory}: there is no such directory`);
  const names = readdirSync(directory);
  const firsts = heightsIn(names, BLOCKS_PATTERN);
  const [base] = firsts;
  const last = firsts.at(-1);
  if (base === undefined || last === undefined)
    throw usageError(`--blocks ${directory}: it holds no blocks; make it with "audit export"`);
  let loaded: LoadedFile | undefined;
  const fileOf = (height: bigint): LoadedFile => {
    const first = firsts.findLast((each) => each <= height) ?? base;
    if (loaded?.first !== first) loaded = loadFile(directory, first);
    return loaded;
  };
  const end = fileOf(last);
  const range = { base, height: last + BigInt(end.places.length) - 1n };
  return {
    name: directory,
    range: async () => range,
    block: async (height) => {
      const { first, bytes, places } = fileOf(height);
      const place = places[Number(height - first)];
      if (height < base || place === undefined) throw blockMissing(directory, height);
      return decodeBlock(bytes.subarray(...place));
    },
    lastCommit: async (height) =>
      heightsIn(names, COMMIT_PATTERN).includes(height)
        ? decodeCommit(readFileSync(join(directory, `commit-${height}.pb`)))
        : undefined,
    results: async () => undefined,
    appHash: async () => undefined,
    genesis: async () =>
      names.includes(GENESIS_FILE) ? readFileSync(join(directory, GENESIS_FILE), 'utf8') : undefined,
    close: async () => undefined,
  };
}

function heightsIn(names: readonly string[], pattern: RegExp): readonly bigint[] {
  const heights = names.flatMap((name) => {
    const text = pattern.exec(name)?.[1];
    return text === undefined ? [] : [BigInt(text)];
  });
  return heights.sort((a, b) => (a < b ? -1 : 1));
}

/** @throws LedgerError `audit.archive` when the file is cut short or no such file */
function loadFile(directory: string, first: bigint): LoadedFile {
  const path = join(directory, `blocks-${first}.pb`);
  const bytes = new Uint8Array(readFileSync(path));
  const places: (readonly [number, number])[] = [];
  try {
    for (let at = 0; at < bytes.length; ) {
      const { value, next } = readUvarint(bytes, at);
      const length = Number(value);
      if (length > BLOCK_BYTES_MAX || next + length > bytes.length)
        throw new DecodeError('a block is cut short', { at });
      places.push([next, next + length]);
      at = next + length;
    }
  } catch (cause) {
    throw new LedgerError(
      'audit.archive',
      `${path} is damaged behind block ${first + BigInt(places.length) - 1n}; export it again`,
      {},
      cause,
    );
  }
  return { first, bytes, places };
}
