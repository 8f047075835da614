/**
 * Writes of a database, one after the other. LevelDB takes a batch in a thread of its own: two that are under
 * way together take effect in any order.
 */
export class OrderedWrites {
  #last: Promise<unknown> = Promise.resolve();

  /** Writes after all that came before, whatever became of it. Settles as the write does. */
  run(write: () => Promise<void>): Promise<void> {
    const done = this.#last.then(write);
    this.#last = done.catch(() => undefined); // who asked for it hears of it
    return done;
  }

  /** Resolves when nothing is under way. */
  async idle(): Promise<void> {
    await this.#last;
  }
}
