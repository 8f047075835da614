/** A memo of bounded size: when it is full, the half that was added or used longest ago is forgotten. */
export class BoundedMap<K, V> {
  readonly #capacity: number;
  #recent = new Map<K, V>();
  #older = new Map<K, V>();

  /** @param capacity most entries held at any time */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#recent.size + this.#older.size;
  }

  get(key: K): V | undefined {
    const recent = this.#recent.get(key);
    if (recent !== undefined) return recent;
    const older = this.#older.get(key);
    if (older !== undefined) this.set(key, older);
    return older;
  }

  set(key: K, value: V): void {
    if (this.#recent.size >= this.#capacity / 2 && !this.#recent.has(key)) {
      this.#older = this.#recent;
      this.#recent = new Map();
    }
    this.#older.delete(key);
    this.#recent.set(key, value);
  }
}
