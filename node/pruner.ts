/** Forgets blocks that neither application nor evidence needs any more, in all stores. */
import type { CommittedBlock } from './committed-block.ts';
import type { Indexer } from './indexer/indexer.ts';
import { executedBlock, type Stores } from './node-stores.ts';

/**
 * Heights that are forgotten after one block, at most: who begins to prune a long chain does so bit by bit.
 */
const PRUNED_AT_ONCE_MAX = 100n;
/**
 * Transactions in these, at most: their entries in the index are found and deleted one by one, five thousand
 * in about a second, and the next block waits. Two heights go in any case, so that it comes to an end.
 */
const PRUNED_TXS_MAX = 1_000n;
const PRUNED_AT_ONCE_MIN = 2n;

/**
 * What this node forgets. While blocks are synced, several are made durable together, one store after the
 * other, and the index hears of them only then. So nothing is forgotten that a crash in between would make
 * needed again, or that the index has still to hear of: only what lies below the last block of which
 * listeners were told.
 */
export class Pruner {
  readonly #stores: Pick<Stores, 'blocks' | 'state'>;
  readonly #index: Pick<Indexer, 'prune'> | undefined;
  /** Durable in every store, and known to the index. */
  #durableHeight: bigint;

  /**
   * @param lastHeight the height that the stores were brought to on start; the index has caught up with it
   */
  constructor(
    stores: Pick<Stores, 'blocks' | 'state'>,
    index: Pick<Indexer, 'prune'> | undefined,
    lastHeight: bigint,
  ) {
    this.#stores = stores;
    this.#index = index;
    this.#durableHeight = lastHeight;
  }

  /** A block is durable; the index is told of it before. */
  async onCommit({ height }: Pick<CommittedBlock, 'height'>): Promise<void> {
    this.#durableHeight = height;
  }

  /**
   * Forgets what lies below the height that application and evidence still need: the index first, which is
   * made from the others. Never while a block is being stored.
   */
  async prune(retainHeight: bigint): Promise<void> {
    const { blocks, state } = this.#stores;
    const { base } = blocks.range();
    const end = this.#end(minimum(retainHeight, this.#durableHeight));
    const block = (height: bigint): CommittedBlock | undefined => executedBlock(this.#stores, height);
    if (end > base) await this.#index?.prune({ base, end, block });
    await blocks.prune(end);
    await state.prune(end - 1n); // the validators before the lowest block signed its last commit
  }

  /** How far it goes now, of what may go. */
  #end(wanted: bigint): bigint {
    const { blocks } = this.#stores;
    // After a state sync there are headers and validators below the lowest block.
    const from = minimum(blocks.headersFrom(), blocks.range().base);
    const last = minimum(wanted, from + PRUNED_AT_ONCE_MAX);
    let txs = 0n;
    for (let end = from; end < last; end++) {
      txs += blocks.meta(end)?.numTxs ?? 0n;
      if (txs > PRUNED_TXS_MAX && end >= from + PRUNED_AT_ONCE_MIN) return end;
    }
    return last;
  }
}

function minimum(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}
