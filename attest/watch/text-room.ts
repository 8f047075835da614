/** How much memory texts may take while they are fetched: the chain allows texts of any size. */

import { assert } from '../../core/errors.ts';

/** Room for texts; who needs more of it than is free waits for his turn. */
export class TextRoom {
  /** Of all texts in it together, and so of each. */
  readonly bytesMax: number;
  readonly #waiting: { readonly bytes: number; readonly enter: () => void }[] = [];
  #used = 0;

  constructor({ bytesMax }: { readonly bytesMax: number }) {
    this.bytesMax = bytesMax;
  }

  /** Does something for which a text of so many bytes, at most `bytesMax`, is held in memory. */
  async hold<T>(bytes: number, task: () => Promise<T>): Promise<T> {
    // It would wait for ever, and all that come after it.
    assert(bytes <= this.bytesMax, 'a text that is longer than all room there is', { bytes });
    await new Promise<void>((enter) => {
      this.#waiting.push({ bytes, enter });
      this.#admit();
    });
    try {
      return await task();
    } finally {
      this.#used -= bytes;
      this.#admit();
    }
  }

  #admit(): void {
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      if (this.#used + next.bytes > this.bytesMax) return;
      this.#used += next.bytes;
      this.#waiting.shift();
      next.enter();
    }
  }
}
