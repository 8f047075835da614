/** Writes the index entries of a committed block, in pieces between which the event loop gets its turn. */
import { fromHex, fromUint64BigEndian, uint64BigEndian } from '../../core/bytes.ts';
import { type Event, TxResult } from '../../proto/gen/tendermint/abci/types.ts';
import type { CommittedBlock } from '../committed-block.ts';
import { TX_HASH_KEY, TX_HEIGHT_KEY } from '../events.ts';
import {
  BLOCK_LAYOUT,
  eventKey,
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
    let writes: IndexWrite[] = [];
    let prefixes = new Map<string, Uint8Array>();
    let count = 0;
    for (const [key, result] of txs) {
      await this.#addTx(writes, prefixes, { key, result });
      if (++count % TXS_PER_WRITE === 0) {
        await this.#database.write(writes);
        writes = [];
        prefixes = new Map();
      }
    }
    const item = itemOf(committed.height);
    writes.push({ key: primaryKey(BLOCK_LAYOUT, item), value: NOTHING });
    this.#addEvents(writes, prefixes, { layout: BLOCK_LAYOUT, item, events: committed.results.events });
    if (!this.#gap) writes.push({ key: LAST_HEIGHT_KEY, value: uint64BigEndian(committed.height) });
    await this.#database.write(writes);
  }

  async #addTx(
    writes: IndexWrite[],
    prefixes: Map<string, Uint8Array>,
    tx: { readonly key: string; readonly result: TxResult },
  ): Promise<void> {
    const { result } = tx;
    const hash = fromHex(tx.key);
    const item = itemOf(result.height, result.index);
    writes.push({ key: primaryKey(TX_LAYOUT, item), value: hash });
    this.#addEvents(writes, prefixes, { layout: TX_LAYOUT, item, events: result.result.events });
    if (result.result.code !== CODE_OK && (await this.#hasSucceeded(hash))) return;
    writes.push({ key: txKeyBytes(hash), value: TxResult.encode(result) });
  }

  /** The same bytes may fail in a later block; who asks by hash wants to hear that they succeeded. */
  async #hasSucceeded(hash: Uint8Array): Promise<boolean> {
    const bytes = await this.#database.get(txKeyBytes(hash));
    return bytes !== undefined && TxResult.decode(bytes).result.code === CODE_OK;
  }

  #addEvents(
    writes: IndexWrite[],
    prefixes: Map<string, Uint8Array>,
    of: { readonly layout: IndexLayout; readonly item: Uint8Array; readonly events: readonly Event[] },
  ): void {
    of.events.forEach(({ type, attributes }, number) => {
      if (type === '') return;
      for (const { key, value, index } of attributes) {
        const tag = `${type}.${key}`;
        if (!index || key === '' || tag === TX_HASH_KEY || tag === TX_HEIGHT_KEY) continue;
        if (value.length > this.#valueBytesMax) continue;
        const name = `${of.layout.event}\0${tag}\0${value}`;
        let prefix = prefixes.get(name);
        if (prefix === undefined) {
          prefix = eventPrefix(of.layout, tag, value);
          prefixes.set(name, prefix);
        }
        writes.push({ key: eventKey(prefix, of.item, number), value: NOTHING });
      }
    });
  }
}
