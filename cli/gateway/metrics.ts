/** What a gateway's server counts. */
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { CutReason } from '../../serve/connections.ts';
import type { ServerMetrics } from '../../serve/server.ts';
import type { OutcomeName } from './routes.ts';

const SECONDS_BUCKETS: number[] = [0.005, 0.025, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300];

/** Read when somebody asks. */
export interface GatewayGauges {
  /** Requests that are being answered. */
  readonly serving: () => number;
  /** Receipts that no epoch states. */
  readonly receipts: () => number;
  /** Base units that were charged and not claimed. */
  readonly unclaimed: () => bigint;
  /** Rounds that wait, as receipts are missing. */
  readonly heldRounds: () => number;
  /** Lanes whose charges were lost, and that wait for a voucher. */
  readonly lostLanes: () => number;
}

/** Metrics under `gateway_serve_`. */
export class GatewayMetrics implements ServerMetrics {
  readonly registry: Registry = new Registry();
  readonly #requests: Counter;
  readonly #seconds: Histogram;
  readonly #outcomes: Counter;
  readonly #rounds: Counter;
  readonly #cuts: Counter;

  constructor(gauges: GatewayGauges) {
    this.#gauge('serving', 'Requests that are being answered.', gauges.serving);
    this.#gauge('receipts', 'Receipts that no epoch states, with the last of each lane.', gauges.receipts);
    this.#gauge('unclaimed', 'Base units that were charged and not claimed.', () =>
      Number(gauges.unclaimed()),
    );
    this.#gauge('held_rounds', 'Rounds that wait, as receipts of a part are missing.', gauges.heldRounds);
    this.#gauge(
      'lost_lanes',
      'Lanes of which charges were lost, until a voucher covers them.',
      gauges.lostLanes,
    );
    this.#requests = this.#counter('requests_total', 'Requests by route and status.', ['route', 'status']);
    this.#outcomes = this.#counter('outcomes_total', 'What became of requests for answers.', ['outcome']);
    this.#rounds = this.#counter('rounds_total', 'Looks at the chain, by how they ended.', ['outcome']);
    this.#cuts = this.#counter('connections_cut_total', 'Connections refused or closed.', ['reason']);
    this.#seconds = new Histogram({
      name: 'gateway_serve_request_seconds',
      help: 'From the whole request to its answer.',
      labelNames: ['route'],
      buckets: SECONDS_BUCKETS,
      registers: [this.registry],
    });
  }

  request(route: string, status: number, seconds: number): void {
    this.#requests.inc({ route, status: String(status) });
    this.#seconds.observe({ route }, seconds);
  }

  cut(reason: CutReason): void {
    this.#cuts.inc({ reason });
  }

  readUnsent(read: () => number): void {
    this.#gauge('unsent_bytes', 'Bytes of answers that clients have not taken.', read);
  }

  /** What became of a request for an answer. */
  outcome(outcome: OutcomeName): void {
    this.#outcomes.inc({ outcome });
  }

  /** A look at the chain: claims, epochs, requests. */
  round(outcome: 'done' | 'failed'): void {
    this.#rounds.inc({ outcome });
  }

  #counter(name: string, help: string, labelNames: string[]): Counter {
    return new Counter({ name: `gateway_serve_${name}`, help, labelNames, registers: [this.registry] });
  }

  #gauge(name: string, help: string, read: () => number): void {
    new Gauge({
      name: `gateway_serve_${name}`,
      help,
      registers: [this.registry],
      collect() {
        this.set(read());
      },
    });
  }
}
