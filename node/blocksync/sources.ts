/**
 * The peers that blocks can be had from. What a peer claims to have is a hint: it says whom to ask, and is
 * worth what the peer delivers. Who does not have what it claimed loses its claim; who does not answer is not
 * believed for a while, but for one that has delivered: it may be slow, or we, so it is given some time, and
 * its claim goes on to count. Who delivers is asked first and for more.
 */
import { BLOCKS_PER_REQUEST_MAX, type StoredRange } from './messages.ts';

/** Requests under way with a peer that has delivered. */
export const REQUESTS_PER_PEER_MAX = 4;
/** Requests under way with one that has not delivered yet. */
export const REQUESTS_UNPROVEN_MAX = 1;
/** So often in a row one that has delivered may be silent before it is as one that never has. */
export const STALLS_MAX = 3;
/** So often in a row one may say that it is busy before that is a silence. */
export const BUSY_MAX = 5;

/** Whom to ask, and for how many blocks at most. */
export interface Picked {
  readonly peerId: string;
  readonly blocksMax: number;
}

interface Source {
  /** Undefined after it did not have what it claimed, until it claims again. */
  range: StoredRange | undefined;
  /** Its claims do not count before this. */
  distrustedUntilMs: number;
  /** It has delivered blocks that were valid, and nothing else since. */
  proven: boolean;
  /** How often it has been silent since it delivered, `STALLS_MAX` if it never has; and when last. */
  stalls: number;
  stalledAtMs: number;
  /** How often it has been busy since it delivered or that was a silence; and when last. */
  busy: number;
  busyAtMs: number;
  /** It is not asked before this. */
  pausedUntilMs: number;
  /** What it claimed and did not have: it may have pruned it, until it claims it again. */
  lacked: bigint | undefined;
  readonly asked: Set<bigint>;
}

/** What peers claim, and what they were asked for. */
export class Sources {
  readonly #sources: Map<string, Source> = new Map();

  /** How many peers have ever said what they have. */
  get size(): number {
    return this.#sources.size;
  }

