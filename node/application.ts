/**
 * The application as the node sees it: ABCI 2.0 with CometBFT v0.38's messages. The calls are asynchronous so
 * that an application may live behind a socket; ours runs in the process and is synchronous inside (`app/`),
 * only signature checks and the write to disk are awaited. Calls of one kind never overlap: the engine issues
 * `initChain`, `prepareProposal`, `processProposal`, `finalizeBlock` and `commit` one at a time.
 */
import type {
  RequestCheckTx,
  RequestFinalizeBlock,
  RequestInfo,
  RequestInitChain,
  RequestPrepareProposal,
  RequestProcessProposal,
  RequestQuery,
  ResponseCheckTx,
  ResponseCommit,
  ResponseFinalizeBlock,
  ResponseInfo,
  ResponseInitChain,
  ResponsePrepareProposal,
  ResponseProcessProposal,
  ResponseQuery,
} from '../proto/gen/tendermint/abci/types.ts';

/** The port through which the node reaches the state machine. */
export interface Application {
  info(request: RequestInfo): Promise<ResponseInfo>;
  initChain(request: RequestInitChain): Promise<ResponseInitChain>;
  /**
   * Several may be under way at once; they see the state of the last commit plus earlier accepted
   * transactions.
   */
  checkTx(request: RequestCheckTx): Promise<ResponseCheckTx>;
  prepareProposal(request: RequestPrepareProposal): Promise<ResponsePrepareProposal>;
  processProposal(request: RequestProcessProposal): Promise<ResponseProcessProposal>;
  finalizeBlock(request: RequestFinalizeBlock): Promise<ResponseFinalizeBlock>;
  /** Resolves when the block's state is on disk. */
  commit(): Promise<ResponseCommit>;
  query(request: RequestQuery): Promise<ResponseQuery>;
}
