/**
 * The clock of a simulation: one queue of what is due, in virtual time. One thing runs, then every promise
 * that it settled, then the next. Whatever is due belongs to somebody: what belongs to the dead never runs,
 * what belongs to the paused waits for them.
 */
import { SeededRandom } from '../../consensus/simulation/random.ts';
import type { Timers } from '../../p2p/timers.ts';

interface Due {
  readonly atMs: number;
  readonly sequence: number;
  readonly owner: Owner;
  /** Undefined once cancelled. */
  callback: (() => void) | undefined;
}

/** Somebody who waits for things: a process, or the world. */
export class Owner {
  readonly name: string;
  state: 'running' | 'paused' | 'dead' = 'running';
  /** What fell due while it was paused. */
  held: Due[] = [];

  constructor(name: string) {
    this.name = name;
  }
}

/** See the file comment. */
export class Scheduler {
  readonly random: SeededRandom;
  /** Faults, clients, the heal. */
  readonly world: Owner = new Owner('world');
  /** Told of each event before it runs: the trace is made of this. */
  onEvent: (atMs: number, owner: Owner, sequence: number) => void = () => undefined;
  /** Told of what a callback threw. */
  onError: (owner: Owner, error: unknown) => void = () => undefined;
  events = 0;
  #nowMs = 0;
  #sequence = 0;
  /** A binary heap by time, then by sequence. */
  readonly #heap: Due[] = [];

  constructor(seed: number) {
    this.random = new SeededRandom(seed);
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  after(delayMs: number, callback: () => void, owner: Owner = this.world): () => void {
    const due: Due = {
      atMs: this.#nowMs + Math.max(0, delayMs),
      sequence: this.#sequence++,
      owner,
      callback,
    };
    this.#push(due);
    return () => {
      due.callback = undefined;
    };
  }

  /** The timers of somebody. */
  timersOf(owner: Owner): Timers {
    return {
      nowMs: () => this.#nowMs,
      after: (delayMs, callback) => this.after(delayMs, callback, owner),
    };
  }

  /** What waited for it runs now, in order. */
  resume(owner: Owner): void {
    if (owner.state !== 'paused') return;
    owner.state = 'running';
    for (const due of owner.held.splice(0)) {
      if (due.callback !== undefined) this.after(0, due.callback, owner);
    }
  }

  /** Runs the next thing and what follows from it; false when nothing is due any more. */
  async step(): Promise<boolean> {
    for (;;) {
      const due = this.#pop();
      if (due === undefined) return false;
      const { callback, owner, sequence } = due;
      if (callback === undefined || owner.state === 'dead') continue;
      if (due.atMs > this.#nowMs) this.#nowMs = due.atMs;
      if (owner.state === 'paused') {
        owner.held.push(due);
        continue;
      }
      this.events++;
      this.onEvent(this.#nowMs, owner, sequence);
      due.callback = undefined;
      try {
        callback();
      } catch (error) {
        this.onError(owner, error);
      }
      await drained();
      return true;
    }
  }

  #push(due: Due): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(due);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || !isBefore(due, above)) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = due;
  }

  #pop(): Due | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return first;
    let at = 0;
    for (;;) {
      const left = heap[2 * at + 1];
      const right = heap[2 * at + 2];
      const useRight = right !== undefined && left !== undefined && isBefore(right, left);
      const child = useRight ? right : left;
      if (child === undefined || !isBefore(child, last)) break;
      heap[at] = child;
      at = 2 * at + (useRight ? 2 : 1);
    }
    heap[at] = last;
    return first;
  }
}

function isBefore(a: Due, b: Due): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.sequence < b.sequence);
}

/** All promise reactions have run: nothing in a simulation waits for anything real. */
function drained(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
