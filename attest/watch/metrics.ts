/** What a watcher of attribution counts. */
import { type Counter, Gauge } from 'prom-client';
import { WatcherMetrics } from '../../watch/metrics.ts';

/** Metrics under `attest_watch_`. */
export class WatchMetrics extends WatcherMetrics {
  readonly #rounds: Counter;
  readonly #lastRound: Gauge;
  readonly #shards: Counter;
  readonly #claims: Counter;
  readonly #cards: Counter;

  constructor() {
    super('attest_watch');
    this.#rounds = this.counter(
      'rounds_total',
      'Looks at the chain, at claims and at what is published.',
      'of',
    );
    this.#lastRound = new Gauge({
      name: 'attest_watch_last_round_timestamp_seconds',
      help: 'When the last look at the chain ended.',
      labelNames: ['of'],
      registers: [this.registry],
    });
    this.#shards = this.counter('shards_total', 'Shards judged, by verdict.', 'verdict');
    this.#claims = this.counter('claims_total', 'Optimistic claims judged, by verdict.', 'verdict');
    this.#cards = this.counter('cards_total', 'Model cards judged, by verdict.', 'verdict');
  }

  round(of: 'claims' | 'published'): void {
    this.#rounds.inc({ of });
    this.#lastRound.setToCurrentTime({ of });
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
}
