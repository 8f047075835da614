/**
 * The peers that blocks can be had from. What a peer claims to have is a hint: it counts while the peer
 * keeps it. A peer that does not deliver what it claimed is not believed for a while, so that no claim can
 * keep a node waiting.
 */
import type { StoredRange } from './messages.ts';

/** Requests under way with one peer. */
export const REQUESTS_PER_PEER_MAX = 4;

interface Source {
  range: StoredRange;
  /** Its claims do not count before this. */
  distrustedUntilMs: number;
  readonly asked: Set<bigint>;
}

/** What peers claim, and what they were asked for. */
export class Sources {
  readonly #sources: Map<string, Source> = new Map();

  claim(peerId: string, range: StoredRange): void {
    const source = this.#sources.get(peerId);
    if (source !== undefined) source.range = range;
    else this.#sources.set(peerId, { range, distrustedUntilMs: 0, asked: new Set() });
  }

  remove(peerId: string): void {
    this.#sources.delete(peerId);
  }

  distrust(peerId: string, untilMs: number): void {
    const source = this.#sources.get(peerId);
    if (source !== undefined) source.distrustedUntilMs = untilMs;
  }

  asked(peerId: string, height: bigint): void {
    this.#sources.get(peerId)?.asked.add(height);
  }

  answered(peerId: string, height: bigint): void {
    this.#sources.get(peerId)?.asked.delete(height);
  }

  /** True when some peer has said what it has, even if that is nothing. */
  hasClaims(nowMs: number): boolean {
    for (const source of this.#sources.values()) if (source.distrustedUntilMs <= nowMs) return true;
    return false;
  }

  /** The highest height that a believed peer claims which could also give `next`; 0n when there is none. */
  highest(next: bigint, nowMs: number): bigint {
    let highest = 0n;
    for (const { range, distrustedUntilMs } of this.#sources.values()) {
      const counts = distrustedUntilMs <= nowMs && range.base <= next;
      if (counts && range.height > highest) highest = range.height;
    }
    return highest;
  }

  /**
   * The believed peer with the fewest requests that claims a height and may be asked; undefined when there
   * is none.
   */
  pick(height: bigint, nowMs: number): string | undefined {
    let best: { readonly peerId: string; readonly load: number } | undefined;
    for (const [peerId, { range, distrustedUntilMs, asked }] of this.#sources) {
      const has = range.base <= height && height <= range.height;
      if (!has || distrustedUntilMs > nowMs || asked.size >= REQUESTS_PER_PEER_MAX) continue;
      if (best === undefined || asked.size < best.load) best = { peerId, load: asked.size };
    }
    return best?.peerId;
  }
}
