import { SLOWEST_BYTES_PER_SECOND } from '../../p2p/network.ts';

/** Named limits and waits of state sync. */
export interface StateSyncOptions {
  /** How long offers are gathered, and how often peers are asked again. */
  readonly discoveryTimeMs: number;
  readonly chunkRequestTimeoutMs: number;
  /** A peer that sends so much gets as long as a chunk or a block needs. */
  readonly bytesPerSecondMin: number;
  /** Chunks asked for at a time. */
  readonly chunkFetchers: number;
  /** How long a snapshot is kept to when no connected peer has what is missing of it. */
  readonly peersWaitMs: number;
  /** The same, when every peer that offered it has said that it has it no more. */
  readonly goneWaitMs: number;
  /** How long a peer is not asked after it did not deliver. */
  readonly distrustMs: number;
  /** What is needed next is asked of another peer when the first has not sent it for so long. */
  readonly hedgeMs: number;
  /** How often waiting is interrupted to look. */
  readonly tickMs: number;
  /** How often the two headers after a fresh snapshot are waited for, and how long each time. */
  readonly headersAttempts: number;
  readonly headersWaitMs: number;
  /** How long a snapshot that could not be had is left alone. */
  readonly setAsideMs: number;
  /** Light blocks asked for at a time when back-filling. */
  readonly backfillWindow: number;
  readonly heightRequestTimeoutMs: number;
}

/** CometBFT's where it has the same setting. */
export const DEFAULT_STATE_SYNC: StateSyncOptions = {
  discoveryTimeMs: 15_000,
  chunkRequestTimeoutMs: 10_000,
  bytesPerSecondMin: SLOWEST_BYTES_PER_SECOND,
  chunkFetchers: 4,
  peersWaitMs: 60_000,
  goneWaitMs: 2_000,
  distrustMs: 10_000,
  hedgeMs: 2_000,
  tickMs: 250,
  headersAttempts: 10,
  headersWaitMs: 3_000,
  setAsideMs: 60_000,
  backfillWindow: 32,
  heightRequestTimeoutMs: 10_000,
};
