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

/** Memory that an application in this process holds, in bytes. */
export interface ApplicationMemory {
  /** Trees, keys and values of the state, all kept versions together. */
  readonly stateBytes: number;
  /** The part of the state that only versions before the newest hold. */
  readonly historyBytes: number;
  /** Decoded transactions that wait for a block. */
  readonly decodedTxsBytes: number;
}

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
  /** For metrics; absent when the application is not in this process. */
  memory?(): ApplicationMemory;
}
