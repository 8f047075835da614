/** The ordered key-value database under the store: what the store needs of it and no more. */
import type { KeyRange, KeyValue } from '../kv.ts';

/** One write of a batch; a missing value deletes. */
export interface BackendWrite {
  readonly key: Uint8Array;
  readonly value: Uint8Array | undefined;
}

/** How a batch is written. */
export interface WriteOptions {
  /** True: the batch, and all before it, survive a power cut once the promise resolves. */
  readonly sync: boolean;
}

/**
 * An ordered key-value database. A batch is written whole or not at all, and batches take effect in the order
 * of the calls. Every method rejects with LedgerError: `store.closed` after `close`, `store.corrupt` or
 * `store.disk` otherwise.
 */
export interface Backend {
  get(key: Uint8Array): Promise<Uint8Array | undefined>;
  /** Pairs of a range, from a view of the database at the call. */
  iterate(range: KeyRange): AsyncIterable<KeyValue>;
  /** Keys of a range, from a view of the database at the call. */
  keys(range: KeyRange): AsyncIterable<Uint8Array>;
  write(batch: readonly BackendWrite[], options: WriteOptions): Promise<void>;
  /** Waits for writes under way. Closing twice is allowed. */
  close(): Promise<void>;
}
