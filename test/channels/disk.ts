/** A disk that crashes: what was not synced is lost in part, torn at any byte. */
import type { JournalDisk } from '../../client/vouchers/journal.ts';
import type { Random } from '../operations/random.ts';

/** Power went. */
export class Crash extends Error {}

/** How a disk lies: for tests that have to find it out. */
export interface DiskFaults {
  /** `sync` does nothing. */
  readonly liesAboutSync?: boolean;
}

/** See the file comment. */
export class CrashDisk implements JournalDisk {
  #durable: Uint8Array = new Uint8Array(0);
  #waiting: Uint8Array = new Uint8Array(0);
  #operationsLeft = Number.POSITIVE_INFINITY;
  readonly #random: Random;
  readonly #faults: DiskFaults;

  constructor(random: Random, faults: DiskFaults = {}) {
    this.#random = random;
    this.#faults = faults;
  }

  /** Power goes at the so many-th operation from now, before, in the middle of or after it. */
  arm(operations: number): void {
    this.#operationsLeft = operations;
  }

  /** Whatever was not synced is lost, or not, or in part. What is left is what the next process reads. */
  crash(): void {
    const kept = this.#waiting.slice(0, this.#random.below(this.#waiting.length + 1));
    if (kept.length > 0 && this.#random.oneIn(3))
      kept[this.#random.below(kept.length)] = this.#random.below(256);
    this.#durable = Buffer.concat([this.#durable, kept]);
    this.#waiting = new Uint8Array(0);
    this.#operationsLeft = Number.POSITIVE_INFINITY;
  }

  async read(): Promise<Uint8Array> {
    return Buffer.concat([this.#durable, this.#waiting]);
  }

  async append(bytes: Uint8Array): Promise<void> {
    this.#waiting = Buffer.concat([this.#waiting, bytes]);
    this.#operate();
  }

  async sync(): Promise<void> {
    const isBefore = this.#random.oneIn(2);
    if (isBefore) this.#operate();
    if (this.#faults.liesAboutSync !== true) {
      this.#durable = Buffer.concat([this.#durable, this.#waiting]);
      this.#waiting = new Uint8Array(0);
    }
    if (!isBefore) this.#operate();
  }

  async replace(bytes: Uint8Array): Promise<void> {
    const isBefore = this.#random.oneIn(2);
    if (isBefore) this.#operate();
    this.#durable = bytes;
    this.#waiting = new Uint8Array(0);
    if (!isBefore) this.#operate();
  }

  async close(): Promise<void> {}

  #operate(): void {
    this.#operationsLeft--;
    if (this.#operationsLeft <= 0) throw new Crash('power went');
  }
}
