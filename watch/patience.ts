/**
 * How long endpoints are waited for: each has a budget of time in each round, whatever it is asked. When that
 * is spent, open questions end and it counts as serving nothing: in this round, and in the next 2, 4, … 64 as
 * long as it stays slow. So who drips holds up what is asked of himself, and nobody else.
 *
 * What several endpoints may serve, as a shard, is waited for no longer than one endpoint: each has its
 * equal part of that time there, so that the first, dripping, takes none of the last one's. When its part is
 * spent it serves nothing more of this in the round; who has answered nothing by then, in the whole round, is
 * slow.
 *
 * An endpoint is asked a few questions at a time, far fewer than an honest one takes of one address
 * (docs/operations/attestor.md).
 *
 * Time is counted in the ticks at which a question is open. A tick that comes late counts as one: when
 * recomputing a shard keeps the processor for a minute, that is not the endpoints' fault.
 */
import { PAUSE_ROUNDS_MAX, pauseRounds } from './attempts.ts';

/** Calls back at every tick until it is stopped by what it returns. */
export type Ticks = (onTick: () => void) => () => void;

/** Asks a publisher something in its time; undefined when that is over. */
export type AskInTime<P> = <T>(question: (publisher: P) => Promise<T | undefined>) => Promise<T | undefined>;

/** What patience is made of. */
export interface PatienceParts<P> {
  /** Opens an endpoint; when the signal is aborted, nobody waits for it any more. */
  readonly publishers: (endpoint: string, signal?: AbortSignal) => P;
  /** A publisher whose questions are asked so. */
  readonly guarded: (ask: AskInTime<P>) => P;
  readonly ticks: Ticks;
  /** Hears of an endpoint that is too slow, and for how many rounds it is left alone. */
  readonly onSlow: (endpoint: string, rounds: number) => void;
}

/** Questions that one endpoint is asked at the same time: the rest waits, and counts as asked. */
const QUESTIONS_AT_ONCE = 4;

/** Time that is waited for somebody. */
interface Budget {
  readonly ticksMax: number;
  /** Ends the questions that are open. */
  readonly open: Set<() => void>;
  spent: number;
}

/** What an endpoint has of the time for one thing. */
interface Part<P> extends Budget {
  readonly endpoint: string;
  readonly cancel: AbortController;
  readonly publisher: P;
}

interface Endpoint<P> extends Budget {
  readonly turns: Turns;
  readonly parts: Set<Part<P>>;
  hasAnswered: boolean;
  /** It is asked nothing more in this round. */
  isSlow: boolean;
}

function budgetOf(ticksMax: number): Budget {
  return { ticksMax, open: new Set(), spent: 0 };
}

function isSpent({ spent, ticksMax }: Budget): boolean {
  return spent >= ticksMax;
}

/** Spends a tick while a question is open: whether it was the last one. */
function spend(budget: Budget): boolean {
  if (budget.open.size === 0 || isSpent(budget)) return false;
  budget.spent++;
  return isSpent(budget);
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
export class Patience<P> {
  readonly #parts: PatienceParts<P>;
  readonly #ticksMax: number;
  /** Those that were asked in this round. */
  readonly #asked = new Map<string, Endpoint<P>>();
  readonly #slow = new Map<string, Slowness>();
  #stop: () => void = () => undefined;
  #round = 0;

  constructor(parts: PatienceParts<P>, { ticksMax }: { readonly ticksMax: number }) {
    this.#parts = parts;
    this.#ticksMax = ticksMax;
  }

  /** Begins a round, with new budgets. Nothing of the last one may be under way. */
  begin(): void {
    this.#round++;
    for (const [endpoint, { nextRound }] of this.#slow) {
      const wasInTime = this.#asked.get(endpoint)?.isSlow === false;
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
  publisher(endpoint: string): P {
    return this.#publisher(endpoint, this.#ticksMax);
  }

  /**
   * What is served of one thing at any of these endpoints, in this round: they share the time of one, but
   * none has less than a tick.
   */
  publishers(endpoints: readonly string[]): readonly P[] {
    const ticksMax = Math.max(1, Math.floor(this.#ticksMax / endpoints.length));
    return endpoints.map((endpoint) => this.#publisher(endpoint, ticksMax));
  }

  #publisher(endpoint: string, ticksMax: number): P {
    const cancel = new AbortController();
    const publisher = this.#parts.publishers(endpoint, cancel.signal);
    const part: Part<P> = { ...budgetOf(ticksMax), endpoint, cancel, publisher };
    return this.#parts.guarded((question) => this.#ask(part, question));
  }

  async #ask<T>(part: Part<P>, question: (publisher: P) => Promise<T | undefined>): Promise<T | undefined> {
    const isLeft = (this.#slow.get(part.endpoint)?.nextRound ?? 0) > this.#round;
    if (isLeft || isSpent(part)) return undefined;
    const endpoint = this.#endpoint(part.endpoint);
    endpoint.parts.add(part);
    let end = (): void => undefined;
    const isOver = new Promise<undefined>((resolve) => {
      end = () => resolve(undefined);
    });
    for (const { open } of [endpoint, part]) open.add(end);
    try {
      const asked = endpoint.turns.take(async () => {
        if (part.cancel.signal.aborted) return undefined;
        const answer = await question(part.publisher);
        endpoint.hasAnswered ||= !part.cancel.signal.aborted;
        return answer;
      });
      return await Promise.race([asked, isOver]);
    } finally {
      for (const { open } of [endpoint, part]) open.delete(end);
    }
  }

  #endpoint(name: string): Endpoint<P> {
    const known = this.#asked.get(name);
    if (known !== undefined) return known;
    const turns = new Turns(QUESTIONS_AT_ONCE);
    const asked = { turns, parts: new Set<Part<P>>(), hasAnswered: false, isSlow: false };
    const endpoint: Endpoint<P> = { ...budgetOf(this.#ticksMax), ...asked };
    this.#asked.set(name, endpoint);
    return endpoint;
  }

  #tick(): void {
    for (const [name, endpoint] of this.#asked) {
      let isSlow = spend(endpoint);
      for (const part of endpoint.parts) {
        if (!spend(part)) continue;
        isSlow ||= !endpoint.hasAnswered;
        endPart(part);
      }
      if (isSlow && !endpoint.isSlow) this.#leave(name, endpoint);
    }
  }

  /** Asks an endpoint nothing more, in this round and the next ones. */
  #leave(name: string, endpoint: Endpoint<P>): void {
    endpoint.isSlow = true;
    const times = (this.#slow.get(name)?.times ?? 0) + 1;
    const rounds = pauseRounds(times);
    // The rounds in which it is not asked begin with the next one.
    this.#slow.set(name, { times, nextRound: this.#round + 1 + rounds });
    this.#parts.onSlow(name, rounds);
    for (const part of endpoint.parts) endPart(part);
  }
}

function endPart({ cancel, open }: Pick<Part<unknown>, 'cancel' | 'open'>): void {
  cancel.abort();
  for (const end of open) end();
}
