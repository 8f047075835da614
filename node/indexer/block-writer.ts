/** Writes the index entries of a committed block, in pieces between which the event loop gets its turn. */
import { concatBytes, fromUint64BigEndian } from '../../core/bytes.ts';
import { LedgerError } from '../../core/errors.ts';
import { txHash } from '../../core/tx-hash.ts';
import type { Event } from '../../proto/gen/tendermint/abci/types.ts';
import type { CommittedBlock } from '../committed-block.ts';
import { TX_HASH_KEY, TX_HEIGHT_KEY } from '../events.ts';
import {
  ALL_ENTRIES,
  BLOCK_LAYOUT,
  eventKeyOf,
  eventPrefix,
  HEIGHT_BYTES,
  heightOfEntry,
  heightOfItem,
  INDEX_FORMAT,
  type IndexLayout,
  indexOfItem,
  itemOf,
  LAST_HEIGHT_KEY,
  primaryKey,
  TX_LAYOUT,
  txKeyBytes,
} from './keys.ts';
import type { IndexDatabase, IndexedBlocks, IndexEntry, IndexRange, IndexWrite } from './ports.ts';
import { encodeTxPlaces } from './tx-places.ts';

/** Entries per write: a few milliseconds of work. */
const ENTRIES_PER_WRITE = 1000;
const FORMAT: Uint8Array = Uint8Array.of(INDEX_FORMAT);

const NOTHING = new Uint8Array(0);
const CODE_OK = 0;

/** Writes blocks. Writing one again changes nothing. */
export class BlockWriter {
  readonly #database: IndexDatabase;
  readonly #blocks: IndexedBlocks;
  readonly #valueBytesMax: number;
  /** A block could not be written: the mark stays below it, so that the next start writes it again. */
  #gap = false;

  constructor(database: IndexDatabase, blocks: IndexedBlocks, valueBytesMax: number) {
    this.#database = database;
    this.#blocks = blocks;
    this.#valueBytesMax = valueBytesMax;
  }

  /**
   * The last height that is wholly written; 0n in a new index.
   * @throws LedgerError `index.format` when another version of the program wrote it
   */
  async lastHeight(): Promise<bigint> {
    const bytes = await this.#database.get(LAST_HEIGHT_KEY);
    if (bytes === undefined) return 0n;
    if (bytes.length === FORMAT.length + HEIGHT_BYTES && bytes[0] === INDEX_FORMAT)
      return fromUint64BigEndian(bytes.subarray(FORMAT.length));
    throw new LedgerError(
      'index.format',
      'the transaction index (tx_index.db) was written by another version of this program, in another format: ' +
        'delete its directory, it is rebuilt from the blocks',
    );
  }

  /** Writes blocks that follow one another. Only the last one may have transactions. */
  async write(...blocks: readonly CommittedBlock[]): Promise<void> {
    try {
      let writes: IndexWrite[] = [];
      for (const committed of blocks) writes = await this.#write(committed, writes);
      await this.#flush(writes);
    } catch (error) {
      this.#gap = true;
      throw error;
    }
  }

  /** Deletes the entries of a block that was written. Those that another block has taken over stay. */
  async remove({ height, block, results }: CommittedBlock): Promise<void> {
    const item = itemOf(height);
    const keys: Uint8Array[] = [primaryKey(TX_LAYOUT, item)];
    for (const tx of block.txs) {
      const key = txKeyBytes(txHash(tx));
      const found = await this.#database.get(key);
      if (found !== undefined && heightOfItem(found) === height) keys.push(key);
    }
    for (const occurrences of this.#occurrences(results)) {
      for (const { key } of occurrences.writes(item)) keys.push(key);
    }
    keys.push(primaryKey(BLOCK_LAYOUT, item)); // last: by it `removeBelow` finds what was not removed
    for (let start = 0; start < keys.length; start += ENTRIES_PER_WRITE) {
      const batch = keys.slice(start, start + ENTRIES_PER_WRITE);
      await this.#database.write(batch.map((key) => ({ key, value: undefined })));
    }
  }

