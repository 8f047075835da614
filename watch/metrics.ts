/** What every watcher counts, whatever it watches. */
import { Counter, Registry } from 'prom-client';
import type { FailureMetrics } from './ports.ts';

/** Metrics under a prefix of the watcher's. */
export class WatcherMetrics implements FailureMetrics {
  readonly registry: Registry = new Registry();
  readonly #prefix: string;
  readonly #sent: Counter;
  readonly #failures: Counter;
  readonly #slow: Counter;
  readonly #bugs: Counter;

  /** @param prefix `gateway_watch` */
  constructor(prefix: string) {
    this.#prefix = prefix;
    this.#sent = this.counter('transactions_total', 'Transactions of the watcher, by what they are.', 'kind');
    this.#failures = this.counter(
      'failures_total',
      'What could not be done and is tried again, by where.',
      'where',
    );
    this.#slow = this.counter('slow_endpoints_total', 'Endpoints that were left alone: they were too slow.');
    this.#bugs = this.counter('bugs_total', 'Failures of the watcher itself: report them.', 'where');
  }

  /** One more counter. */
  protected counter(name: string, help: string, ...labelNames: string[]): Counter {
    return new Counter({ name: `${this.#prefix}_${name}`, help, labelNames, registers: [this.registry] });
  }

  sent(kind: 'conviction' | 'dispute' | 'demand'): void {
    this.#sent.inc({ kind });
  }

  slow(): void {
    this.#slow.inc();
  }

  failure(where: string): void {
    this.#failures.inc({ where });
  }

  bug(where: string): void {
    this.#bugs.inc({ where });
  }
}
