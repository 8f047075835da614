/** Runs synchronous work in the order of its arrival, each piece once what it waits for is there. */

interface Entry {
  ready: boolean;
  readonly run: () => void;
}

/** See the file comment. Its length is bounded by whoever calls: the mempool limits the checks under way. */
export class OrderedQueue {
  readonly #entries: Entry[] = [];
  /** Entries before this index are done; they are cut off now and then. */
  #next = 0;

  /** Resolves to what `work` returns. `ready` never rejects; undefined is ready at once. */
  run<T>(ready: Promise<void> | undefined, work: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      const entry: Entry = {
        ready: ready === undefined,
        run: () => {
          try {
            resolve(work());
          } catch (error) {
            reject(error);
          }
        },
      };
      this.#entries.push(entry);
      if (ready === undefined) return this.#drain();
      void ready.then(() => {
        entry.ready = true;
        this.#drain();
      });
    });
  }

  #drain(): void {
    for (;;) {
      const entry = this.#entries[this.#next];
      if (entry?.ready !== true) break;
      this.#next++;
      entry.run();
    }
    if (this.#next < this.#entries.length && this.#next < CUT_OFF_AFTER) return;
    this.#entries.splice(0, this.#next);
    this.#next = 0;
  }
}

const CUT_OFF_AFTER = 1_024;
