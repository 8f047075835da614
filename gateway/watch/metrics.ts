/** What a watcher of epochs counts. */
import { Counter, Gauge, Registry } from 'prom-client';
import type { FailureMetrics } from '../../watch/ports.ts';

/** Metrics under `gateway_watch_`. */
export class EpochWatchMetrics implements FailureMetrics {
  readonly registry: Registry = new Registry();
  readonly #rounds: Counter;
  readonly #lastRound: Gauge;
  readonly #epochs: Counter;
  readonly #sent: Counter;
  readonly #failures: Counter;
  readonly #bugs: Counter;
  readonly #slow: Counter;

  constructor() {
    const registers = [this.registry];
    const counter = (name: string, help: string, labelNames: string[] = []): Counter =>
      new Counter({ name: `gateway_watch_${name}`, help, labelNames, registers });
    this.#rounds = counter('rounds_total', 'Looks at the chain and at what gateways serve.');
    this.#lastRound = new Gauge({
      name: 'gateway_watch_last_round_timestamp_seconds',
      help: 'When the last look at the chain ended.',
      registers,
    });
    this.#epochs = counter('epochs_total', 'Epochs judged, by verdict.', ['verdict']);
    this.#sent = counter('transactions_total', 'Transactions of the watcher, by what they are.', ['kind']);
    this.#failures = counter('failures_total', 'What could not be done and is tried again, by where.', [
      'where',
    ]);
    this.#slow = counter('slow_endpoints_total', 'Endpoints that were left alone: they were too slow.');
    this.#bugs = counter('bugs_total', 'Failures of the watcher itself: report them.', ['where']);
  }

  round(): void {
    this.#rounds.inc();
    this.#lastRound.setToCurrentTime();
  }

  epoch(verdict: 'right' | 'wrong' | 'unserved'): void {
    this.#epochs.inc({ verdict });
  }

  sent(kind: 'dispute' | 'demand'): void {
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
