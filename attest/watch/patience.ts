/**
 * How long endpoints are waited for: each has a budget of time in each round, whatever it is asked. When that
 * is spent, open questions end and it counts as serving nothing: in this round, and in the next 2, 4, … 64 as
 * long as it stays slow. So who drips holds up what is asked of himself, and nobody else.
 *
 * Time is counted in the ticks at which a question is open. A tick that comes late counts as one: when
 * recomputing a shard keeps the processor for a minute, that is not the endpoints' fault.
 */
import { PAUSE_ROUNDS_MAX, pauseRounds } from './attempts.ts';
import type { Publisher, Publishers } from './ports.ts';

/** Calls back at every tick until it is stopped by what it returns. */
export type Ticks = (onTick: () => void) => () => void;

/** What patience is made of. */
export interface PatienceParts {
  readonly publishers: Publishers;
  readonly ticks: Ticks;
  /** Hears of an endpoint that is too slow, and for how many rounds it is left alone. */
  readonly onSlow: (endpoint: string, rounds: number) => void;
}

interface Endpoint {
  readonly cancel: AbortController;
  readonly publisher: Publisher;
  /** Ends the questions that are open. */
  readonly open: Set<() => void>;
  spent: number;
}

/** Rounds in which an endpoint was too slow, one after another. */
interface Slowness {
  readonly times: number;
  readonly nextRound: number;
}

/** Opens endpoints within their budgets. */
export class Patience {
  readonly #parts: PatienceParts;
  readonly #ticksMax: number;
  /** Those that were asked in this round. */
  readonly #asked = new Map<string, Endpoint>();
  readonly #slow = new Map<string, Slowness>();
  #stop: () => void = () => undefined;
  #round = 0;

  constructor(parts: PatienceParts, { ticksMax }: { readonly ticksMax: number }) {
    this.#parts = parts;
    this.#ticksMax = ticksMax;
  }

  /** Begins a round, with new budgets. Nothing of the last one may be under way. */
  begin(): void {
    this.#round++;
    for (const [endpoint, { nextRound }] of this.#slow) {
      const { cancel } = this.#asked.get(endpoint) ?? {};
      const wasInTime = cancel !== undefined && !cancel.signal.aborted;
      if (wasInTime || nextRound + PAUSE_ROUNDS_MAX < this.#round) this.#slow.delete(endpoint);
    }
    this.#asked.clear();
    this.#stop = this.#parts.ticks(() => this.#tick());
  }

  /** Ends a round. */
  end(): void {
    this.#stop();
  }

  /** What is served at an endpoint, in time. */
  publisher(endpoint: string): Publisher {
    const ask = <T>(question: (publisher: Publisher) => Promise<T | undefined>): Promise<T | undefined> =>
      this.#ask(endpoint, question);
    return {
      content: (...about) => ask((publisher) => publisher.content(...about)),
      leaves: (...about) => ask((publisher) => publisher.leaves(...about)),
      nodes: (...about) => ask((publisher) => publisher.nodes(...about)),
      influenceLeaves: (...about) => ask((publisher) => publisher.influenceLeaves(...about)),
    };
  }

  async #ask<T>(
    name: string,
    question: (publisher: Publisher) => Promise<T | undefined>,
  ): Promise<T | undefined> {
    if ((this.#slow.get(name)?.nextRound ?? 0) > this.#round) return undefined;
    const endpoint = this.#endpoint(name);
    let end = (): void => undefined;
    const isOver = new Promise<undefined>((resolve) => {
      end = () => resolve(undefined);
    });
    endpoint.open.add(end);
    try {
      return await Promise.race([question(endpoint.publisher), isOver]);
    } finally {
      endpoint.open.delete(end);
    }
  }

  #endpoint(name: string): Endpoint {
    const known = this.#asked.get(name);
    if (known !== undefined) return known;
    const cancel = new AbortController();
    const publisher = this.#parts.publishers(name, cancel.signal);
    const endpoint = { cancel, publisher, open: new Set<() => void>(), spent: 0 };
    this.#asked.set(name, endpoint);
    return endpoint;
  }

  #tick(): void {
    for (const [name, endpoint] of this.#asked) {
      if (endpoint.open.size === 0 || ++endpoint.spent < this.#ticksMax) continue;
      const times = (this.#slow.get(name)?.times ?? 0) + 1;
      const rounds = pauseRounds(times);
      // The rounds in which it is not asked begin with the next one.
      this.#slow.set(name, { times, nextRound: this.#round + 1 + rounds });
      this.#parts.onSlow(name, rounds);
      endpoint.cancel.abort();
      for (const end of endpoint.open) end();
    }
  }
}
