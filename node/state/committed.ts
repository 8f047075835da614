import type { Block } from '../../consensus/types/block.ts';
import type { BlockId } from '../../consensus/types/block-id.ts';
import { defined } from '../../core/errors.ts';
import type { ResponseFinalizeBlock } from '../../proto/gen/tendermint/abci/types.ts';
import type { CommittedBlock } from '../committed-block.ts';
import { storedBlock } from './handshake.ts';
import type { StoredBlockReader } from './ports.ts';
import type { StateStore } from './state-store.ts';

/** A block and its results as mempool, indexer and event bus take them. */
export function committedBlock(
  block: Block,
  blockId: BlockId,
  results: ResponseFinalizeBlock,
): CommittedBlock {
  return {
    height: block.header.height,
    block,
    blockId,
    results,
  };
}

/**
 * A committed block out of the stores: for an indexer that missed it because the node stopped in between.
 * @throws LedgerError when a store lacks it
 */
export function storedCommittedBlock(
  stores: { readonly blocks: StoredBlockReader; readonly state: StateStore },
  height: bigint,
): CommittedBlock {
  const block = storedBlock(stores.blocks, height);
  const blockId = defined(stores.blocks.blockId(height), `id of block ${height}`);
  const results = defined(stores.state.results(height), `results of block ${height}`);
  return committedBlock(block, blockId, results);
}
