/**
 * Committed blocks on disk: parts with their proofs, meta data, and the commits for them, by height, and
 * heights by block hash. A block is written in one synced batch, so it is there as a whole or not at all.
 * Reads are synchronous and take some microseconds.
 */
import type { BlockId } from '../../consensus/types/block-id.ts';
import { type Commit, decodeCommit, encodeCommit } from '../../consensus/types/commit.ts';
import type { Header } from '../../consensus/types/header.ts';
import { BLOCK_PART_BYTES } from '../../consensus/types/limits.ts';
import { decodePart, encodePart, type Part } from '../../consensus/types/part-set.ts';
import { concatBytes, fromUint64BigEndian, uint64BigEndian } from '../../core/bytes.ts';
import { assert, LedgerError, messageOf } from '../../core/errors.ts';
import { BlockMeta } from '../../proto/gen/tendermint/types/types.ts';
import { openChecked } from '../checked-database.ts';
import { isOfRecords, SYNC_AGAIN } from '../checksum.ts';
import { type Database, type DatabaseBatch, type OpenDatabase, openLevelDatabase } from '../database.ts';
import { commitKey, hashKey, HEADERS_KEY, metaKey, partKey, RANGE_KEY, seenCommitKey } from './keys.ts';

/** Blocks deleted in one batch when pruning. */
const PRUNE_BATCH_BLOCKS = 100;

/** A block to store, with what belongs to it. */
export interface BlockToStore {
  readonly meta: BlockMeta;
  readonly parts: readonly Part[];
  /** The commit for the height before, from this block; undefined at the first height. */
  readonly lastCommit: Commit | undefined;
  /** The precommits that this node saw decide the block. */
  readonly seenCommit: Commit;
}

/** Lowest and highest stored height; both 0n when there is none. */
export interface HeightRange {
  readonly base: bigint;
  readonly height: bigint;
}

/** A node's block store. One writer. */
export class BlockStore {
  readonly #database: Database;
  #range: HeightRange;
  /** The lowest height with at least a header; 0n: there are no headers below the lowest block. */
  #headersFrom: bigint;

  private constructor(database: Database, range: HeightRange) {
    this.#database = database;
    this.#range = range;
    const bytes = database.getSync(HEADERS_KEY);
    this.#headersFrom = bytes === undefined ? 0n : fromUint64BigEndian(bytes);
  }

  /**
   * Opens or makes the store in a directory of its own.
   * @throws LedgerError `blockstore.open` when another process has it or its files are damaged,
   * `database.format` and `database.corrupt`: see `node/checksum.ts`. Every method throws the latter
   */
  static async open(directory: string, openDatabase: OpenDatabase = openLevelDatabase): Promise<BlockStore> {
    const place = { directory, repair: SYNC_AGAIN, witnesses: [RANGE_KEY] };
    let database: Database | undefined;
    try {
      database = await openChecked(place, openDatabase);
      return new BlockStore(database, readRange(database));
    } catch (cause) {
      await database?.close();
      if (isOfRecords(cause)) throw cause;
      throw new LedgerError(
        'blockstore.open',
        `cannot open the block store ${directory}: ${reasonOf(cause)}. Is another node running on this home? If its ` +
          'files are damaged, restore them from a copy, or delete all in the data ' +
          'directory but priv_validator_state.json and sync again.',
        { directory },
        cause,
      );
    }
  }

  /** Lowest and highest stored height. */
  range(): HeightRange {
    return this.#range;
  }

  /** Lowest height with a header and its commit: below the lowest block after a state sync. */
  headersFrom(): bigint {
    return this.#headersFrom === 0n ? this.#range.base : this.#headersFrom;
  }

  /** Writes header and commit of the height below all that are here. Durable with the next `sync`. */
  async saveHeader(header: Header, commit: Commit): Promise<void> {
    const { height } = header;
    assert(height + 1n === this.headersFrom(), 'headers are stored from the top down', { height });
    const batch = this.#database.batch();
    batch.put(
      metaKey(height),
      BlockMeta.encode({ blockId: commit.blockId, blockSize: 0n, header, numTxs: 0n }),
    );
    batch.put(commitKey(height), encodeCommit(commit));
    batch.put(HEADERS_KEY, uint64BigEndian(height));
    await batch.write();
    this.#headersFrom = height;
  }

