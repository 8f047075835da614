/**
 * Blocks from block sync are made durable several at a time: peers have them, so a crash costs fetching a few
 * again. What is written is complete up to one height; a crash within the writing leaves blocks ahead of the
 * state, and the state ahead of the application, which is what the handshake mends. Once the node takes part
 * in consensus nothing is held.
 */
import type { HeldWrites } from '../held-writes.ts';
import type { EngineClock } from './ports.ts';

/** Blocks, and their bytes, that may wait. */
export const CHECKPOINT_BLOCKS_MAX = 64;
export const CHECKPOINT_BYTES_MAX: number = 8 * 1024 * 1024;
/** How long a block may wait. */
export const CHECKPOINT_AFTER_MS = 1_000;

/** When what is held is written. */
export class Checkpoints {
  readonly #clock: EngineClock;
  readonly #due: () => void;
  /** Undefined when nothing is held, or no more. */
  #writes: HeldWrites | undefined;
  #blocks = 0;
  #bytes = 0;
  #cancelTimer: (() => void) | undefined;

  /** @param due called when `write` should be, because time has passed */
  constructor(
    { writes, clock }: { readonly writes?: HeldWrites | undefined; readonly clock: EngineClock },
    due: () => void,
  ) {
    this.#writes = writes;
    this.#clock = clock;
    this.#due = due;
  }

  begin(): void {
    this.#writes?.hold();
  }

  /** A block was applied; resolves when the next may be. */
  async applied(blockBytes: number): Promise<void> {
    if (this.#writes === undefined) return;
    this.#blocks++;
    this.#bytes += blockBytes;
    if (this.#blocks >= CHECKPOINT_BLOCKS_MAX || this.#bytes >= CHECKPOINT_BYTES_MAX) await this.write();
    else this.#cancelTimer ??= this.#clock.schedule(CHECKPOINT_AFTER_MS, this.#due);
  }

  /** Resolves when everything that was applied is durable. Never while a block is being applied. */
  async write(): Promise<void> {
    this.cancel();
    this.#blocks = 0;
    this.#bytes = 0;
    await this.#writes?.flush();
  }

  /** Writes, and holds no more. */
  async end(): Promise<void> {
    this.cancel();
    const writes = this.#writes;
    this.#writes = undefined;
    await writes?.release();
  }

  cancel(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
  }

  /** Something failed: what is held is lost. */
  abandon(): void {
    this.cancel();
    this.#writes = undefined;
  }
}
