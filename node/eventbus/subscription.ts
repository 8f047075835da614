import type { EventMessage } from '../events.ts';
import type { Query } from '../query.ts';
import type { EventSink } from './event-bus.ts';

/** A subscriber's query, where its events go, and what waits for it. */
export class Subscription {
  readonly query: Query;
  readonly #sink: EventSink;
  readonly #bufferMax: number;
  #buffer: EventMessage[] = [];
  #paused = false;
  #ended = false;

  constructor(query: Query, sink: EventSink, bufferMax: number) {
    this.query = query;
    this.#sink = sink;
    this.#bufferMax = bufferMax;
  }

  /** Delivers or keeps an event. Returns why the subscription has to end, when there is no room for it. */
  push(message: EventMessage): string | undefined {
    if (this.#ended) return undefined;
    if (!this.#paused) {
      this.#paused = !this.#sink.deliver(message);
      return undefined;
    }
    if (this.#buffer.length < this.#bufferMax) {
      this.#buffer.push(message);
      return undefined;
    }
    // CometBFT's words first: clients match them.
    return (
      'internal subscription event buffer is out of capacity; ' +
      `${this.#buffer.length + 1} events were not delivered, subscribe again and read what was missed`
    );
  }

  /** The sink can take events again: delivers what was kept. */
  resume(): void {
    this.#paused = false;
    let sent = 0;
    while (!this.#paused && !this.#ended && sent < this.#buffer.length) {
      const message = this.#buffer[sent++];
      if (message !== undefined) this.#paused = !this.#sink.deliver(message);
    }
    this.#buffer = this.#buffer.slice(sent);
  }

  /** Nothing is delivered any more. */
  end(): void {
    this.#ended = true;
    this.#buffer = [];
  }

  /** Ends it and tells the subscriber why. */
  cancel(reason: string): void {
    this.end();
    this.#sink.cancelled(reason);
  }
}
