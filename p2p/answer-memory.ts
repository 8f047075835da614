/**
 * Memory for answers that peers have not read yet. Room for the largest answer of a protocol is taken before
 * an answer is made, and what it does not need is given back when its length is known; so what waits is
 * bounded for each peer and altogether, whatever peers ask and however slowly they read.
 *
 * Who waits gets room in the order of what their peers hold, the least first. When there is none for a peer,
 * answers of others give way: of peers that hold more than the waiting one does, that have been under way for
 * some time, and of those the ones that are read most slowly now: what a peer took long ago does not count
 * for it. One that makes enough room goes before several that do so together, and none is broken off when all
 * of them would not make enough.
 */
import type { NetworkMetrics } from './network.ts';
import type { Timers } from './timers.ts';

/** Limits of answers that are made or under way. */
export interface AnswerMemoryLimits {
  /** All peers together. */
  readonly bytesMax: number;
  /** One peer. The first answer of a peer may be as large as this at most. */
  readonly bytesPerPeerMax: number;
  /** An answer has this long to be read before it may have to give way to another peer's. */
  readonly giveWayAfterMs: number;
}

/** Between two looks for an answer that gives way, while somebody waits. */
const LOOK_INTERVAL_MS = 100;

/** What somebody needs room for. */
export interface Wanted {
  readonly peerId: string;
  /** As much as the answer can have at most. */
  readonly bytesMax: number;
  readonly waitMs: number;
  /** Ends the waiting. */
  readonly signal: AbortSignal;
  /** Called when the answer has to give way; the room is given back by `release` all the same. */
  readonly giveWay: () => void;
}

type Counted = Pick<NetworkMetrics, 'answerBytes' | 'answersBrokenOff'>;

/** Room for one answer. */
export interface AnswerPlace {
  /** The answer is made, and goes out from now on: so much it has, at most what was asked for. */
  made(bytes: number): void;
  /** The peer took so many bytes more. */
  taken(bytes: number): void;
  /** Gives the room back; more than once does nothing. */
  release(): void;
}

interface Held {
  readonly peerId: string;
  readonly giveWay: () => void;
  bytes: number;
  /** Since when it goes out; undefined while it is made. */
  sinceMs: number | undefined;
  /** What the peer took in the span of time under way, and in the one before. */
  taken: Span;
  before: Span;
}

interface Span {
  readonly fromMs: number;
  bytes: number;
}

interface Waiter {
  readonly wanted: Wanted;
  readonly bytes: number;
  readonly grant: (place: AnswerPlace) => void;
}

/** The memory for answers of one network. */
export class AnswerMemory {
  readonly #limits: AnswerMemoryLimits;
  readonly #timers: Timers;
  readonly #metrics: Counted;
  readonly #held: Set<Held> = new Set();
  readonly #bytesOf: Map<string, number> = new Map();
  readonly #waiters: Set<Waiter> = new Set();
  #bytes = 0;
  #isLooking = false;

  constructor(limits: AnswerMemoryLimits, timers: Timers, metrics: Counted) {
    this.#limits = limits;
    this.#timers = timers;
    this.#metrics = metrics;
  }

  /** Resolves to undefined when there was no room in time, or the signal ended the waiting. */
  reserve(wanted: Wanted): Promise<AnswerPlace | undefined> {
    const { bytesMax, bytesPerPeerMax } = this.#limits;
    const bytes = Math.min(wanted.bytesMax, bytesMax, bytesPerPeerMax);
    return new Promise((resolve) => {
      const finish = (place: AnswerPlace | undefined): void => {
        this.#waiters.delete(waiter);
        cancel();
        wanted.signal.removeEventListener('abort', onAbort);
        resolve(place);
      };
      const onAbort = (): void => finish(undefined);
      const cancel = this.#timers.after(wanted.waitMs, onAbort);
      const waiter: Waiter = { wanted, bytes, grant: finish };
      if (wanted.signal.aborted) {
        finish(undefined);
        return;
      }
      wanted.signal.addEventListener('abort', onAbort, { once: true });
      this.#waiters.add(waiter);
      this.#serveWaiters();
    });
  }

