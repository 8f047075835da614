/**
 * A bounded queue of work. Beyond its bound new entries are dropped and counted: peers send again.
 */
export class BoundedQueue<T> {
  readonly #max: number;
  #entries: T[] = [];
  #head = 0;
  #dropped = 0;

  constructor(max: number) {
    this.#max = max;
  }

  get length(): number {
    return this.#entries.length - this.#head;
  }

  /** How many were dropped since the start. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Takes an entry; false when it was dropped. */
  push(entry: T): boolean {
    if (this.length >= this.#max) {
      this.#dropped++;
      return false;
    }
    this.#entries.push(entry);
    return true;
  }

  shift(): T | undefined {
    const entry = this.#entries[this.#head];
    if (entry === undefined) return undefined;
    this.#head++;
    if (this.#head > 1024 && this.#head * 2 > this.#entries.length) {
      this.#entries = this.#entries.slice(this.#head);
      this.#head = 0;
    }
    return entry;
  }

  /** Forgets the entries that this is true of. */
  remove(isUnwanted: (entry: T) => boolean): void {
    this.#entries = this.#entries.slice(this.#head).filter((entry) => !isUnwanted(entry));
    this.#head = 0;
  }

  /** Takes all entries out. */
  drain(): readonly T[] {
    const entries = this.#entries.slice(this.#head);
    this.#entries = [];
    this.#head = 0;
    return entries;
  }
}
