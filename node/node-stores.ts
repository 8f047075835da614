/** Everything a node keeps in its data directory, opened. */
import { join } from 'node:path';
import { decodeBlock } from '../consensus/types/block.ts';
import { evidenceListHash } from '../consensus/types/evidence.ts';
import { equalBytes } from '../core/bytes.ts';
import type { Application } from './application.ts';
import { BlockStore } from './blockstore/block-store.ts';
import type { CommittedBlock } from './committed-block.ts';
import type { NodeConfig } from './config/config.ts';
import type { BlockSink } from './engine/ports.ts';
import type { NodeEnvironment } from './environment.ts';
import { DatabaseGroup, heldTogether, type HeldWrites } from './held-writes.ts';
import { EvidenceStore } from './evidence/evidence-store.ts';
import type { EvidenceChain } from './evidence/ports.ts';
import { checkedIndex } from './indexer/checked-index.ts';
import { DEFAULT_INDEXER_CONFIG } from './indexer/config.ts';
import { Indexer } from './indexer/indexer.ts';
import { LevelDatabase } from './indexer/level-database.ts';
import type { Logging } from './logging/logger.ts';
import { storedCommittedBlock } from './state/committed.ts';
import { StateStore } from './state/state-store.ts';
import { Wal } from './wal/wal.ts';

/** The stores of a node but its application's. */
export interface Stores {
  readonly blocks: BlockStore;
  readonly state: StateStore;
  readonly evidence: EvidenceStore;
  readonly wal: Wal;
  /** The databases of the first three, held back and made durable together. */
  readonly writes: HeldWrites;
}

/** Opens the stores; how to close each is added to `closers` as soon as it is open. */
export async function openStores(
  { dataDir, logging }: { readonly dataDir: string; readonly logging: Logging },
  { openDatabase, walFiles, walSizes, randomBytes }: NodeEnvironment,
  closers: (() => Promise<void> | void)[],
): Promise<Stores> {
  // What is held is written in this order: a state never lacks its blocks, nor evidence that is in them.
  const group = new DatabaseGroup(openDatabase);
  const blocks = await BlockStore.open(join(dataDir, 'blockstore.db'), group.open);
  closers.push(() => blocks.close());
  const evidence = await EvidenceStore.open(join(dataDir, 'evidence.db'), group.open);
  closers.push(() => evidence.close());
  const state = await StateStore.open(join(dataDir, 'state.db'), group.open);
  closers.push(() => state.close());
  const warn = (message: string): void => logging('wal').warn({}, message);
  const directory = join(dataDir, 'cs.wal');
  const wal = Wal.open({
    ...walSizes,
    directory,
    warn,
    files: walFiles(directory),
    makeSalt: () => randomBytes(8),
  });
  closers.push(() => wal.close());
  return { blocks, state, evidence, wal, writes: group.writes };
}

/** What is held back of stores and application while blocks are synced; undefined when it cannot be. */
export function heldWrites(stores: Stores, application: Application): HeldWrites | undefined {
  const { writes } = application;
  if (writes === undefined) return undefined; // it would be ahead of the stores after a crash
  return heldTogether([stores.writes, writes]);
}

/** Opens the index, when one is wanted, and brings it to the height of the state. */
export async function openIndexer(
  options: { readonly config: NodeConfig; readonly dataDir: string; readonly logging: Logging },
  { openIndex = LevelDatabase.open }: Pick<NodeEnvironment, 'openIndex'>,
  { stores, closers }: { readonly stores: Stores; readonly closers: (() => Promise<void> | void)[] },
): Promise<Indexer | undefined> {
  if (options.config.txIndex.indexer === 'null') return undefined;
  const directory = join(options.dataDir, 'tx_index.db');
  const database = await checkedIndex(await openIndex(directory), directory);
  const { blocks, state } = stores;
  const indexer = new Indexer(
    {
      database,
      blocks: {
        slice: (height, offset, length) => blocks.slice(height, offset, length),
        txResult: (height, index) => state.txResult(height, index),
      },
      logger: options.logging('index'),
    },
    DEFAULT_INDEXER_CONFIG,
  );
  closers.push(() => indexer.close());
  await indexer.catchUp({
    ...stores.blocks.range(),
    block: (height) => executedBlock(stores, height),
  });
  return indexer;
}

const NO_EVIDENCE_HASH = evidenceListHash([]);

/** The stored chain, as evidence is judged by it. */
export function evidenceChain({ blocks, state }: Pick<Stores, 'blocks' | 'state'>): EvidenceChain {
  return {
    range: () => ({ base: blocks.headersFrom(), height: blocks.range().height }),
    header: (height) => blocks.meta(height)?.header,
    // What this node saw instead is its own: two honest nodes may have seen different precommits.
    commit: (height) => blocks.canonicalCommit(height),
    validators: (height) => state.validators(height),
    // Most blocks hold none, and their header says so: they are not read.
    evidence: (height) => {
      const hash = blocks.meta(height)?.header.evidenceHash;
      if (hash === undefined || equalBytes(hash, NO_EVIDENCE_HASH)) return [];
      const bytes = blocks.blockBytes(height);
      return bytes === undefined ? [] : decodeBlock(bytes).evidence;
    },
  };
}

/** Undefined when it was not executed here, as the first block after a state sync, or is not stored. */
export function executedBlock(
  stores: Pick<Stores, 'blocks' | 'state'>,
  height: bigint,
): CommittedBlock | undefined {
  return stores.state.results(height) === undefined ? undefined : storedCommittedBlock(stores, height);
}

/** The block store as the engine writes to it. */
export function blockSink(blocks: BlockStore, initialHeight: bigint): BlockSink {
  return {
    range: () => blocks.range(),
    seenCommit: (height) => blocks.seenCommit(height),
    saveBlock: ({ block, blockId, parts, blockSize, seenCommit }) =>
      blocks.save({
        meta: {
          blockId,
          blockSize: BigInt(blockSize),
          header: block.header,
          numTxs: BigInt(block.txs.length),
        },
        parts,
        lastCommit: block.header.height === initialHeight ? undefined : block.lastCommit,
        seenCommit,
      }),
  };
}
