/** Limits of the mempool; names and defaults as in CometBFT's `[mempool]` section where it has them. */
export interface MempoolConfig {
  /** Most transactions held (`size`). */
  readonly txsMax: number;
  /** Most bytes of transactions held (`max_txs_bytes`). */
  readonly txsBytesMax: number;
  /** Largest transaction (`max_tx_bytes`). */
  readonly txBytesMax: number;
  /** Most transactions of one sender (`max_txs_per_sender`); 0: all room that nobody else wants. */
  readonly senderTxsMax: number;
  /** Most bytes of one sender (`max_txs_bytes_per_sender`); 0: all room that nobody else wants. */
  readonly senderBytesMax: number;
  /** How long a transaction waits before it is dropped (`ttl-duration`); 0: for ever. */
  readonly ttlMs: number;
  /** Blocks that a transaction waits before it is dropped (`ttl-num-blocks`); 0: any number. */
  readonly ttlBlocks: number;
  /** Hashes of committed transactions remembered, so that they are not checked again (`cache_size`). */
  readonly cacheMax: number;
  /** Whether a refused transaction is remembered, too (`keep-invalid-txs-in-cache`). */
  readonly keepInvalidInCache: boolean;
  /**
   * Whether what remains after a block is checked again (`recheck`). Off, stale transactions stay until a
   * block tries them.
   */
  readonly recheck: boolean;
  /** Checks that are under way in the application at once. */
  readonly checksMax: number;
  /** Transactions that wait for a check. */
  readonly queueMax: number;
  /** Bytes of transactions that wait for a check. */
  readonly queueBytesMax: number;
  /** Rechecks issued before the event loop gets its turn. */
  readonly recheckBatch: number;
  /** How long accepted transactions are gathered before they are sent to peers. */
  readonly gossipWindowMs: number;
  /** Bytes at which a batch is sent without waiting for the window to end. */
  readonly gossipBatchBytes: number;
}

/** What tests and tools start with; a node takes its limits from `config.toml`. */
export const DEFAULT_MEMPOOL_CONFIG: MempoolConfig = {
  txsMax: 50_000,
  txsBytesMax: 64 * 1024 * 1024,
  txBytesMax: 1024 * 1024,
  senderTxsMax: 0,
  senderBytesMax: 0,
  ttlMs: 0,
  ttlBlocks: 0,
  cacheMax: 100_000,
  keepInvalidInCache: false,
  recheck: true,
  checksMax: 512,
  queueMax: 20_000,
  queueBytesMax: 32 * 1024 * 1024,
  recheckBatch: 128,
  gossipWindowMs: 5,
  gossipBatchBytes: 64 * 1024,
};
