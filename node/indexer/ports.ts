/**
 * What the indexer needs: an ordered key-value database (`level-database.ts` is the real one), and the stores
 * that have the blocks and their results.
 */
import type { ExecTxResult } from '../../proto/gen/tendermint/abci/types.ts';

/** Stored blocks and results, read by place. Undefined where they are not stored any more. */
export interface IndexedBlocks {
  /** Some bytes of the encoded block. */
  slice(height: bigint, offset: number, length: number): Uint8Array | undefined;
  /** What the application answered to a transaction. */
  txResult(height: bigint, index: number): ExecTxResult | undefined;
}

/** A write: undefined deletes. */
export interface IndexWrite {
  readonly key: Uint8Array;
  readonly value: Uint8Array | undefined;
}

/** Keys from `start` (inclusive) to `end` (exclusive), rising, or falling when `reverse`. */
export interface IndexRange {
  readonly start: Uint8Array;
  readonly end: Uint8Array;
  readonly reverse?: boolean;
}

/** One key with its value. */
export type IndexEntry = readonly [key: Uint8Array, value: Uint8Array];

/** An ordered database; keys in the order of their bytes. */
export interface IndexDatabase {
  get(key: Uint8Array): Promise<Uint8Array | undefined>;
  /** Writes all or nothing; resolves when it is on disk. */
  write(writes: readonly IndexWrite[]): Promise<void>;
  /** A snapshot of a range, read in chunks. */
  entries(range: IndexRange): AsyncIterable<IndexEntry>;
  close(): Promise<void>;
}

/** Log lines with facts. */
export interface IndexerLogger {
  debug(facts: Readonly<Record<string, unknown>>, message: string): void;
  error(facts: Readonly<Record<string, unknown>>, message: string): void;
}