  /**
   * A newer claim replaces an older one, whether it is higher or lower. Returns the height that it claims
   * again after it did not have it.
   */
  claim(peerId: string, range: StoredRange): bigint | undefined {
    const source = this.#sources.get(peerId);
    if (source !== undefined) {
      const { lacked } = source;
      source.range = range;
      source.lacked = undefined;
      return lacked !== undefined && has(range, lacked) ? lacked : undefined;
    }
    this.#sources.set(peerId, {
      range,
      distrustedUntilMs: 0,
      proven: false,
      stalls: STALLS_MAX,
      stalledAtMs: Number.NEGATIVE_INFINITY,
      busy: 0,
      busyAtMs: Number.NEGATIVE_INFINITY,
      pausedUntilMs: 0,
      asked: new Set(),
      lacked: undefined,
    });
    return undefined;
  }

  remove(peerId: string): void {
    this.#sources.delete(peerId);
  }

  /** It did not answer, or not rightly. */
  distrust(peerId: string, untilMs: number): void {
    const source = this.#sources.get(peerId);
    if (source === undefined) return;
    source.distrustedUntilMs = untilMs;
    source.proven = false;
  }

  /** It asks for patience: its claim counts, and it is not asked for a while. */
  pause(peerId: string, untilMs: number): void {
    const source = this.#sources.get(peerId);
    if (source !== undefined) source.pausedUntilMs = untilMs;
  }

  /**
   * It did not answer a request in time. True when that is held against it; of those who have delivered only
   * several silences in a row are, and requests that fail together are one.
   */
  stalled(peerId: string, at: { readonly askedAtMs: number; readonly nowMs: number }): boolean {
    const source = this.#sources.get(peerId);
    if (source === undefined || !hasDelivered(source)) return true;
    source.proven = false;
    if (at.askedAtMs < source.stalledAtMs) return false;
    source.stalls++;
    source.stalledAtMs = at.nowMs;
    return false;
  }

  /** It says that it is busy. True when that is held against it: so often in a row is as a silence. */
  busy(peerId: string, at: { readonly askedAtMs: number; readonly nowMs: number }): boolean {
    const source = this.#sources.get(peerId);
    if (source === undefined) return true;
    if (at.askedAtMs < source.busyAtMs) return false;
    source.busyAtMs = at.nowMs;
    if (++source.busy < BUSY_MAX) return false;
    source.busy = 0;
    return this.stalled(peerId, at);
  }

  /** Whether one that has delivered claims a height. */
  isPromised(height: bigint): boolean {
    for (const source of this.#sources.values())
      if (hasDelivered(source) && source.range !== undefined && has(source.range, height)) return true;
    return false;
  }

  /** It does not have a block. True when it had claimed it: then its claim is forgotten. */
  lacks(peerId: string, height: bigint): boolean {
    const source = this.#sources.get(peerId);
    if (source?.range === undefined || !has(source.range, height)) return false;
    source.range = undefined;
    source.lacked = height;
    source.proven = false;
    return true;
  }

  /** It delivered a block that was valid. */
  prove(peerId: string): void {
    const source = this.#sources.get(peerId);
    if (source === undefined) return;
    source.proven = true;
    source.stalls = 0;
    source.busy = 0;
  }

  asked(peerId: string, height: bigint): void {
    this.#sources.get(peerId)?.asked.add(height);
  }

  answered(peerId: string, height: bigint): void {
    this.#sources.get(peerId)?.asked.delete(height);
  }

  /** True when some believed peer has said what it has, even if that is nothing. */
  hasClaims(nowMs: number): boolean {
    for (const { range, distrustedUntilMs } of this.#sources.values())
      if (range !== undefined && distrustedUntilMs <= nowMs) return true;
    return false;
  }

  /**
   * The highest height that a believed peer claims which could also give `next`; 0n when there is none. Of
   * those who have delivered, if only these are to count.
   */
  highest(next: bigint, nowMs: number, whose: 'all' | 'delivered' = 'all'): bigint {
    let highest = 0n;
    for (const source of this.#sources.values()) {
      if (whose === 'delivered' && !hasDelivered(source)) continue;
      const { range, distrustedUntilMs } = source;
      const counts = range !== undefined && distrustedUntilMs <= nowMs && range.base <= next;
      if (counts && range.height > highest) highest = range.height;
    }
    return highest;
  }

  /** The lowest base of believed peers that are past a height, when none of them has it any more. */
  prunedTo(next: bigint, nowMs: number): bigint | undefined {
    let lowest: bigint | undefined;
    for (const { range, distrustedUntilMs } of this.#sources.values()) {
      if (range === undefined || distrustedUntilMs > nowMs || range.height < next) continue;
      if (range.base <= next) return undefined;
      if (lowest === undefined || range.base < lowest) lowest = range.base;
    }
    return lowest;
  }

  /**
   * The believed peer to ask for a height: of those that claim it and may be asked, one that has delivered
   * before one that has not, then the one with the fewest requests; undefined when there is none. With it,
   * how many heights that it has from there on one request may ask it for.
   */
  pick(height: bigint, nowMs: number, except: ReadonlySet<string> = NOBODY): Picked | undefined {
    let best: (Picked & { readonly rank: number }) | undefined;
    for (const [peerId, source] of this.#sources) {
      const { range, asked, proven } = source;
      if (range === undefined || !has(range, height)) continue;
      if (source.distrustedUntilMs > nowMs || source.pausedUntilMs > nowMs) continue;
      const max = proven ? REQUESTS_PER_PEER_MAX : REQUESTS_UNPROVEN_MAX;
      if (asked.size >= max || except.has(peerId)) continue;
      const rank = asked.size + (proven ? 0 : REQUESTS_PER_PEER_MAX);
      if (best !== undefined && rank >= best.rank) continue;
      const inRange = Number(range.height - height) + 1;
      const blocksMax = proven ? Math.min(BLOCKS_PER_REQUEST_MAX, inRange) : 1;
      best = { peerId, rank, blocksMax };
    }
    return best;
  }
}

const NOBODY: ReadonlySet<string> = new Set();

/** It has delivered a valid block, and since then not been silent too often. */
function hasDelivered({ stalls }: Source): boolean {
  return stalls < STALLS_MAX;
}

function has({ base, height: highest }: StoredRange, height: bigint): boolean {
  return base <= height && height <= highest;
}
