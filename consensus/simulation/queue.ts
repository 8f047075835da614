/** Events by time, and of one time by the order in which they were put: a binary heap. */
export class EventQueue {
  readonly #heap: Entry[] = [];
  #sequence = 0;
  #nowMs = 0;

  /** Simulated time. */
  get nowMs(): number {
    return this.#nowMs;
  }

  /** Puts an event that many milliseconds ahead. */
  after(delayMs: number, run: () => void): void {
    const entry = { atMs: this.#nowMs + delayMs, sequence: this.#sequence++, run };
    this.#heap.push(entry);
    let at = this.#heap.length - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#isBefore(at, parent)) break;
      this.#swap(at, parent);
      at = parent;
    }
  }

  /** Runs the next event; false when there is none. */
  runNext(): boolean {
    const [first] = this.#heap;
    const last = this.#heap.pop();
    if (first === undefined || last === undefined) return false;
    if (this.#heap.length > 0) {
      this.#heap[0] = last;
      this.#sink();
    }
    this.#nowMs = first.atMs;
    first.run();
    return true;
  }

  #sink(): void {
    for (let at = 0; ; ) {
      let least = at;
      for (const child of [2 * at + 1, 2 * at + 2]) {
        if (child < this.#heap.length && this.#isBefore(child, least)) least = child;
      }
      if (least === at) return;
      this.#swap(at, least);
      at = least;
    }
  }

  #isBefore(a: number, b: number): boolean {
    const left = this.#heap[a];
    const right = this.#heap[b];
    if (left === undefined || right === undefined) return false;
    return left.atMs < right.atMs || (left.atMs === right.atMs && left.sequence < right.sequence);
  }

  #swap(a: number, b: number): void {
    const left = this.#heap[a];
    const right = this.#heap[b];
    if (left === undefined || right === undefined) return;
    this.#heap[a] = right;
    this.#heap[b] = left;
  }
}

interface Entry {
  readonly atMs: number;
  readonly sequence: number;
  readonly run: () => void;
}
