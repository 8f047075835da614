/** What a watcher counts. */
import { Counter, Gauge, Registry } from 'prom-client';

/** Metrics under `attest_watch_`. */
export class WatchMetrics {
  readonly registry: Registry = new Registry();
  readonly #rounds: Counter;
  readonly #lastRound: Gauge;
  readonly #shards: Counter;
  readonly #claims: Counter;
  readonly #cards: Counter;
  readonly #sent: Counter;
  readonly #failures: Counter;
  readonly #bugs: Counter;
  readonly #slow: Counter;

  constructor() {
    const registers = [this.registry];
    const counter = (name: string, help: string, labelNames: string[] = []): Counter =>
      new Counter({ name: `attest_watch_${name}`, help, labelNames, registers });
    this.#rounds = counter('rounds_total', 'Looks at the chain, at claims and at what is published.', ['of']);
    this.#lastRound = new Gauge({
      name: 'attest_watch_last_round_timestamp_seconds',
      help: 'When the last look at the chain ended.',
      labelNames: ['of'],
      registers,
    });
    this.#shards = counter('shards_total', 'Shards judged, by verdict.', ['verdict']);
    this.#claims = counter('claims_total', 'Optimistic claims judged, by verdict.', ['verdict']);
    this.#cards = counter('cards_total', 'Model cards judged, by verdict.', ['verdict']);
    this.#sent = counter('transactions_total', 'Transactions of the watcher, by what they are.', ['kind']);
    this.#failures = counter('failures_total', 'What could not be done and is tried again, by where.', [
      'where',
    ]);
    this.#slow = counter(
      'slow_endpoints_total',
      'Endpoints that were left alone because they were too slow.',
    );
    this.#bugs = counter('bugs_total', 'Failures of the watcher itself: report them.', ['where']);
  }

  round(of: 'claims' | 'published'): void {
    this.#rounds.inc({ of });
    this.#lastRound.setToCurrentTime({ of });
  }

  slow(): void {
    this.#slow.inc();
  }

  shard(verdict: string): void {
    this.#shards.inc({ verdict });
  }

  card(verdict: string): void {
    this.#cards.inc({ verdict });
  }

  claim(verdict: string): void {
    this.#claims.inc({ verdict });
  }

  sent(kind: 'conviction' | 'dispute' | 'demand'): void {
    this.#sent.inc({ kind });
  }

  failure(where: string): void {
    this.#failures.inc({ where });
  }

  bug(where: string): void {
    this.#bugs.inc({ where });
  }
}