  /** Resolves when all that was written is durable. */
  async sync(): Promise<void> {
    const batch = this.#database.batch();
    batch.put(RANGE_KEY, encodeRange(this.#range));
    await batch.write({ sync: true });
  }

  /** Writes a block durably. Its height follows the highest one, unless the store is empty. */
  async save(block: BlockToStore): Promise<void> {
    const { height } = block.meta.header;
    const { base, height: highest } = this.#range;
    assert(highest === 0n || height === highest + 1n, 'blocks are stored in order', { height, highest });
    const range = { base: base === 0n ? height : base, height };
    const batch = this.#database.batch();
    batch.put(metaKey(height), BlockMeta.encode(block.meta));
    batch.put(hashKey(block.meta.blockId.hash), uint64BigEndian(height));
    for (const part of block.parts) batch.put(partKey(height, part.index), encodePart(part));
    if (block.lastCommit !== undefined) batch.put(commitKey(height - 1n), encodeCommit(block.lastCommit));
    batch.put(seenCommitKey(height), encodeCommit(block.seenCommit));
    batch.put(RANGE_KEY, encodeRange(range));
    await batch.write({ sync: true });
    this.#range = range;
  }

  /** Header, id and sizes of a block. */
  meta(height: bigint): BlockMeta | undefined {
    return this.#read(metaKey(height), (bytes) => BlockMeta.decode(bytes));
  }

  /** The id of a block. */
  blockId(height: bigint): BlockId | undefined {
    return this.meta(height)?.blockId;
  }

  /** The height of the block with that header hash. */
  heightOf(hash: Uint8Array): bigint | undefined {
    return this.#read(hashKey(hash), fromUint64BigEndian);
  }

  /** One part of a block. */
  part(height: bigint, index: number): Part | undefined {
    return this.#read(partKey(height, index), decodePart);
  }

  /** The encoded block, put together from its parts. */
  blockBytes(height: bigint): Uint8Array | undefined {
    const total = this.blockId(height)?.partSetHeader.total;
    if (total === undefined) return undefined;
    const parts: Uint8Array[] = [];
    for (let index = 0; index < total; index++) {
      const part = this.part(height, index);
      if (part === undefined) return undefined;
      parts.push(part.bytes);
    }
    return concatBytes(...parts);
  }

  /**
   * Some bytes of the encoded block, from the parts that hold them. Undefined when the block is not stored,
   * or ends before.
   */
  slice(height: bigint, offset: number, length: number): Uint8Array | undefined {
    const first = Math.floor(offset / BLOCK_PART_BYTES);
    const parts: Uint8Array[] = [];
    for (let index = first; index * BLOCK_PART_BYTES < offset + length; index++) {
      const part = this.part(height, index);
      if (part === undefined) return undefined;
      parts.push(part.bytes);
    }
    const start = offset - first * BLOCK_PART_BYTES;
    const bytes = concatBytes(...parts).slice(start, start + length);
    return bytes.length === length ? bytes : undefined;
  }

  /** The commit for a height as the next block has it: the one that everybody agrees on. */
  canonicalCommit(height: bigint): Commit | undefined {
    return this.#read(commitKey(height), decodeCommit);
  }

  /** The commit for a height as this node saw it. */
  seenCommit(height: bigint): Commit | undefined {
    return this.#read(seenCommitKey(height), decodeCommit);
  }

  /**
   * The precommits that decided a height: from the next block when it is stored, else those that this node
   * saw.
   */
  commit(height: bigint): Commit | undefined {
    return this.canonicalCommit(height) ?? this.seenCommit(height);
  }

  /**
   * Deletes blocks below a height; the highest block always stays. Returns how many went. The commit for
   * the block before the new lowest one stays with it, as the lowest block's own last commit.
   */
  async prune(retainHeight: bigint): Promise<number> {
    const { height } = this.#range;
    const end = retainHeight < height ? retainHeight : height;
    let pruned = 0;
    await this.#pruneHeaders(end);
    while (this.#range.base !== 0n && this.#range.base < end) {
      const batchEnd = minimum(this.#range.base + BigInt(PRUNE_BATCH_BLOCKS), end);
      pruned += Number(batchEnd - this.#range.base);
      await this.#deleteBlocks(this.#range.base, batchEnd);
    }
    return pruned;
  }

  /** Deletes headers without a block below a height. */
  async #pruneHeaders(retainHeight: bigint): Promise<void> {
    const { base } = this.#range;
    const end = minimum(retainHeight, base);
    while (this.#headersFrom !== 0n && this.#headersFrom < end) {
      const batch = this.#database.batch();
      const batchEnd = minimum(this.#headersFrom + BigInt(PRUNE_BATCH_BLOCKS), end);
      for (let height = this.#headersFrom; height < batchEnd; height++) {
        batch.del(metaKey(height));
        batch.del(commitKey(height - 1n));
      }
      const left = batchEnd === base ? 0n : batchEnd;
      if (left === 0n) batch.del(HEADERS_KEY);
      else batch.put(HEADERS_KEY, uint64BigEndian(left));
      await batch.write();
      this.#headersFrom = left;
    }
  }

  /** Removes the highest block: for `rollback --hard` only. */
  async removeHighest(): Promise<void> {
    const { base, height } = this.#range;
    if (height === 0n) return;
    const range = base === height ? { base: 0n, height: 0n } : { base, height: height - 1n };
    const batch = this.#database.batch();
    this.#deleteBlock(batch, height);
    batch.put(RANGE_KEY, encodeRange(range));
    await batch.write({ sync: true });
    this.#range = range;
  }

  async close(): Promise<void> {
    await this.#database.close();
  }

  async #deleteBlocks(from: bigint, end: bigint): Promise<void> {
    const batch = this.#database.batch();
    for (let height = from; height < end; height++) this.#deleteBlock(batch, height);
    const before = this.#range;
    const range = { base: end, height: before.height };
    batch.put(RANGE_KEY, encodeRange(range));
    // First: who reads meanwhile must not be promised what is being deleted.
    this.#range = range;
    try {
      await batch.write();
    } catch (error) {
      this.#range = before;
      throw error;
    }
  }

  #deleteBlock(batch: DatabaseBatch, height: bigint): void {
    const meta = this.meta(height);
    if (meta === undefined) return;
    batch.del(metaKey(height));
    batch.del(hashKey(meta.blockId.hash));
    for (let index = 0; index < meta.blockId.partSetHeader.total; index++) batch.del(partKey(height, index));
    batch.del(commitKey(height - 1n));
    batch.del(seenCommitKey(height));
  }

  #read<T>(key: Uint8Array, decode: (bytes: Uint8Array) => T): T | undefined {
    const bytes = this.#database.getSync(key);
    if (bytes === undefined) return undefined;
    try {
      return decode(bytes);
    } catch (cause) {
      throw new LedgerError(
        'blockstore.corrupt',
        `the block store holds bytes that cannot be read (${messageOf(cause)}); restore the data directory from a copy, ` +
          'or delete it and sync again',
        {},
        cause,
      );
    }
  }
}

function encodeRange(range: HeightRange): Uint8Array {
  return concatBytes(uint64BigEndian(range.base), uint64BigEndian(range.height));
}

function readRange(database: Database): HeightRange {
  const bytes = database.getSync(RANGE_KEY);
  if (bytes === undefined) return { base: 0n, height: 0n };
  return {
    base: fromUint64BigEndian(bytes.subarray(0, 8)),
    height: fromUint64BigEndian(bytes.subarray(8)),
  };
}

function minimum(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

/** LevelDB says what happened in the cause of the error. */
function reasonOf(error: unknown): string {
  const inner = error instanceof Error && error.cause !== undefined ? error.cause : error;
  return messageOf(inner);
}
