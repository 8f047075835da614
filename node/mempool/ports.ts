/** What the mempool needs of its neighbours, and what it offers them. `node/node.ts` joins the two sides. */
import type { ResponseCheckTx } from '../../proto/gen/tendermint/abci/types.ts';
import type { Application } from '../application.ts';
import type { CommittedBlock } from '../committed-block.ts';

/**
 * The application's check. Its work on the check state must happen in the order of the calls, however long
 * the signature check of each takes: two transactions of one sender are checked in the order in which they
 * came.
 */
export type TxChecker = Pick<Application, 'checkTx'>;

/** How accepted transactions reach other nodes. */
export interface TxGossip {
  /**
   * Sends one batch to the peers; never waits. `origin` is the peer that all of them came from, who must not
   * get them back; undefined for transactions that were submitted here. Whether those of others are passed on
   * at all is for the gossip to decide: it knows the topology.
   */
  publish(txs: readonly Uint8Array[], origin: string | undefined): void;
}

/** Where gossip hands in what peers send. */
export interface TxReceiver {
  /**
   * Takes a batch; never throws and never waits. Known transactions are skipped, and dropped ones counted.
   */
  receive(txs: readonly Uint8Array[], peer: string): void;
}

/** The engine's side. */
export interface TxPool {
  /**
   * Transactions for a block in the order in which they were accepted, up to the first that does not fit.
   * `maxBytes` counts each with its protobuf overhead in `Data.txs`; -1 is no limit.
   */
  reap(maxBytes: number, maxGas: bigint): readonly Uint8Array[];
  /** Removes what a block committed and checks the rest again. Call it with the lock held. */
  update(committed: CommittedBlock): Promise<void>;
  readonly hasTransactions: boolean;
  /** Calls back when the first transaction comes after there was none; returns how to stop. */
  onTransactions(listener: () => void): () => void;
  /** Waits for running checks and holds new ones back until the returned function is called. */
  lock(): Promise<() => void>;
}

/** The RPC server's side. */
export interface TxSubmission {
  /**
   * Checks a transaction and keeps it when its code is 0. `key` is its `txKey`, when the caller has it.
   * @throws MempoolError when it is known already, too large, or when there is no room
   */
  checkTx(tx: Uint8Array, key?: string): Promise<ResponseCheckTx>;
  readonly size: number;
  readonly sizeBytes: number;
  /** The first `limit` transactions, in order. */
  list(limit: number): readonly Uint8Array[];
}

/** Counters, in CometBFT's terms. */
export interface MempoolMetrics {
  setSize(count: number, bytes: number): void;
  addTx(bytes: number): void;
  addFailed(): void;
  /** Refused for want of room. */
  addRejected(): void;
  addAlreadyReceived(): void;
  addRechecks(count: number): void;
}

/** Log lines with facts. */
export interface MempoolLogger {
  debug(facts: Readonly<Record<string, unknown>>, message: string): void;
  warn(facts: Readonly<Record<string, unknown>>, message: string): void;
}
