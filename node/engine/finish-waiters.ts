/** Who waits for a height to be stored, executed and told of. */
export class FinishWaiters {
  #waiting: { readonly height: bigint; readonly resume: () => void }[] = [];
  #last = 0n;

  /** The height that was finished last; 0n before the first. */
  get last(): bigint {
    return this.#last;
  }

  /** Calls `resume` when the height is finished. */
  add(height: bigint, resume: () => void): void {
    this.#waiting.push({ height, resume });
  }

  finished(height: bigint): void {
    this.#last = height;
    const waiting = this.#waiting;
    this.#waiting = waiting.filter((one) => one.height > height);
    for (const one of waiting) if (one.height <= height) one.resume();
  }

  /** Nothing will be finished any more. */
  release(): void {
    for (const { resume } of this.#waiting.splice(0)) resume();
  }
}
