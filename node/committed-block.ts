import type { BlockId } from '../consensus/types/block-id.ts';
import type { ResponseFinalizeBlock } from '../proto/gen/tendermint/abci/types.ts';
import type { Block } from '../consensus/types/block.ts';

/**
 * A block with what executing it gave, as mempool, indexer and event bus hear of it after it is committed.
 */
export interface CommittedBlock {
  readonly height: bigint;
  readonly block: Block;
  readonly blockId: BlockId;
  readonly results: ResponseFinalizeBlock;
}
