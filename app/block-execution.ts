import { assert } from '../core/errors.ts';
import type { NextTransactions } from './signature-tasks.ts';
import type { ExecTxResult, ResponseFinalizeBlock } from '../proto/gen/tendermint/abci/types.ts';

/** What the pieces of a block do. */
export interface BlockPieces {
  readonly txs: readonly Uint8Array[];
  /** What of these, the rest of the block or its beginning, may run next: `nextTransactions`. */
  next(txs: readonly Uint8Array[]): NextTransactions;
  /** Runs one transaction on the block's branch. */
  deliver(tx: Uint8Array): ExecTxResult;
  /** EndBlock, and the block's writes into the store's working version. */
  end(txResults: readonly ExecTxResult[]): ResponseFinalizeBlock;
}

/**
 * A block under way: BeginBlock is done, transactions run as many at a time as the caller likes, then it is
 * ended. How it is cut changes nothing of the result, and nothing reaches the store before `end`: dropping
 * the execution drops the block.
 *
 * Between the pieces the application may be asked everything that reads or writes the check state or a
 * committed one: `info`, `query`, `checkTx`, `simulate`, `signatureTasks`, `prepareProposal`,
 * `processProposal`. They see the last commit. `commit` is refused, and beginning another block (or
 * `initChain`) makes this execution void.
 */
export class BlockExecution {
  readonly #pieces: BlockPieces;
  readonly #txResults: ExecTxResult[] = [];

  constructor(pieces: BlockPieces) {
    this.#pieces = pieces;
  }

  /** Transactions that have not run yet. */
  get remaining(): number {
    return this.#pieces.txs.length - this.#txResults.length;
  }

  /**
   * The next transactions, at most as many, that may run when these signatures are verified. Who does not
   * verify them beforehand need not ask.
   */
  next(txsMax: number): NextTransactions {
    const from = this.#txResults.length;
    return this.#pieces.next(this.#pieces.txs.slice(from, from + txsMax));
  }

  /** Runs the next transactions, at most as many. */
  run(txsMax: number): void {
    const from = this.#txResults.length;
    for (const tx of this.#pieces.txs.slice(from, from + txsMax))
      this.#txResults.push(this.#pieces.deliver(tx));
  }

  /** Ends the block; once. @throws AssertionError while transactions remain, or when the execution is void */
  end(): ResponseFinalizeBlock {
    assert(this.remaining === 0, 'a block ends when all of its transactions have run');
    return this.#pieces.end(this.#txResults);
  }
}
