/** Faults of peers: points that are forgotten with time, and bans, longer each time. */
import type { NetworkLimits } from './network.ts';
import type { Timers } from './timers.ts';

/** Points at which a peer is banned. */
export const BAN_POINTS = 100;
/** Peers remembered; the ones booked longest ago are forgotten first, banned ones last. */
const PEERS_MAX = 4096;
/** Bans that are written down. */
const BANS_KEPT_MAX = 512;

interface Score {
  points: number;
  atMs: number;
  bannedUntilMs: number;
  /** Bans so far; forgotten when the peer behaved for long enough. */
  bans: number;
  reason: string;
}

/** How long a ban lasts and how fast points fade. */
export interface ScoreOptions {
  /** The first ban; each further one lasts twice as long. */
  readonly banMs: number;
  readonly banMaxMs: number;
  readonly decayPerSecond: number;
}

/** What the limits of a network say of scores. */
export function scoreOptions(limits: NetworkLimits): ScoreOptions {
  return { banMs: limits.banMs, banMaxMs: limits.banMaxMs, decayPerSecond: limits.penaltyDecayPerSecond };
}

/** A ban that stands. */
export interface Ban {
  readonly peerId: string;
  readonly reason: string;
  readonly remainingMs: number;
  /** The how many-th ban of the peer it is. */
  readonly times: number;
}

/** Where bans outlive the process. */
export interface BanStore {
  load(): readonly Ban[];
  save(bans: readonly Ban[]): void;
}

/** Keeps nothing. */
export const noBanStore: BanStore = { load: () => [], save: () => undefined };

/** What is held against a peer. */
export interface Standing {
  /** 0 to 100. */
  readonly points: number;
  /** 0: not banned. */
  readonly bannedForMs: number;
}

/** Keeps the score of peers, connected or not. */
export class PeerScores {
  readonly #timers: Timers;
  readonly #options: ScoreOptions;
  readonly #store: BanStore;
  readonly #scores: Map<string, Score> = new Map();

  constructor(timers: Timers, options: ScoreOptions, store: BanStore = noBanStore) {
    this.#timers = timers;
    this.#options = options;
    this.#store = store;
    const nowMs = timers.nowMs();
    for (const { peerId, reason, remainingMs, times } of store.load().slice(-BANS_KEPT_MAX)) {
      const bannedUntilMs = nowMs + Math.min(remainingMs, options.banMaxMs);
      this.#scores.set(peerId, { points: 0, atMs: nowMs, bannedUntilMs, bans: times, reason });
    }
  }

  /** Books points; true when that banned the peer. */
  book(peerId: string, points: number, reason = ''): boolean {
    const nowMs = this.#timers.nowMs();
    const score = this.#scores.get(peerId) ?? newScore(nowMs);
    score.points = this.#faded(score) + points;
    score.atMs = nowMs;
    const banned = score.points >= BAN_POINTS;
    if (banned) this.#ban(score, reason);
    this.#scores.delete(peerId);
    this.#scores.set(peerId, score);
    if (this.#scores.size > PEERS_MAX) this.#forgetOldest();
    if (banned) this.#store.save(this.bans());
    return banned;
  }

  /** True while a ban lasts. */
  isBanned(peerId: string): boolean {
    return this.standing(peerId).bannedForMs > 0;
  }

  standing(peerId: string): Standing {
    const score = this.#scores.get(peerId);
    if (score === undefined) return { points: 0, bannedForMs: 0 };
    const bannedForMs = Math.max(0, score.bannedUntilMs - this.#timers.nowMs());
    return { points: this.#faded(score), bannedForMs };
  }

  /** The bans that stand, the latest last. */
  bans(): readonly Ban[] {
    const nowMs = this.#timers.nowMs();
    const standing: Ban[] = [];
    for (const [peerId, { bannedUntilMs, reason, bans }] of this.#scores) {
      const remainingMs = bannedUntilMs - nowMs;
      if (remainingMs > 0) standing.push({ peerId, reason, remainingMs, times: bans });
    }
    return standing.slice(-BANS_KEPT_MAX);
  }

  #ban(score: Score, reason: string): void {
    const { banMs, banMaxMs } = this.#options;
    const nowMs = this.#timers.nowMs();
    if (nowMs - score.bannedUntilMs > FORGIVEN_AFTER_BANS * banMaxMs) score.bans = 0;
    score.bannedUntilMs = nowMs + Math.min(Math.max(banMs, banMaxMs), banMs * 2 ** score.bans);
    score.bans = Math.min(score.bans + 1, BANS_COUNTED_MAX);
    score.points = 0;
    score.reason = reason;
  }

  #faded(score: Score): number {
    const faded = ((this.#timers.nowMs() - score.atMs) / 1000) * this.#options.decayPerSecond;
    return Math.max(0, score.points - faded);
  }

  #forgetOldest(): void {
    let oldest: string | undefined;
    for (const peerId of this.#scores.keys()) {
      oldest ??= peerId;
      if (this.isBanned(peerId)) continue;
      oldest = peerId;
      break;
    }
    if (oldest !== undefined) this.#scores.delete(oldest);
  }
}

/** A peer that behaved for so many of the longest bans begins anew. */
const FORGIVEN_AFTER_BANS = 4;
const BANS_COUNTED_MAX = 30;

function newScore(nowMs: number): Score {
  return { points: 0, atMs: nowMs, bannedUntilMs: Number.NEGATIVE_INFINITY, bans: 0, reason: '' };
}
