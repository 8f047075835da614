/**
 * Keeps connections to persistent peers up: each has one loop that dials again, with jittered backoff, for
 * ever.
 */
import { messageOf } from '../core/errors.ts';
import type { Logger, NetworkLimits } from './network.ts';
import type { Timers } from './timers.ts';

const BACKOFF_FACTOR = 1.6;
/** The failure that is logged first: nodes that start together miss each other once or twice. */
const LOG_FROM_FAILURES = 4;
/** Failures until the next line, so that a dead peer does not fill the log. */
const LOG_EVERY_FAILURES = 20;

/** What the loops need. */
export interface RedialOptions {
  readonly limits: Pick<NetworkLimits, 'redialMinMs' | 'redialMaxMs'>;
  readonly timers: Timers;
  readonly log: Logger;
  /** A number in [0, 1). */
  readonly random: () => number;
  /** Connects and shakes hands; rejects when that fails. */
  readonly dial: (address: string) => Promise<void>;
  readonly isConnected: (peerId: string) => boolean;
}

interface Target {
  readonly peerId: string;
  readonly address: string;
  failures: number;
  dialing: boolean;
  cancel: () => void;
}

/** The persistent peers of one node. */
export class Redialer {
  readonly #options: RedialOptions;
  readonly #targets: Map<string, Target> = new Map();
  #running = false;

  constructor(options: RedialOptions) {
    this.#options = options;
  }

  has(peerId: string): boolean {
    return this.#targets.has(peerId);
  }

  add(peerId: string, address: string): void {
    if (this.#targets.has(peerId)) return;
    const target: Target = { peerId, address, failures: 0, dialing: false, cancel: () => undefined };
    this.#targets.set(peerId, target);
    if (this.#running) void this.#attempt(target);
  }

  start(): void {
    this.#running = true;
    for (const target of this.#targets.values()) void this.#attempt(target);
  }

  stop(): void {
    this.#running = false;
    for (const target of this.#targets.values()) target.cancel();
  }

  /** To be told of every session that ended. */
  disconnected(peerId: string): void {
    const target = this.#targets.get(peerId);
    if (target !== undefined && this.#running && !target.dialing) this.#schedule(target);
  }

  async #attempt(target: Target): Promise<void> {
    if (!this.#running || target.dialing || this.#options.isConnected(target.peerId)) return;
    target.dialing = true;
    try {
      await this.#options.dial(target.address);
      target.failures = 0;
    } catch (error) {
      target.failures++;
      if (target.failures % LOG_EVERY_FAILURES === LOG_FROM_FAILURES) {
        const fields = { address: target.address, failures: target.failures };
        this.#options.log.warn(fields, `cannot reach persistent peer, trying on: ${messageOf(error)}`);
      }
    }
    target.dialing = false;
    if (this.#running && !this.#options.isConnected(target.peerId)) this.#schedule(target);
  }

  #schedule(target: Target): void {
    const { redialMinMs, redialMaxMs } = this.#options.limits;
    const backoffMs = Math.min(redialMaxMs, redialMinMs * BACKOFF_FACTOR ** target.failures);
    const delayMs = backoffMs * (0.5 + this.#options.random() / 2);
    target.cancel();
    target.cancel = this.#options.timers.after(delayMs, () => void this.#attempt(target));
  }
}
