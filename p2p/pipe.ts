/** A channel between two nodes in memory. */
import type { ChannelSpec } from './network.ts';

/** Messages on their way from one node to another on one channel. */
export class Pipe {
  readonly #spec: ChannelSpec;
  readonly #deliver: (bytes: Uint8Array) => Promise<void> | undefined;
  readonly #arrived: Uint8Array[] = [];
  #bytes = 0;
  #inFlight = 0;

  constructor(spec: ChannelSpec, deliver: (bytes: Uint8Array) => Promise<void> | undefined) {
    this.#spec = spec;
    this.#deliver = deliver;
  }

  /** Takes room for a message; false when there is none. */
  reserve(length: number): boolean {
    if (this.#bytes > 0 && this.#bytes + length > this.#spec.queueBytesMax) return false;
    this.#bytes += length;
    return true;
  }

  /** Gives the room of a message back: it will not arrive. */
  release(length: number): void {
    this.#bytes -= length;
  }

  /** Another copy of a message arrives. */
  arriveAgain(bytes: Uint8Array): void {
    this.#bytes += bytes.length;
    this.arrive(bytes);
  }

  arrive(bytes: Uint8Array): void {
    this.#arrived.push(bytes);
    this.#drain();
  }

  #drain(): void {
    while (this.#inFlight < this.#spec.inFlightMax) {
      const bytes = this.#arrived.shift();
      if (bytes === undefined) return;
      this.#bytes -= bytes.length;
      const pending = this.#deliver(bytes);
      if (pending === undefined) continue;
      this.#inFlight++;
      void pending.then(() => {
        this.#inFlight--;
        this.#drain();
      });
    }
  }
}
