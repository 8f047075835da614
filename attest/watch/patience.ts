/**
 * How long endpoints are waited for: each has a budget of time in each round, whatever it is asked. When that
 * is spent, open questions end and it counts as serving nothing: in this round, and in the next 2, 4, … 64 as
 * long as it stays slow. So who drips holds up what is asked of himself, and nobody else.
 *
 * An endpoint is asked a few questions at a time, far fewer than an honest one takes of one address
 * (docs/operations/attestor.md).
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

/** Questions that one endpoint is asked at the same time: the rest waits, and counts as asked. */
const QUESTIONS_AT_ONCE = 4;

interface Endpoint {
  readonly cancel: AbortController;
  readonly publisher: Publisher;
  /** Ends the questions that are open. */
  readonly open: Set<() => void>;
  readonly turns: Turns;
  spent: number;
}

/** Lets so many do something at a time, in the order in which they come. */
class Turns {
  readonly #waiting: (() => void)[] = [];
  #free: number;

  constructor(most: number) {
    this.#free = most;
  }

  async take<T>(task: () => Promise<T>): Promise<T> {
    if (this.#free === 0) await new Promise<void>((enter) => void this.#waiting.push(enter));
    else this.#free--;
    try {
      return await task();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free++;
      else next();
    }
  }
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
      const asked = endpoint.turns.take(async () =>
        endpoint.cancel.signal.aborted ? undefined : await question(endpoint.publisher),
      );
      return await Promise.race([asked, isOver]);
    } finally {
      endpoint.open.delete(end);
    }
  }

  #endpoint(name: string): Endpoint {
    const known = this.#asked.get(name);
    if (known !== undefined) return known;
    const cancel = new AbortController();
    const publisher = this.#parts.publishers(name, cancel.signal);
    const turns = new Turns(QUESTIONS_AT_ONCE);
    const endpoint = { cancel, publisher, open: new Set<() => void>(), turns, spent: 0 };
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
