/** Writes that come while the disk is busy go to it together, and are durable together. */
import type { LedgerError } from '../../core/errors.ts';

interface Waiting<T> {
  readonly item: T;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** What is done with what has gathered. */
export interface GroupCommitPorts<T> {
  /** Writes it, in its order; resolves when it is durable. */
  readonly write: (items: readonly T[]) => Promise<void>;
  /** What is said when it could not be written. */
  readonly failed: (cause: unknown) => LedgerError;
}

/** Items in the order in which they become durable. After a failed write there are no others. */
export class GroupCommit<T> {
  readonly #ports: GroupCommitPorts<T>;
  #waiting: Waiting<T>[] = [];
  #flushing: Promise<void> | undefined;
  #failure: LedgerError | undefined;

  constructor(ports: GroupCommitPorts<T>) {
    this.#ports = ports;
  }

  /** After a failed write nobody knows what is on the disk: start from what is there. */
  get failure(): LedgerError | undefined {
    return this.#failure;
  }

  /** Resolves when the item is durable. @throws LedgerError (`failed`) when it or one before it was not written */
  add(item: T): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    const durable = new Promise<void>((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject });
    });
    this.#flushing ??= this.#flush();
    return durable;
  }

  /** Resolves when nothing waits any more. */
  async idle(): Promise<void> {
    await this.#flushing;
  }

  async #flush(): Promise<void> {
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const batch = this.#waiting;
      this.#waiting = [];
      try {
        await this.#ports.write(batch.map(({ item }) => item));
        for (const { resolve } of batch) resolve();
      } catch (cause) {
        this.#fail(cause, batch);
      }
    }
    this.#flushing = undefined;
  }

  #fail(cause: unknown, batch: readonly Waiting<T>[]): void {
    const failure = this.#ports.failed(cause);
    this.#failure = failure;
    for (const { reject } of [...batch, ...this.#waiting]) reject(failure);
    this.#waiting = [];
  }
}