  /**
   * Deletes the entries of blocks below a height, without the blocks: they were deleted while the index was
   * not written, or could not be. Reads the whole index if there are such entries. Returns how many went.
   */
  async removeBelow(height: bigint): Promise<number> {
    const lists = {
      start: primaryKey(BLOCK_LAYOUT, itemOf(0n)),
      end: primaryKey(BLOCK_LAYOUT, itemOf(height)),
    };
    let removed = 0;
    for await (const _ of this.#database.entries(lists)) {
      removed += await this.#removeAll(
        ALL_ENTRIES,
        (entry) => heightOfEntry(entry) < height && !isList(entry),
      );
      removed += await this.#removeAll(lists, () => true);
      break;
    }
    return removed;
  }

  async #removeAll(range: IndexRange, isRemoved: (entry: IndexEntry) => boolean): Promise<number> {
    let removed = 0;
    let writes: IndexWrite[] = [];
    for await (const entry of this.#database.entries(range)) {
      if (!isRemoved(entry)) continue;
      removed++;
      writes.push({ key: entry[0], value: undefined });
      if (writes.length >= ENTRIES_PER_WRITE) writes = await this.#flush(writes);
    }
    await this.#flush(writes);
    return removed;
  }

  #occurrences(results: CommittedBlock['results']): readonly Occurrences[] {
    const ofTxs = new Occurrences(TX_LAYOUT, this.#valueBytesMax);
    const ofBlock = new Occurrences(BLOCK_LAYOUT, this.#valueBytesMax);
    for (const [index, { events }] of results.txResults.entries()) ofTxs.add(index, events);
    ofBlock.add(undefined, results.events);
    return [ofTxs, ofBlock];
  }

  /** Returns what is still to be written. */
  async #write(committed: CommittedBlock, waiting: IndexWrite[]): Promise<IndexWrite[]> {
    const { block, results } = committed;
    const height = itemOf(committed.height);
    let writes = waiting;
    for (const [index, tx] of block.txs.entries()) {
      const result = results.txResults[index];
      if (result === undefined) continue;
      const key = txKeyBytes(txHash(tx));
      const hidesSuccess = result.code !== CODE_OK && (await this.#hasSucceeded(key));
      if (!hidesSuccess) writes.push({ key, value: itemOf(committed.height, index) });
      if (writes.length >= ENTRIES_PER_WRITE) writes = await this.#flush(writes);
    }
    for (const occurrences of this.#occurrences(results)) {
      for (const write of occurrences.writes(height)) {
        writes.push(write);
        if (writes.length >= ENTRIES_PER_WRITE) writes = await this.#flush(writes);
      }
    }
    if (block.txs.length > 0)
      writes.push({ key: primaryKey(TX_LAYOUT, height), value: encodeTxPlaces(block) });
    writes.push({ key: primaryKey(BLOCK_LAYOUT, height), value: NOTHING });
    if (!this.#gap) writes.push({ key: LAST_HEIGHT_KEY, value: concatBytes(FORMAT, height) });
    return writes;
  }

  /** Writes, and returns a list for the next ones. */
  async #flush(writes: readonly IndexWrite[]): Promise<IndexWrite[]> {
    await this.#database.write(writes);
    return [];
  }

  /** The same bytes may fail in a later block; who asks by hash wants to hear that they succeeded. */
  async #hasSucceeded(key: Uint8Array): Promise<boolean> {
    const item = await this.#database.get(key);
    return (
      item !== undefined && this.#blocks.txResult(heightOfItem(item), indexOfItem(item))?.code === CODE_OK
    );
  }
}

const isList = ([key]: IndexEntry): boolean => key[0] === BLOCK_LAYOUT.primary;

/** A tag in a block: where each of its values occurs. */
interface Tag {
  readonly name: string;
  /** Names that the index answers by itself: events may not take them. */
  readonly isReserved: boolean;
  /** Value → numbers of transactions and events, or of events alone, as the entry will hold them. */
  readonly values: Map<string, number[]>;
}

/** Where the attributes of a block's transactions, or of the block itself, occur. */
class Occurrences {
  readonly #layout: IndexLayout;
  readonly #valueBytesMax: number;
  /**
   * Type of event → key of attribute: nested, because joining them for each attribute would cost more than
   * the rest.
   */
  readonly #types = new Map<string, Map<string, Tag>>();
  /** Type `a` with key `b.c` and type `a.b` with key `c` are one tag. */
  readonly #tags = new Map<string, Tag>();

  constructor(layout: IndexLayout, valueBytesMax: number) {
    this.#layout = layout;
    this.#valueBytesMax = valueBytesMax;
  }

  /** Adds the events of the transaction at `index`, or those of the block. */
  add(index: number | undefined, events: readonly Event[]): void {
    for (const [number, { type, attributes }] of events.entries()) {
      if (type === '') continue;
      for (const { key, value, index: isIndexed } of attributes) {
        if (!isIndexed || key === '' || value.length > this.#valueBytesMax) continue;
        const { isReserved, values } = this.#tag(type, key);
        if (isReserved) continue;
        let numbers = values.get(value);
        if (numbers === undefined) {
          numbers = [];
          values.set(value, numbers);
        }
        if (index !== undefined) numbers.push(index);
        numbers.push(number);
      }
    }
  }

  /** The entries, made one at a time. */
  *writes(height: Uint8Array): Generator<IndexWrite> {
    for (const { name, values } of this.#tags.values()) {
      const prefix = eventPrefix(this.#layout, name);
      for (const [value, numbers] of values) {
        const bytes = Buffer.allocUnsafe(4 * numbers.length);
        let end = 0;
        for (const number of numbers) end = bytes.writeUInt32BE(number, end);
        yield { key: eventKeyOf(prefix, value, height), value: bytes };
      }
    }
  }

  #tag(type: string, key: string): Tag {
    let keys = this.#types.get(type);
    if (keys === undefined) {
      keys = new Map();
      this.#types.set(type, keys);
    }
    let tag = keys.get(key);
    if (tag === undefined) {
      const name = `${type}.${key}`;
      const isReserved = name === TX_HASH_KEY || name === TX_HEIGHT_KEY;
      tag = this.#tags.get(name) ?? { name, isReserved, values: new Map() };
      this.#tags.set(name, tag);
      keys.set(key, tag);
    }
    return tag;
  }
}
