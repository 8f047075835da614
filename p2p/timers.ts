/** Time as the shell's network code sees it, so that tests and the simulator can own it. */

/** A clock and its timers. */
export interface Timers {
  /** Milliseconds since some fixed moment; never goes back. */
  nowMs(): number;
  /** Calls once after the delay; returns how to cancel. */
  after(delayMs: number, callback: () => void): () => void;
}

/** The machine's clock. Its timers do not keep the process alive. */
export const systemTimers: Timers = {
  nowMs: () => performance.now(),
  after: (delayMs, callback) => {
    const timer = setTimeout(callback, delayMs);
    timer.unref();
    return () => clearTimeout(timer);
  },
};

/** A condition is looked at this often, in virtual time, when nothing falls due. */
const IDLE_STEP_MS = 10;

interface Due {
  readonly atMs: number;
  readonly sequence: number;
  /** Undefined once cancelled. */
  callback: (() => void) | undefined;
}

/**
 * Time that moves only when told to. Callbacks due at one moment run in the order in which they were asked
 * for.
 */
export class VirtualTimers implements Timers {
  #nowMs = 0;
  #sequence = 0;
  /** A binary heap by time, then by sequence. */
  readonly #heap: Due[] = [];

  nowMs(): number {
    return this.#nowMs;
  }

  after(delayMs: number, callback: () => void): () => void {
    const due: Due = { atMs: this.#nowMs + Math.max(0, delayMs), sequence: this.#sequence++, callback };
    this.#push(due);
    return () => {
      due.callback = undefined;
    };
  }

  /** Runs what falls due within the next `durationMs`, letting promises settle after each callback. */
  async advance(durationMs: number): Promise<void> {
    const untilMs = this.#nowMs + durationMs;
    await settle();
    for (let due = this.#heap[0]; due !== undefined && due.atMs <= untilMs; due = this.#heap[0]) {
      this.#pop();
      if (due.callback === undefined) continue;
      this.#nowMs = due.atMs;
      due.callback();
      await settle();
    }
    this.#nowMs = untilMs;
  }

  /**
   * Advances in small steps until the condition holds.
   * @returns false when `limitMs` of virtual time passed without it
   */
  async advanceUntil(condition: () => boolean, limitMs: number): Promise<boolean> {
    const untilMs = this.#nowMs + limitMs;
    await settle();
    while (!condition()) {
      if (this.#nowMs >= untilMs) return false;
      const dueMs = this.#heap[0]?.atMs ?? Number.POSITIVE_INFINITY;
      await this.advance(Math.min(dueMs - this.#nowMs, IDLE_STEP_MS, untilMs - this.#nowMs));
    }
    return true;
  }

  #push(due: Due): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(due);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || !before(due, above)) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = due;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      const left = heap[2 * at + 1];
      const right = heap[2 * at + 2];
      const useRight = right !== undefined && left !== undefined && before(right, left);
      const child = useRight ? right : left;
      if (child === undefined || !before(child, last)) break;
      heap[at] = child;
      at = 2 * at + (useRight ? 2 : 1);
    }
    heap[at] = last;
  }
}

function before(a: Due, b: Due): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.sequence < b.sequence);
}

/** Lets every promise reaction that is ready run. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
