/**
 * The application as the node sees it: ABCI 2.0 with CometBFT v0.38's messages. The calls are asynchronous so
 * that an application may live behind a socket; ours runs in the process and is synchronous inside (`app/`),
 * only signature checks and the write to disk are awaited. Calls of one kind never overlap; while
 * `finalizeBlock` runs, proposals may be prepared and processed, on the last commit.
 */
import type {
  RequestApplySnapshotChunk,
  RequestCheckTx,
  RequestFinalizeBlock,
  RequestInfo,
  RequestInitChain,
  RequestLoadSnapshotChunk,
  RequestOfferSnapshot,
  RequestPrepareProposal,
  RequestProcessProposal,
  RequestQuery,
  ResponseApplySnapshotChunk,
  ResponseCheckTx,
  ResponseCommit,
  ResponseFinalizeBlock,
  ResponseInfo,
  ResponseInitChain,
  ResponseListSnapshots,
  ResponseLoadSnapshotChunk,
  ResponseOfferSnapshot,
  ResponsePrepareProposal,
  ResponseProcessProposal,
  ResponseQuery,
} from '../proto/gen/tendermint/abci/types.ts';
import type { HeldWrites } from './held-writes.ts';

/** Memory that an application in this process holds, in bytes. */
export interface ApplicationMemory {
  /** Trees, keys and values of the state, all kept versions together. */
  readonly stateBytes: number;
  /** The part of the state that only versions before the newest hold. */
  readonly historyBytes: number;
  /** Decoded transactions that wait for a block. */
  readonly decodedTxsBytes: number;
}

/** The snapshots of an application: those it has made, and one that it restores itself from. */
export interface SnapshotApplication {
  /** The newest first. */
  listSnapshots(): Promise<ResponseListSnapshots>;
  /** Begins to restore a snapshot, in place of one that was begun before; `appHash` is trusted. */
  offerSnapshot(request: RequestOfferSnapshot): Promise<ResponseOfferSnapshot>;
  /** Empty when there is none. */
  loadSnapshotChunk(request: RequestLoadSnapshotChunk): Promise<ResponseLoadSnapshotChunk>;
  /** Takes the chunks in order. After the last one the state has the offered app hash, or was refused. */
  applySnapshotChunk(request: RequestApplySnapshotChunk): Promise<ResponseApplySnapshotChunk>;
}

/** Tells an execution under way that nobody wants it any more. */
export interface ExecutionControl {
  /** Looked at now and then: once true, the execution ends, with a rejection or as if nothing were. */
  readonly cancelled: boolean;
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
  /**
   * May be called again for the same height once the call before has settled; Commit commits the last one.
   */
  finalizeBlock(request: RequestFinalizeBlock, control?: ExecutionControl): Promise<ResponseFinalizeBlock>;
  /** Resolves when the block's state is on disk, unless it is held. */
  commit(): Promise<ResponseCommit>;
  query(request: RequestQuery): Promise<ResponseQuery>;
  /** For metrics; absent when the application is not in this process. */
  memory?(): ApplicationMemory;
  /**
   * Holds commits back, to make several durable at once. Absent when the application cannot: every commit is
   * durable then.
   */
  readonly writes?: HeldWrites;
  /** Absent when the application makes and takes no snapshots. */
  readonly snapshots?: SnapshotApplication;
}
