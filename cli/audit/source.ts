/** Where an audit gets its blocks. Nothing that a source says is believed. */
import type { Block } from '../../consensus/types/block.ts';
import type { Commit } from '../../consensus/types/commit.ts';
import type { DeterministicResult } from '../../consensus/types/results.ts';
import { LedgerError, messageOf } from '../../core/errors.ts';
import { AuditDifference } from './difference.ts';

/** Blocks ahead of the replay: reading them and executing go on at the same time. */
const AHEAD_BLOCKS = 8;

/** Lowest and highest height that a source has. */
export interface SourceRange {
  readonly base: bigint;
  readonly height: bigint;
}

/** A source of blocks. */
export interface BlockSource {
  /** For people: a directory or a URL. */
  readonly name: string;
  /** Asked again, it may have grown. */
  range(): Promise<SourceRange>;
  /** @throws LedgerError `audit.block_missing`; DecodeError when what is there is no well-formed block */
  block(height: bigint): Promise<Block>;
  /** The precommits that decided the highest block, which no block holds yet. Undefined when it has none. */
  lastCommit(height: bigint): Promise<Commit | undefined>;
  /** What its node answered to the transactions of a block, to name one that differs. Undefined: unknown. */
  results(height: bigint): Promise<readonly DeterministicResult[] | undefined>;
  /** The app hash that its node has after a block. Undefined: unknown. */
  appHash(height: bigint): Promise<Uint8Array | undefined>;
  /** The text of the genesis document. Undefined when it has none. */
  genesis(): Promise<string | undefined>;
  close(): Promise<void>;
}

/** A block with the precommits that decided it. */
export interface DecidedBlock {
  readonly block: Block;
  readonly commit: Commit;
}

/** @returns the error for a block that a source does not have */
export function blockMissing(name: string, height: bigint): LedgerError {
  return new LedgerError('audit.block_missing', `${name} does not have block ${height}`, { height });
}

/** Blocks in their order, read ahead. @throws LedgerError as `BlockSource.block`; AuditDifference */
export async function* decidedBlocks(
  source: BlockSource,
  { from, to }: { readonly from: bigint; readonly to: bigint },
): AsyncGenerator<DecidedBlock> {
  const { height: highest } = await source.range();
  const ahead = new ReadAhead(source, highest);
  for (let height = from; height <= to; height++) {
    const block = await ahead.block(height);
    const commit =
      height < highest ? (await ahead.block(height + 1n)).lastCommit : await source.lastCommit(height);
    if (commit === undefined)
      throw new LedgerError(
        'audit.commit_missing',
        `${source.name} has no precommits for block ${height}, its last one: audit to ${height - 1n}`,
        { height },
      );
    yield { block, commit };
  }
}

/** Asks for the next blocks before they are needed; holds no more than those. */
class ReadAhead {
  readonly #source: BlockSource;
  readonly #highest: bigint;
  readonly #asked = new Map<bigint, Promise<Block>>();
  #next = 0n;

  constructor(source: BlockSource, highest: bigint) {
    this.#source = source;
    this.#highest = highest;
  }

  block(height: bigint): Promise<Block> {
    if (this.#next < height) this.#next = height;
    for (const old of this.#asked.keys()) if (old < height - 1n) this.#asked.delete(old);
    while (this.#asked.size < AHEAD_BLOCKS && this.#next <= this.#highest) {
      const asked = readBlock(this.#source, this.#next);
      asked.catch(() => undefined); // told when its turn comes
      this.#asked.set(this.#next++, asked);
    }
    return this.#asked.get(height) ?? readBlock(this.#source, height);
  }
}

/** @throws AuditDifference when what is there is no block of that height */
export async function readBlock(source: BlockSource, height: bigint): Promise<Block> {
  let block: Block;
  try {
    block = await source.block(height);
  } catch (error) {
    if (!(error instanceof LedgerError) || error.code !== 'decode') throw error;
    const replay = 'only well-formed blocks can be executed';
    throw new AuditDifference({ height, what: 'block', chain: messageOf(error), replay }, error);
  }
  const { height: at } = block.header;
  if (at === height) return block;
  throw new AuditDifference({ height, what: 'height', chain: at.toString(), replay: height.toString() });
}
