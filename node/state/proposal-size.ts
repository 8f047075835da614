/**
 * How large a block to propose: as much as this node executes in the time that it has between two blocks.
 * Without this, a backlog becomes one huge block, which takes longer than the timeouts of a round, and
 * rounds fail while the backlog grows. The speed is that of the last blocks; validators are taken to be
 * about as fast as the proposer.
 */

/** Before anything was measured: about 5,000 transfers a second. */
const FIRST_BYTES_PER_MS = 1_500;
/** Never less than that: about 400 transfers. */
const BYTES_MIN = 128 * 1024;
/** Smaller blocks say little about the speed. */
const MEASURED_BYTES_MIN = 16 * 1024;

/** Learns from executed blocks. */
export class ProposalSize {
  readonly #targetMs: number;
  #bytesPerMs = FIRST_BYTES_PER_MS;

  /** @param targetMs how long executing a block may take */
  constructor(targetMs: number) {
    this.#targetMs = targetMs;
  }

  /** Bytes of transactions to put into a block, at most `limit`. */
  bytesMax(limit: number): number {
    return Math.min(limit, Math.max(BYTES_MIN, Math.floor(this.#bytesPerMs * this.#targetMs)));
  }

  /** A block with that many bytes of transactions was executed in that time. */
  executed(bytes: number, durationMs: number): void {
    if (bytes < MEASURED_BYTES_MIN || durationMs <= 0) return;
    this.#bytesPerMs = (this.#bytesPerMs + bytes / durationMs) / 2;
  }
}
