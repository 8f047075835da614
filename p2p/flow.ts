/**
 * How much goes over a connection in one direction: totals and rates, as CometBFT's `libs/flowrate` counts
 * them.
 */
import type { Timers } from './timers.ts';

/** A sample is closed when it is this old. */
const SAMPLE_MS = 100;
/** Weight of the past in the current rate: after so long, a sample has lost two thirds of its weight. */
const WINDOW_MS = 1_000;

/** What went one way; rates in bytes a second. */
export interface Flow {
  readonly bytes: number;
  readonly samples: number;
  /** Of the last sample. */
  readonly instantRate: number;
  /** Exponential moving average of the samples. */
  readonly currentRate: number;
  /** Since the start. */
  readonly averageRate: number;
  readonly peakRate: number;
  /** Since the start. */
  readonly durationMs: number;
  /** Since the last byte. */
  readonly idleMs: number;
}

/** Both ways, seen from this node. Bytes of messages and requests with their frames, before encryption. */
export interface Traffic {
  readonly sent: Flow;
  readonly received: Flow;
}

/** Counts one direction. */
export class FlowMeter {
  readonly #timers: Timers;
  readonly #startMs: number;
  #sampleStartMs: number;
  #lastByteMs: number;
  #sampleBytes = 0;
  #bytes = 0;
  #samples = 0;
  #instant = 0;
  #current = 0;
  #peak = 0;

  constructor(timers: Timers) {
    this.#timers = timers;
    this.#startMs = timers.nowMs();
    this.#sampleStartMs = this.#startMs;
    this.#lastByteMs = this.#startMs;
  }

  /** Books bytes that went. */
  count(bytes: number): void {
    const nowMs = this.#timers.nowMs();
    if (bytes > 0) this.#lastByteMs = nowMs;
    this.#bytes += bytes;
    this.#sampleBytes += bytes;
    const ageMs = nowMs - this.#sampleStartMs;
    if (ageMs < SAMPLE_MS) return;
    this.#instant = (this.#sampleBytes * 1000) / ageMs;
    this.#peak = Math.max(this.#peak, this.#instant);
    const past = this.#samples === 0 ? 0 : Math.exp(-ageMs / WINDOW_MS);
    this.#current = this.#instant + past * (this.#current - this.#instant);
    this.#samples++;
    this.#sampleBytes = 0;
    this.#sampleStartMs = nowMs;
  }

  /** The numbers of this moment. */
  flow(): Flow {
    this.count(0);
    const nowMs = this.#timers.nowMs();
    const durationMs = nowMs - this.#startMs;
    return {
      bytes: this.#bytes,
      samples: this.#samples,
      instantRate: Math.round(this.#instant),
      currentRate: Math.round(this.#current),
      averageRate: durationMs > 0 ? Math.round((this.#bytes * 1000) / durationMs) : 0,
      peakRate: Math.round(this.#peak),
      durationMs,
      idleMs: nowMs - this.#lastByteMs,
    };
  }
}
