/**
 * Makes one row of blocks out of the reports of several nodes: each height once, in order, and only when
 * every running node has it (so that whoever hears of a block can read it from any of them), or some time
 * after the first had it.
 */
import type { BlockMessage } from '../child-messages.ts';

/** How long a node that lags can hold a block back. */
const LAG_MS = 250;

/** Timers, so that tests need not wait. */
export interface TrackerTimers {
  schedule(delayMs: number, callback: () => void): () => void;
}

interface Waiting {
  readonly block: BlockMessage;
  readonly cancel: () => void;
}

/** The blocks of a devnet. */
export class BlockTracker {
  readonly #emit: (block: BlockMessage) => void;
  readonly #timers: TrackerTimers;
  /** Last height by node; only of nodes that run. */
  readonly #heights: Map<string, number> = new Map();
  /** By height; bounded by the heights that come within LAG_MS. */
  readonly #waiting: Map<number, Waiting> = new Map();
  #emitted = 0;

  constructor(timers: TrackerTimers, emit: (block: BlockMessage) => void) {
    this.#timers = timers;
    this.#emit = emit;
  }

  /** A node runs: its blocks are waited for. */
  join(node: string): void {
    this.#heights.set(node, 0);
  }

  /** A node is gone. */
  leave(node: string): void {
    this.#heights.delete(node);
    this.#release(0);
  }

  /** A node has committed a block. */
  report(node: string, block: BlockMessage): void {
    this.#heights.set(node, block.height);
    if (block.height > this.#emitted && !this.#waiting.has(block.height)) {
      const cancel = this.#timers.schedule(LAG_MS, () => this.#release(block.height));
      this.#waiting.set(block.height, { block, cancel });
    }
    this.#release(0);
  }

  /** Emits what all have, and everything up to `dueHeight`. */
  #release(dueHeight: number): void {
    const common = this.#heights.size === 0 ? 0 : Math.min(...this.#heights.values());
    const due = [...this.#waiting.keys()].filter((height) => height <= Math.max(common, dueHeight));
    for (const height of due.sort((a, b) => a - b)) {
      const waiting = this.#waiting.get(height);
      this.#waiting.delete(height);
      if (waiting === undefined) continue;
      waiting.cancel();
      this.#emitted = height;
      this.#emit(waiting.block);
    }
  }
}
