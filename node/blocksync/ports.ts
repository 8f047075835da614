/** What block sync needs of its neighbours. The engine's `ports.ts` states the same shapes. */
import type { Commit } from '../../consensus/types/commit.ts';

/** Stored blocks, to serve them to others. */
export interface SyncStore {
  /** Lowest and highest stored height; both 0n when there is none. */
  range(): { readonly base: bigint; readonly height: bigint };
  /** The encoded tendermint.types.Block. */
  blockBytes(height: bigint): Uint8Array | undefined;
  /** The precommits that decided a height. */
  commit(height: bigint): Commit | undefined;
}

/** A block as a peer sent it; nothing of it is verified. */
export interface SyncedBlock {
  readonly height: bigint;
  readonly blockBytes: Uint8Array;
  readonly commit: Commit;
}

/** Where blocks are delivered. */
export interface SyncTarget {
  /** The height that is needed next. */
  nextHeight(): bigint;
  /**
   * Verifies, stores and executes a block; resolves when the next can be delivered. A block of another
   * height than `nextHeight()` is ignored.
   * @throws LedgerError `sync.invalid_block` when the sender is at fault
   */
  applySynced(block: SyncedBlock): Promise<void>;
  /** Absent when it does not care: a block that will be delivered soon, if it is what it should be. */
  expectSynced?(block: SyncedBlock): void;
  /**
   * Where consensus stands; undefined before the node takes part. `decided` is set while its height is
   * executed.
   */
  consensus(): { view(): { readonly height: bigint; readonly decided: object | undefined } } | undefined;
  /** True when this node needs nobody to decide blocks: without peers, it goes on alone. */
  decidesAlone(): boolean;
  /** Take part in consensus. */
  joinConsensus(): void;
  /** Calls the listener for each event until the returned function is called. */
  onEvent(listener: (event: { readonly kind: string }) => void): () => void;
}

/** Counters since start. */
export interface BlockSyncMetrics {
  blocksApplied: number;
  bytesReceived: number;
  requestsFailed: number;
  blocksInvalid: number;
  blocksServed: number;
}
