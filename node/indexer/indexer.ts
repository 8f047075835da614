/**
 * The index of transactions and block events. A committed transaction is found at once: what is not written
 * yet is answered from memory, and searches wait for it.
 */
import { fromHex, toUpperHex } from '../../core/bytes.ts';
import { LedgerError, messageOf } from '../../core/errors.ts';
import { Turns } from '../../core/turns.ts';
import type { TxResult } from '../../proto/gen/tendermint/abci/types.ts';
import type { CommittedBlock } from '../committed-block.ts';
import { TX_HASH_KEY } from '../events.ts';
import type { Query } from '../query.ts';
import { txKey } from '../tx-key.ts';
import { BlockWriter } from './block-writer.ts';
import type { IndexerConfig } from './config.ts';
import {
  BLOCK_LAYOUT,
  HEIGHT_BYTES,
  heightOfItem,
  type IndexLayout,
  indexOfItem,
  primaryKey,
  TX_LAYOUT,
  txKeyBytes,
} from './keys.ts';
import type { IndexDatabase, IndexedBlocks, IndexerLogger } from './ports.ts';
import { type FoundItems, searchIndex } from './search.ts';
import { txPlaceAt } from './tx-places.ts';

const CODE_OK = 0;

/** A search: which page is wanted is decided when the total is known. */
export interface SearchRequest {
  readonly query: Query;
  readonly order: 'asc' | 'desc';
  readonly page: (total: number) => { readonly skip: number; readonly take: number };
}

/** One page of what was found, and how many there are in all. */
export interface SearchPage<T> {
  readonly items: readonly T[];
  readonly total: number;
}

/** What the indexer is joined to. */
export interface IndexerPorts {
  readonly database: IndexDatabase;
  readonly blocks: IndexedBlocks;
  readonly logger: IndexerLogger;
}

/** Blocks to index again after a start: those that were committed, but not written here. */
export interface CommittedBlocks {
  readonly base: bigint;
  readonly height: bigint;
  /** Undefined when the block or its results are not stored any more. */
  readonly block: (height: bigint) => CommittedBlock | undefined;
}

/** The indexer. */
export class Indexer {
  readonly #database: IndexDatabase;
  readonly #blocks: IndexedBlocks;
  readonly #logger: IndexerLogger;
  readonly #config: IndexerConfig;
  readonly #writer: BlockWriter;
  readonly #turns: Turns;
  /** Committed blocks that are not wholly written yet, oldest first. */
  readonly #unwritten = new Set<UnwrittenBlock>();
  #writing: Promise<void> = Promise.resolve();

  constructor(ports: IndexerPorts, config: IndexerConfig) {
    this.#database = ports.database;
    this.#blocks = ports.blocks;
    this.#logger = ports.logger;
    this.#config = config;
    this.#writer = new BlockWriter(ports.database, ports.blocks, config.valueBytesMax);
    this.#turns = new Turns({ runningMax: config.searchesMax, waitingMax: config.searchesWaitingMax });
  }

  /** Indexes a block. Resolves before it is on disk, unless the disk falls behind. */
  async onCommit(committed: CommittedBlock): Promise<void> {
    const unwritten = new UnwrittenBlock(committed);
    this.#unwritten.add(unwritten);
    this.#writing = this.#writing.then(() => this.#writeNext());
    if (this.#unwritten.size > this.#config.unwrittenBlocksMax) await this.#writing;
  }

  /**
   * Indexes what was committed while this index was not written (after a crash, when it was deleted, or not
   * wanted), and forgets blocks that were deleted then.
   */
  async catchUp(blocks: CommittedBlocks): Promise<void> {
    let next = (await this.#writer.lastHeight()) + 1n;
    const removed = await this.#writer.removeBelow(blocks.base);
    if (removed > 0) this.#logger.debug({ below: blocks.base, removed }, 'entries of deleted blocks removed');
    if (next < blocks.base) next = blocks.base;
    for (; next <= blocks.height; next++) {
      const committed = blocks.block(next);
      if (committed !== undefined) await this.#writer.write(committed);
    }
  }

  /**
   * Forgets blocks from `base` up to below `end`, which are about to be deleted: their entries are made again
   * from them. What cannot be forgotten stays until the next start.
   */
  async prune(blocks: Pick<CommittedBlocks, 'base' | 'block'> & { readonly end: bigint }): Promise<void> {
    this.#writing = this.#writing.then(async () => {
      try {
        for (let height = blocks.base; height < blocks.end; height++) {
          const committed = blocks.block(height);
          if (committed !== undefined) await this.#writer.remove(committed);
        }
      } catch (error) {
        this.#logger.error({ height: blocks.end, error: messageOf(error) }, 'index entries stay');
      }
    });
    await this.#writing;
  }

  /** A transaction by its name; undefined when it is in no block. */
  async get(key: string): Promise<TxResult | undefined> {
    let failed: TxResult | undefined;
    for (const block of this.#unwritten) {
      const found = block.get(key);
      if (found?.result.code === CODE_OK) return found;
      failed = found ?? failed;
    }
    const item = await this.#database.get(txKeyBytes(fromHex(key)));
    const read = item === undefined ? undefined : this.#read(item, await this.#places(item));
    // Another name: blocks were removed and decided anew below this index.
    const written = read !== undefined && txKey(read.tx) === key ? read : undefined;
    // The same bytes may fail in a later block; who asks by hash wants to hear that they succeeded.
    return written?.result.code === CODE_OK ? written : (failed ?? written);
  }

