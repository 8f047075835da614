/** What a server of attributions counts. */
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { CutReason } from '../../serve/connections.ts';
import type { EngineCounts } from './influence-engine.ts';
import type { Part } from '../../modules/attribution/proof/policy.ts';

const SECONDS_BUCKETS: number[] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const BYTES_BUCKETS: number[] = [256, 1024, 4096, 16_384, 65_536, 262_144];

/** Read when somebody asks. */
export interface ServeGauges {
  readonly running: () => number;
  readonly waiting: () => number;
  readonly shards: () => number;
  readonly tokens: () => number;
  readonly cards: () => number;
  readonly engine: () => EngineCounts;
  readonly keptBytes: () => number;
}

/** Metrics under `attest_serve_`. */
export class ServeMetrics {
  readonly registry: Registry = new Registry();
  readonly #requests: Counter;
  readonly #seconds: Histogram;
  readonly #proofBytes: Histogram;
  readonly #spans: Counter;
  readonly #parts: Counter;
  readonly #answered: Counter;
  readonly #cuts: Counter;

  constructor(gauges: ServeGauges) {
    const registers = [this.registry];
    const gauge = (name: string, help: string, read: () => number): Gauge =>
      new Gauge({
        name: `attest_serve_${name}`,
        help,
        registers,
        collect() {
          this.set(read());
        },
      });
    gauge('attributions_running', 'Attributions that are being made.', gauges.running);
    gauge('attributions_waiting', 'Attributions that wait for their turn.', gauges.waiting);
    gauge('shards', 'Shards that are served.', gauges.shards);
    gauge('cards', 'Model cards that are served.', gauges.cards);
    gauge('tokens', 'Tokens of all shards.', gauges.tokens);
    gauge('kept_bytes', 'Leaves of pending claims that are kept.', gauges.keptBytes);
    const { engine } = gauges;
    gauge('influence_workers', 'Threads that compute influence and are ready.', () => engine().workers);
    gauge('influence_running', 'Questions of influence that are computed.', () => engine().running);
    gauge('influence_waiting', 'Questions of influence that wait for a thread.', () => engine().waiting);
    this.#total('influence_computed_total', 'Questions that were computed.', () => engine().computed);
    this.#total('influence_seconds_total', 'Seconds in which they were.', () => engine().seconds);
    this.#total('influence_restarts_total', 'Threads that ended and were replaced.', () => engine().restarts);
    this.#requests = new Counter({
      name: 'attest_serve_requests_total',
      help: 'Requests by route and status; 503 were turned away.',
      labelNames: ['route', 'status'],
      registers,
    });
    this.#seconds = new Histogram({
      name: 'attest_serve_request_seconds',
      help: 'From the whole request to its answer.',
      labelNames: ['route'],
      buckets: SECONDS_BUCKETS,
      registers,
    });
    this.#proofBytes = new Histogram({
      name: 'attest_serve_claim_bytes',
      help: 'Sizes of claims with their proofs.',
      buckets: BYTES_BUCKETS,
      registers,
    });
    this.#spans = new Counter({ name: 'attest_serve_spans_total', help: 'Spans of claims.', registers });
    this.#parts = new Counter({
      name: 'attest_serve_parts_total',
      help: 'Parts of claims that models pay for, by what became of them.',
      labelNames: ['part', 'outcome'],
      registers,
    });
    this.#answered = new Counter({
      name: 'attest_serve_chunk_requests_total',
      help: 'Requests on the chain for pieces of our shards, by what became of them.',
      labelNames: ['outcome'],
      registers,
    });
    this.#cuts = new Counter({
      name: 'attest_serve_connections_cut_total',
      help: 'Connections that were refused or closed, by the reason: serve/connections.ts.',
      labelNames: ['reason'],
      registers,
    });
  }

  /** A sum that somebody else keeps. */
  #total(name: string, help: string, read: () => number): void {
    new Counter({
      name: `attest_serve_${name}`,
      help,
      registers: [this.registry],
      collect() {
        this.reset();
        this.inc(read());
      },
    });
  }

  /** A connection was refused or closed. */
  cut(reason: CutReason): void {
    this.#cuts.inc({ reason });
  }

  /** Has the gauge of unsent bytes read from here. */
  readUnsent(read: () => number): void {
    new Gauge({
      name: 'attest_serve_unsent_bytes',
      help: 'Bytes of answers that clients have not taken.',
      registers: [this.registry],
      collect() {
        this.set(read());
      },
    });
  }

  request(route: string, status: number, seconds: number): void {
    this.#requests.inc({ route, status: String(status) });
    this.#seconds.observe({ route }, seconds);
  }

  claim(bytes: number, spans: number): void {
    this.#proofBytes.observe(bytes);
    this.#spans.inc(spans);
  }

  part(part: Part, outcome: 'made' | 'left_out'): void {
    this.#parts.inc({ part, outcome });
  }

  chunkRequest(outcome: 'answered' | 'refused' | 'foreign'): void {
    this.#answered.inc({ outcome });
  }
}
