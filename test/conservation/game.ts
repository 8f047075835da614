/** The same operations on several books of a pool, and epochs that pay into all of them. */
import { EpochBook } from './epoch-book.ts';
import type { AnyOperation, Book, Operation } from './workload.ts';

/** See the file comment. */
export class Game {
  readonly #books: readonly Book[];
  readonly epochs: EpochBook;
  /** Base units of payments that no epoch made. */
  direct = 0n;
  readonly counts = { pay: 0, claim: 0, order: 0, epoch: 0 };

  constructor(books: readonly Book[]) {
    this.#books = books;
    this.epochs = new EpochBook((place, amount) => this.#onAll({ kind: 'pay', place, amount }));
  }

  take(operation: AnyOperation): void {
    switch (operation.kind) {
      case 'settle':
      case 'dispute':
      case 'entitle':
        this.epochs.take(operation);
        break;
      default:
        if (operation.kind === 'pay') this.direct += operation.amount;
        this.counts[operation.kind]++;
        this.#onAll(operation);
    }
  }

  #onAll(operation: Operation): void {
    for (const book of this.#books) book.take(operation);
  }
}