  /** @throws LedgerError `index.query_too_costly`, `index.busy` or `index.hash` */
  async searchTxs(request: SearchRequest): Promise<SearchPage<TxResult>> {
    const byHash = request.query.conditions.find((condition) => condition.tag === TX_HASH_KEY);
    if (byHash !== undefined) {
      const text = byHash.operator === 'EXISTS' ? '' : byHash.value.text;
      const result = await this.get(hashOfQuery(text));
      const found = result === undefined ? [] : [result];
      const { skip, take } = request.page(found.length);
      return { items: found.slice(skip, skip + take), total: found.length };
    }
    const { items, total } = await this.#search(TX_LAYOUT, request);
    const results = await this.#readAll(items);
    return { items: results.filter((result) => result !== undefined), total };
  }

  /** Heights of blocks. @throws LedgerError `index.query_too_costly` or `index.busy` */
  async searchBlocks(request: SearchRequest): Promise<SearchPage<bigint>> {
    const { items, total } = await this.#search(BLOCK_LAYOUT, request);
    return { items: items.map(heightOfItem), total };
  }

  /** Writes what is not written yet and closes the database. */
  async close(): Promise<void> {
    await this.#writing;
    await this.#database.close();
  }

  /** Writes the oldest block; with it those after it, up to the first that has transactions. */
  async #writeNext(): Promise<void> {
    const taken: UnwrittenBlock[] = [];
    for (const unwritten of this.#unwritten) {
      taken.push(unwritten);
      if (unwritten.committed.block.txs.length > 0) break;
    }
    const [first] = taken;
    if (first === undefined) return; // written with one before
    try {
      await this.#writer.write(...taken.map(({ committed }) => committed));
    } catch (error) {
      // The chain goes on without its index; the next start indexes the blocks again.
      const facts = { height: first.committed.height, blocks: taken.length, error: messageOf(error) };
      this.#logger.error(facts, 'blocks could not be indexed');
    } finally {
      for (const unwritten of taken) this.#unwritten.delete(unwritten);
    }
  }

  async #search(layout: IndexLayout, request: SearchRequest): Promise<SearchPage<Uint8Array>> {
    await this.#turn();
    try {
      await this.#writing;
      const { query } = request;
      const found = await searchIndex(this.#database, layout, {
        query,
        entriesMax: this.#config.searchEntriesMax,
      });
      const { skip, take } = request.page(found.length);
      return { items: pageOf(found, request.order, { skip, take }), total: found.length };
    } finally {
      this.#turns.leave();
    }
  }

  /** Resolves when it is a search's turn. */
  async #turn(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      if (!this.#turns.enter(resolve))
        reject(new LedgerError('index.busy', 'too many searches are waiting, try again later'));
    });
  }

  async #readAll(items: readonly Uint8Array[]): Promise<readonly (TxResult | undefined)[]> {
    const placesOf = new Map<bigint, Promise<Uint8Array | undefined>>();
    return await Promise.all(
      items.map(async (item) => {
        const height = heightOfItem(item);
        const places = placesOf.get(height) ?? this.#places(item);
        placesOf.set(height, places);
        return this.#read(item, await places);
      }),
    );
  }

  /** Where the transactions of an item's block are. */
  async #places(item: Uint8Array): Promise<Uint8Array | undefined> {
    return await this.#database.get(primaryKey(TX_LAYOUT, item.subarray(0, HEIGHT_BYTES)));
  }

  /** Undefined when the block or its results are not stored any more. */
  #read(item: Uint8Array, places: Uint8Array | undefined): TxResult | undefined {
    const height = heightOfItem(item);
    const index = indexOfItem(item);
    const place = places === undefined ? undefined : txPlaceAt(places, index);
    const tx = place === undefined ? undefined : this.#blocks.slice(height, place.offset, place.length);
    const result = this.#blocks.txResult(height, index);
    return tx === undefined || result === undefined ? undefined : { height, index, tx, result };
  }
}

function pageOf(
  found: FoundItems,
  order: 'asc' | 'desc',
  page: { readonly skip: number; readonly take: number },
): Uint8Array[] {
  const from = order === 'asc' ? page.skip : Math.max(0, found.length - page.skip - page.take);
  const to = order === 'asc' ? page.skip + page.take : found.length - page.skip;
  const items = found.slice(from, to).map((item) => Buffer.from(item, 'latin1'));
  return order === 'asc' ? items : items.reverse();
}

function hashOfQuery(text: string): string {
  try {
    const hash = fromHex(text);
    if (hash.length > 0) return toUpperHex(hash);
  } catch (cause) {
    throw new LedgerError(
      'index.hash',
      `error during searching for a hash in the query: ${messageOf(cause)}`,
      {},
      cause,
    );
  }
  throw new LedgerError('index.hash', 'error while retrieving the result: transaction hash cannot be empty');
}

/** A committed block until it is written. Its transactions get names when somebody asks for one. */
class UnwrittenBlock {
  readonly committed: CommittedBlock;
  #byKey: ReadonlyMap<string, TxResult> | undefined;

  constructor(committed: CommittedBlock) {
    this.committed = committed;
  }

  get(key: string): TxResult | undefined {
    this.#byKey ??= txsByKey(this.committed);
    return this.#byKey.get(key);
  }
}

function txsByKey({ height, block, results }: CommittedBlock): ReadonlyMap<string, TxResult> {
  const txs = new Map<string, TxResult>();
  for (const [index, tx] of block.txs.entries()) {
    const result = results.txResults[index];
    if (result !== undefined) txs.set(txKey(tx), { height, index, tx, result });
  }
  return txs;
}
