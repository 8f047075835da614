/** Encoded frames that wait for one peer on one channel, bounded by bytes. */
import { concatBytes } from '../core/bytes.ts';

/**
 * First in, first out. A frame that does not fit is refused: the newest is dropped, never what was accepted.
 */
export class SendQueue {
  readonly #bytesMax: number;
  #frames: Uint8Array[] = [];
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** Bytes that wait. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Takes a frame; false when it does not fit. A frame larger than the whole queue passes when the queue is
   * empty.
   */
  push(frame: Uint8Array): boolean {
    if (this.#bytes > 0 && this.#bytes + frame.length > this.#bytesMax) return false;
    this.#frames.push(frame);
    this.#bytes += frame.length;
    return true;
  }

  /** Takes out frames up to `bytesMax` together, at least one, as one chunk; undefined when none waits. */
  take(bytesMax: number): Uint8Array | undefined {
    const first = this.#frames[0];
    if (first === undefined) return undefined;
    let count = 1;
    let bytes = first.length;
    for (let next = this.#frames[count]; next !== undefined; next = this.#frames[count]) {
      if (bytes + next.length > bytesMax) break;
      bytes += next.length;
      count++;
    }
    const taken = this.#frames.slice(0, count);
    this.#frames = this.#frames.slice(count);
    this.#bytes -= bytes;
    return count === 1 ? first : concatBytes(...taken);
  }

  /** Forgets everything. */
  clear(): void {
    this.#frames = [];
    this.#bytes = 0;
  }
}
