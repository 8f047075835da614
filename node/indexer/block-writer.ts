/** Writes the index entries of a committed block, in pieces between which the event loop gets its turn. */
import { fromHex, fromUint64BigEndian, uint64BigEndian } from '../../core/bytes.ts';
import { type Event, TxResult } from '../../proto/gen/tendermint/abci/types.ts';
import type { CommittedBlock } from '../committed-block.ts';
import { TX_HASH_KEY, TX_HEIGHT_KEY } from '../events.ts';
import {
  BLOCK_LAYOUT,
  eventKeyOf,
  eventPrefix,
  type IndexLayout,
  itemOf,
  LAST_HEIGHT_KEY,
  primaryKey,
  TX_LAYOUT,
  txKeyBytes,
} from './keys.ts';
import type { IndexDatabase, IndexWrite } from './ports.ts';

/** Transactions per write: a few milliseconds of work. */
const TXS_PER_WRITE = 100;
/** Entries of attributes per write. */
const ENTRIES_PER_WRITE = 1000;

const NOTHING = new Uint8Array(0);
const CODE_OK = 0;

/** A block's transactions by name, with their results. */
export type IndexedTxs = ReadonlyMap<string, TxResult>;

/** Writes blocks. Writing one again changes nothing. */
export class BlockWriter {
  readonly #database: IndexDatabase;
  readonly #valueBytesMax: number;
  /** A block could not be written: the mark stays below it, so that the next start writes it again. */
  #gap = false;

  constructor(database: IndexDatabase, valueBytesMax: number) {
    this.#database = database;
    this.#valueBytesMax = valueBytesMax;
  }

  /** The last height that is wholly written; 0n in a new index. */
  async lastHeight(): Promise<bigint> {
    const bytes = await this.#database.get(LAST_HEIGHT_KEY);
    return bytes === undefined ? 0n : fromUint64BigEndian(bytes);
  }

  async write(committed: CommittedBlock, txs: IndexedTxs): Promise<void> {
    try {
      await this.#write(committed, txs);
    } catch (error) {
      this.#gap = true;
      throw error;
    }
  }

  async #write(committed: CommittedBlock, txs: IndexedTxs): Promise<void> {
    const height = itemOf(committed.height);
    const ofTxs = new Occurrences(TX_LAYOUT, this.#valueBytesMax);
    const ofBlock = new Occurrences(BLOCK_LAYOUT, this.#valueBytesMax);
    let writes: IndexWrite[] = [];
    let count = 0;
    for (const [key, result] of txs) {
      ofTxs.add(result.index, result.result.events);
      await this.#addTx(writes, key, result);
      if (++count % TXS_PER_WRITE === 0) {
        await this.#database.write(writes);
        writes = [];
      }
    }
    ofBlock.add(undefined, committed.results.events);
    for (const occurrences of [ofTxs, ofBlock]) {
      for (const write of occurrences.writes(height)) {
        writes.push(write);
        if (writes.length < ENTRIES_PER_WRITE) continue;
        await this.#database.write(writes);
        writes = [];
      }
    }
    writes.push({ key: primaryKey(BLOCK_LAYOUT, height), value: NOTHING });
    if (!this.#gap) writes.push({ key: LAST_HEIGHT_KEY, value: uint64BigEndian(committed.height) });
    await this.#database.write(writes);
  }

  async #addTx(writes: IndexWrite[], key: string, result: TxResult): Promise<void> {
    const hash = fromHex(key);
    writes.push({ key: primaryKey(TX_LAYOUT, itemOf(result.height, result.index)), value: hash });
    if (result.result.code !== CODE_OK && (await this.#hasSucceeded(hash))) return;
    writes.push({ key: txKeyBytes(hash), value: TxResult.encode(result) });
  }

  /** The same bytes may fail in a later block; who asks by hash wants to hear that they succeeded. */
  async #hasSucceeded(hash: Uint8Array): Promise<boolean> {
    const bytes = await this.#database.get(txKeyBytes(hash));
    return bytes !== undefined && TxResult.decode(bytes).result.code === CODE_OK;
  }
}

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
