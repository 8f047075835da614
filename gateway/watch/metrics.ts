/** What a watcher of epochs counts. */
import { type Counter, Gauge } from 'prom-client';
import { WatcherMetrics } from '../../watch/metrics.ts';

/** Metrics under `gateway_watch_`. */
export class EpochWatchMetrics extends WatcherMetrics {
  readonly #rounds: Counter;
  readonly #lastRound: Gauge;
  readonly #epochs: Counter;

  constructor() {
    super('gateway_watch');
    this.#rounds = this.counter('rounds_total', 'Looks at the chain and at what gateways serve.');
    this.#lastRound = new Gauge({
      name: 'gateway_watch_last_round_timestamp_seconds',
      help: 'When the last look at the chain ended.',
      registers: [this.registry],
    });
    this.#epochs = this.counter('epochs_total', 'Epochs judged, by verdict.', 'verdict');
  }

  round(): void {
    this.#rounds.inc();
    this.#lastRound.setToCurrentTime();
  }

  epoch(verdict: 'right' | 'wrong' | 'unserved'): void {
    this.#epochs.inc({ verdict });
  }
}
