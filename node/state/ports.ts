/** What block execution needs of its neighbours; `node/node.ts` joins them. */
import type { BlockId } from '../../consensus/types/block-id.ts';
import type { makeBlock, verifyBlock } from '../../consensus/types/block-rules.ts';
import type { Commit } from '../../consensus/types/commit.ts';
import type { Evidence } from '../../consensus/types/evidence.ts';
import type {
  RequestFinalizeBlock,
  RequestInfo,
  RequestInitChain,
  RequestPrepareProposal,
  RequestProcessProposal,
  ResponseCommit,
  ResponseFinalizeBlock,
  ResponseInfo,
  ResponseInitChain,
  ResponsePrepareProposal,
  ResponseProcessProposal,
} from '../../proto/gen/tendermint/abci/types.ts';
import type { ExecutionControl } from '../application.ts';
import type { CommittedBlock } from '../committed-block.ts';
import type { ChainState } from './chain-state.ts';

/**
 * The calls of the application that blocks are made of. One at a time, but while FinalizeBlock runs,
 * proposals may be prepared and processed, on the last commit. FinalizeBlock may be called again for the
 * same height, once the call before has settled: the last one is what Commit commits.
 */
export interface BlockApplication {
  info(request: RequestInfo): Promise<ResponseInfo>;
  initChain(request: RequestInitChain): Promise<ResponseInitChain>;
  prepareProposal(request: RequestPrepareProposal): Promise<ResponsePrepareProposal>;
  processProposal(request: RequestProcessProposal): Promise<ResponseProcessProposal>;
  finalizeBlock(request: RequestFinalizeBlock, control?: ExecutionControl): Promise<ResponseFinalizeBlock>;
  commit(): Promise<ResponseCommit>;
}

/** The mempool, as block execution uses it. */
export interface BlockMempool {
  /**
   * Transactions for a block, in the order in which they should stand, within both limits (-1n gas: no
   * limit).
   */
  reap(maxBytes: number, maxGas: bigint): readonly Uint8Array[];
  /** Takes the committed transactions out; resolves when the remaining ones are checked again. */
  update(committed: CommittedBlock): Promise<void>;
  /** Holds CheckTx back while the application commits; the returned function lets it go on. */
  lock(): Promise<() => void>;
}

/** The evidence pool, as block execution uses it. Its state is that after the last executed block. */
export interface BlockEvidence {
  /** Evidence for a block, oldest first, and the bytes it takes there. */
  pending(bytesMax: bigint): { readonly evidence: readonly Evidence[]; readonly bytes: bigint };
  /**
   * `unknown`: some of it is of heights that this node has no headers of, and the rest is good.
   * @throws LedgerError when evidence of the next block is not true, too old or in an earlier block
   */
  check(list: readonly Evidence[], blockHeight: bigint): 'good' | 'unknown';
  /** Resolves when it is on disk that the evidence is committed. */
  update(state: ChainState, committed: readonly Evidence[]): Promise<void>;
}

/** Committed blocks, for replay on start. */
export interface StoredBlockReader {
  range(): { readonly base: bigint; readonly height: bigint };
  blockId(height: bigint): BlockId | undefined;
  blockBytes(height: bigint): Uint8Array | undefined;
  seenCommit(height: bigint): Commit | undefined;
}

/** How the next block is made, and what a block is held against. */
export interface BlockRules {
  readonly makeBlock: typeof makeBlock;
  readonly verifyBlock: typeof verifyBlock;
}
