/** A seeded source of whole numbers (xorshift128): the same seed gives the same run on every machine. */
export class SeededRandom {
  #a: number;
  #b: number;
  #c: number;
  #d: number;

  constructor(seed: number) {
    this.#a = Math.imul(seed + 1, 0x9e3779b1) >>> 0;
    this.#b = Math.imul(seed ^ 0x85ebca6b, 0xc2b2ae35) >>> 0;
    this.#c = (seed ^ 0x27d4eb2f) >>> 0;
    this.#d = 0x165667b1;
    for (let i = 0; i < 16; i++) this.uint32();
  }

  /** A whole number of 32 bits. */
  uint32(): number {
    const t = this.#a ^ (this.#a << 11);
    this.#a = this.#b;
    this.#b = this.#c;
    this.#c = this.#d;
    this.#d = (this.#d ^ (this.#d >>> 19) ^ t ^ (t >>> 8)) >>> 0;
    return this.#d;
  }

  /** A whole number from 0 to below `limit`. */
  below(limit: number): number {
    return this.uint32() % limit;
  }

  /** True that often in a hundred. */
  percent(chance: number): boolean {
    return this.below(100) < chance;
  }

  /** One of them; undefined when there is none. */
  pick<T>(items: readonly T[]): T | undefined {
    return items[this.below(Math.max(1, items.length))];
  }
}
