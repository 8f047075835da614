/**
 * Keeps connections to persistent peers up: each has one loop that dials again, with jittered backoff, for
 * ever. A session with one of them after failures says that the network may be back: the others are not
 * left waiting for the end of their backoff.
 */
import { messageOf } from '../core/errors.ts';
import type { Logger, NetworkLimits } from './network.ts';
import type { Timers } from './timers.ts';

const BACKOFF_FACTOR = 1.6;
/** The failure that is logged first: nodes that start together miss each other once or twice. */
const LOG_FROM_FAILURES = 4;
/** Failures until the next line, so that a dead peer does not fill the log. */
const LOG_EVERY_FAILURES = 20;

/** Two attempts at one peer lie at least so far apart, whoever else comes back meanwhile. */
const WAKE_AFTER_MS = 1_000;

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
  /** When it was dialled last, and when it will be. */
  lastMs: number;
  nextMs: number;
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
    const never = Number.NEGATIVE_INFINITY;
    const target: Target = {
      peerId,
      address,
      failures: 0,
      dialing: false,
      lastMs: never,
      nextMs: never,
      cancel: () => undefined,
    };
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

  /** To be told of every new session, before the dial that made it resolves, whoever dialled. */
  connected(peerId: string): void {
    const target = this.#targets.get(peerId);
    if (target === undefined) return;
    const wasLost = target.failures > 0;
    target.failures = 0;
    if (wasLost) this.#wakeOthers(target);
  }

  /** To be told of every session that ended. */
  disconnected(peerId: string): void {
    const target = this.#targets.get(peerId);
    if (target !== undefined && this.#running && !target.dialing) this.#schedule(target);
  }

  async #attempt(target: Target): Promise<void> {
    if (!this.#running || target.dialing || this.#options.isConnected(target.peerId)) return;
    target.dialing = true;
    target.lastMs = this.#options.timers.nowMs();
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

  /** Only brings attempts forward, and spreads them. */
  #wakeOthers(back: Target): void {
    const { timers, random, isConnected } = this.#options;
    const nowMs = timers.nowMs();
    for (const target of this.#targets.values()) {
      if (target === back || target.dialing || target.failures === 0 || isConnected(target.peerId)) continue;
      const dueMs = Math.max(nowMs, target.lastMs + WAKE_AFTER_MS) + random() * WAKE_AFTER_MS;
      if (this.#running && dueMs < target.nextMs) this.#attemptIn(target, dueMs - nowMs);
    }
  }

  #attemptIn(target: Target, delayMs: number): void {
    const { timers } = this.#options;
    target.cancel();
    target.nextMs = timers.nowMs() + delayMs;
    target.cancel = timers.after(delayMs, () => void this.#attempt(target));
  }

  #schedule(target: Target): void {
    const { redialMinMs, redialMaxMs } = this.#options.limits;
    const backoffMs = Math.min(redialMaxMs, redialMinMs * BACKOFF_FACTOR ** target.failures);
    const delayMs = backoffMs * (0.5 + this.#options.random() / 2);
    this.#attemptIn(target, delayMs);
  }
}
