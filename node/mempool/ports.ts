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

/** Accepted transactions that the same peers are known to have. */
export interface TxBatch {
  readonly txs: readonly Uint8Array[];
  /** The peers that sent them, who must not get them back; none for what was submitted here. */
  readonly senders: readonly string[];
  /** The place of the first in the pool's order. */
  readonly first: number;
}

/** How accepted transactions reach other nodes. */
export interface TxGossip {
  /**
   * Sends one batch to the peers; never waits. Whether those of others are passed on at all is for the gossip
   * to decide: it knows the topology. To a peer that cannot take it now, it is given later, out of
   * `WaitingTxs`.
   */
  publish(batch: TxBatch): void;
}

/** What a peer gets that has fallen behind, or has just come. */
export interface WaitingTxs {
  /**
   * Transactions that wait, from the place `first` on, without those that the peer sent: at least one if there
   * is any, else up to `bytesMax`. `next` is the place to go on from; undefined after the last.
   */
  waitingFrom(
    first: number,
    peer: string,
    bytesMax: number,
  ): { readonly txs: readonly Uint8Array[]; readonly next: number | undefined };
}

/** Where gossip hands in what peers send. */
export interface TxReceiver {
  /**
   * Takes a batch; never throws and never waits. Known transactions are skipped, and dropped ones counted.
   */
  receive(txs: readonly Uint8Array[], peer: string): void;
  /** A peer has left. What came from it stays. */
  peerLeft(peer: string): void;
}

/** The engine's side. */
export interface TxPool {
  /**
   * Transactions for a block in the order in which they were accepted. One that does not fit is passed over,
   * with those that follow it, so that it cannot stand in the way of all others.
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
  /** Accepted, and then out again without a block: to make room, or refused by a recheck. */
  addEvicted(): void;
  /** Accepted, and then out again for their age. */
  addExpired(): void;
  addAlreadyReceived(): void;
  addRechecks(count: number): void;
}

/** Log lines with facts. */
export interface MempoolLogger {
  debug(facts: Readonly<Record<string, unknown>>, message: string): void;
  warn(facts: Readonly<Record<string, unknown>>, message: string): void;
}
