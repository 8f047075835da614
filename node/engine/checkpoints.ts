/**
 * Blocks from block sync are made durable several at a time: peers have them, so a crash costs fetching a few
 * again. What is written is complete up to one height; a crash within the writing leaves blocks ahead of the
 * state, and the state ahead of the application, which is what the handshake mends. Listeners are told of a
 * block when it is durable. Once the node takes part in consensus nothing is held.
 */
import { HELD_BLOCKS_MAX, type HeldWrites } from '../held-writes.ts';
import type { CommittedBlock } from '../committed-block.ts';
import { tellOf } from './decisions.ts';
import type { CommitListener, EngineClock } from './ports.ts';

/** What checkpoints need. */
export interface CheckpointPorts {
  /** Absent: nothing is held. */
  readonly writes?: HeldWrites | undefined;
  readonly clock: EngineClock;
  readonly listeners: readonly CommitListener[];
}

/** Bytes of blocks that may wait. */
export const CHECKPOINT_BYTES_MAX: number = 8 * 1024 * 1024;
/** How long a block may wait. */
export const CHECKPOINT_AFTER_MS = 1_000;

/** When what is held is written. */
export class Checkpoints {
  readonly #ports: CheckpointPorts;
  readonly #due: () => void;
  /** Undefined when nothing is held, or no more. */
  #writes: HeldWrites | undefined;
  /** Applied, and not durable. */
  #blocks: CommittedBlock[] = [];
  #bytes = 0;
  #cancelTimer: (() => void) | undefined;

  /** @param due called when `write` should be, because time has passed */
  constructor(ports: CheckpointPorts, due: () => void) {
    this.#ports = ports;
    this.#writes = ports.writes;
    this.#due = due;
  }

  begin(): void {
    this.#writes?.hold();
  }

  /** A block was applied; resolves when the next may be. */
  async applied(committed: CommittedBlock, blockBytes: number): Promise<void> {
    this.#blocks.push(committed);
    this.#bytes += blockBytes;
    const isFull = this.#blocks.length >= HELD_BLOCKS_MAX || this.#bytes >= CHECKPOINT_BYTES_MAX;
    if (isFull || this.#writes === undefined) await this.write();
    else this.#cancelTimer ??= this.#ports.clock.schedule(CHECKPOINT_AFTER_MS, this.#due);
  }

  /** Resolves when everything that was applied is durable. Never while a block is being applied. */
  async write(): Promise<void> {
    this.cancel();
    await this.#writes?.flush();
    this.#bytes = 0;
    for (const committed of this.#blocks.splice(0)) await tellOf(committed, this.#ports.listeners);
  }

  /** Writes, and holds no more. */
  async end(): Promise<void> {
    const writes = this.#writes;
    this.#writes = undefined;
    await writes?.release();
    await this.write();
  }

  cancel(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
  }

  /** Something failed: what is held is lost. */
  abandon(): void {
    this.cancel();
    this.#writes = undefined;
    this.#blocks = [];
  }
}