  /** Gives room to whoever may have some, in order; then makes room for the one that comes next. */
  #serveWaiters(): void {
    for (let next = this.#next(); next !== undefined; next = this.#next()) {
      if (this.#bytes + next.bytes > this.#limits.bytesMax && !this.#makeRoom(next)) return;
      next.grant(this.#take(next));
    }
  }

  /** Of those that are within what one peer may hold, the first of the peer that holds least. */
  #next(): Waiter | undefined {
    let best: Waiter | undefined;
    let bestBytes = Number.POSITIVE_INFINITY;
    for (const waiter of this.#waiters) {
      const bytes = this.#heldBy(waiter.wanted.peerId);
      if (bytes >= bestBytes || bytes + waiter.bytes > this.#limits.bytesPerPeerMax) continue;
      best = waiter;
      bestBytes = bytes;
    }
    return best;
  }

  #take({ wanted, bytes }: Waiter): AnswerPlace {
    const { peerId, giveWay } = wanted;
    const held: Held = {
      peerId,
      giveWay,
      bytes: 0,
      sinceMs: undefined,
      taken: { fromMs: 0, bytes: 0 },
      before: { fromMs: 0, bytes: 0 },
    };
    this.#held.add(held);
    this.#resize(held, bytes);
    return {
      made: (made) => {
        const nowMs = this.#timers.nowMs();
        held.sinceMs = nowMs;
        held.taken = { fromMs: nowMs, bytes: 0 };
        held.before = { fromMs: nowMs, bytes: 0 };
        if (this.#held.has(held)) this.#resize(held, Math.min(made, held.bytes));
        this.#serveWaiters();
      },
      taken: (taken) => {
        this.#turnSpan(held);
        held.taken.bytes += taken;
      },
      release: () => {
        if (!this.#held.delete(held)) return;
        this.#resize(held, 0);
        this.#serveWaiters();
      },
    };
  }

  /** A span is as long as an answer has before it may have to give way. */
  #turnSpan(held: Held): void {
    const nowMs = this.#timers.nowMs();
    const spanMs = this.#limits.giveWayAfterMs;
    const elapsedMs = nowMs - held.taken.fromMs;
    if (elapsedMs < spanMs) return;
    // All of a span came within its time: after another one it was long ago.
    held.before = elapsedMs < 2 * spanMs ? held.taken : { fromMs: nowMs - spanMs, bytes: 0 };
    held.taken = { fromMs: nowMs, bytes: 0 };
  }

  /** Bytes of the answer that the peer took in each millisecond, of late. */
  #rateOf(held: Held): number {
    this.#turnSpan(held);
    const { taken, before } = held;
    return (taken.bytes + before.bytes) / Math.max(this.#timers.nowMs() - before.fromMs, 1);
  }

  #resize(held: Held, bytes: number): void {
    const ofPeer = this.#heldBy(held.peerId) + bytes - held.bytes;
    this.#bytes += bytes - held.bytes;
    this.#metrics.answerBytes = this.#bytes;
    held.bytes = bytes;
    if (ofPeer === 0) this.#bytesOf.delete(held.peerId);
    else this.#bytesOf.set(held.peerId, ofPeer);
  }

  #heldBy(peerId: string): number {
    return this.#bytesOf.get(peerId) ?? 0;
  }

  /**
   * Has answers give way; false when that makes no room for the waiter yet: then none does, and it is looked
   * at again later.
   */
  #makeRoom(waiter: Waiter): boolean {
    const yielding = this.#yieldingTo(waiter);
    if (yielding === undefined) {
      this.#lookAgain();
      return false;
    }
    for (const held of yielding) {
      this.#metrics.answersBrokenOff++;
      this.#held.delete(held);
      this.#resize(held, 0);
      held.giveWay();
    }
    return true;
  }

  /** The answers that make room for the waiter; undefined when those that may have to do not. */
  #yieldingTo({ wanted, bytes }: Waiter): readonly Held[] | undefined {
    const nowMs = this.#timers.nowMs();
    const least = this.#heldBy(wanted.peerId);
    const bySlowness = [...this.#held]
      .filter(({ sinceMs }) => sinceMs !== undefined && nowMs - sinceMs >= this.#limits.giveWayAfterMs)
      .map((held) => ({ held, rate: this.#rateOf(held) }))
      .toSorted((a, b) => a.rate - b.rate)
      .map(({ held }) => held);
    const yielding: Held[] = [];
    let lacking = this.#bytes + bytes - this.#limits.bytesMax;
    while (lacking > 0) {
      const may = bySlowness.filter(
        (held) => !yielding.includes(held) && this.#heldBy(held.peerId) - ofPeer(yielding, held) > least,
      );
      const next = may.find((held) => held.bytes >= lacking) ?? may[0];
      if (next === undefined) return undefined;
      yielding.push(next);
      lacking -= next.bytes;
    }
    return yielding;
  }

  #lookAgain(): void {
    if (this.#isLooking) return;
    this.#isLooking = true;
    this.#timers.after(LOOK_INTERVAL_MS, () => {
      this.#isLooking = false;
      this.#serveWaiters();
    });
  }
}

/** Bytes of those of the answers that are of the same peer as the other. */
function ofPeer(answers: readonly Held[], { peerId }: Held): number {
  return answers.reduce((bytes, held) => (held.peerId === peerId ? bytes + held.bytes : bytes), 0);
}
