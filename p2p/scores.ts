/** Faults of peers: points that are forgotten with time, and bans. */
import type { Timers } from './timers.ts';

/** Points at which a peer is banned. */
export const BAN_POINTS = 100;
/** Peers remembered; the ones booked longest ago are forgotten first. */
const PEERS_MAX = 4096;

interface Score {
  points: number;
  atMs: number;
  bannedUntilMs: number;
}

/** How long a ban lasts and how fast points fade. */
export interface ScoreOptions {
  readonly banMs: number;
  readonly decayPerSecond: number;
}

/** Keeps the score of peers, connected or not. */
export class PeerScores {
  readonly #timers: Timers;
  readonly #options: ScoreOptions;
  readonly #scores: Map<string, Score> = new Map();

  constructor(timers: Timers, options: ScoreOptions) {
    this.#timers = timers;
    this.#options = options;
  }

  /** Books points; true when that banned the peer. */
  book(peerId: string, points: number): boolean {
    const nowMs = this.#timers.nowMs();
    const score = this.#scores.get(peerId) ?? {
      points: 0,
      atMs: nowMs,
      bannedUntilMs: Number.NEGATIVE_INFINITY,
    };
    const faded = ((nowMs - score.atMs) / 1000) * this.#options.decayPerSecond;
    score.points = Math.max(0, score.points - faded) + points;
    score.atMs = nowMs;
    const banned = score.points >= BAN_POINTS;
    if (banned) {
      score.points = 0;
      score.bannedUntilMs = nowMs + this.#options.banMs;
    }
    this.#scores.delete(peerId);
    this.#scores.set(peerId, score);
    if (this.#scores.size > PEERS_MAX) this.#forgetOldest();
    return banned;
  }

  /** True while a ban lasts. */
  isBanned(peerId: string): boolean {
    const score = this.#scores.get(peerId);
    return score !== undefined && score.bannedUntilMs > this.#timers.nowMs();
  }

  #forgetOldest(): void {
    for (const peerId of this.#scores.keys()) {
      this.#scores.delete(peerId);
      return;
    }
  }
}
